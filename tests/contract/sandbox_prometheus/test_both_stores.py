"""The embedded metrics store answers as the real Prometheus does, for what it understands."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from statistics import median

import httpx
import pytest

from bot.adapters.prometheus import Connection, Prometheus
from bot.sandbox import prometheus
from bot.sandbox.processes import Processes, wait_until

EXPOSITION = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="POST",status="2xx",handler="/predict"} 1027.0
http_requests_total{method="POST",status="5xx",handler="/predict"} 3.0
http_requests_total{method="GET",status="2xx",handler="/a\\"b\\\\c"} 1e+06
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} 1.0
http_request_duration_seconds_bucket{le="+Inf"} 2.0
http_request_duration_seconds_sum 0.12345678901234567
http_request_duration_seconds_count 2.0
# TYPE odd gauge
odd{kind="nan"} NaN
odd{kind="inf"} +Inf
odd{kind="small"} 1.5e-09
odd{kind="negative",pod="own"} -7.25
"""
UNDERSTOOD = [
    "http_requests_total",
    'http_requests_total{status="5xx"}',
    'http_requests_total{status!="5xx"}',
    'http_requests_total{status=~"5.."}',
    'http_requests_total{status=~"5"}',
    'http_requests_total{status!~"2xx|4xx"}',
    'http_requests_total{handler="/a\\"b\\\\c"}',
    "http_requests_total{method='POST', status=`2xx`,}",
    'http_requests_total{absent=""}',
    'http_requests_total{absent!=""}',
    'http_requests_total{service="models"}',
    '{__name__=~"http_request.*_bucket"}',
    "http_request_duration_seconds_sum",
    "odd",
    'odd{exported_pod="own"}',
    "up",
    'up{job="models"}',
    "absent_metric",
]
REFUSED = ["", "{}", "up{", 'up{x=~"("}', "up[5x]", '{x=""}', "up up"]


class Target(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.end_headers()
        self.wfile.write(EXPOSITION.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path_factory.mktemp("targets") / "targets.json"
    labels = {"namespace": "production", "service": "models", "pod": "models-1"}
    file.write_text(json.dumps([{"targets": [f"127.0.0.1:{server.server_port}"], "labels": labels}]))
    yield file
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def embedded(targets):
    started = prometheus.start_embedded(targets)
    wait_for_samples(started.url)
    yield started.url
    started.close()


@pytest.fixture(scope="module")
def real(targets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    with Processes(folder / "logs") as processes:
        started = prometheus.start(processes, folder, targets, real=True)
        wait_for_samples(started.url)
        yield started.url


def wait_for_samples(url: str) -> None:
    wait_until(lambda: len(samples(url, "http_requests_total[1m]")) == 3, 60, "the first scrapes")
    wait_until(
        lambda: all(len(values) > 1 for values in samples(url, "http_requests_total[1m]").values()),
        20,
        "the second scrapes",
    )


def ask(url: str, path: str, **parameters: object) -> httpx.Response:
    return httpx.get(f"{url}/api/v1/{path}", params=parameters, trust_env=False)


def samples(url: str, query: str) -> dict:
    """Labels → the values of a query, times left out: the two scrape at different moments."""
    data = ask(url, "query", query=query, time=time.time()).raise_for_status().json()["data"]
    return {
        frozenset(series["metric"].items()): [
            float(value) for _, value in series.get("values", [series.get("value")])
        ]
        for series in data["result"]
    }


@pytest.mark.real("prometheus")
@pytest.mark.parametrize("query", UNDERSTOOD)
def test_the_same_series_and_values(real, embedded, query):
    """Both name the same series, with the same labels, the same values and the same form of answer."""
    ours, theirs = settled(lambda url: _known(samples(url, query)), embedded, real)

    assert ours == theirs
    for window in ("", "[20s]"):
        types = [
            ask(url, "query", query=query + window).json()["data"]["resultType"] for url in (real, embedded)
        ]
        assert types == ["matrix" if window else "vector"] * 2


def settled(look: Callable[[str], object], *urls: str) -> list[object]:
    """What each of them says, once they agree: on a busy machine either may have missed the last scrape."""
    deadline = time.monotonic() + 30
    while True:
        found = [look(url) for url in urls]
        if all(each == found[0] for each in found) or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _known(found: dict) -> dict:
    """Prometheus adds a few series of its own about each scrape; NaN is like no other number."""
    return {labels: [str(value) for value in values] for labels, values in found.items()}


@pytest.mark.real("prometheus")
def test_raw_samples_are_raw(real, embedded):
    """A range selector gives every scraped value as it was, in the order of time, a second apart."""
    for url in (real, embedded):
        (series,) = ask(url, "query", query='http_requests_total{status="5xx"}[20s]').json()["data"]["result"]
        times = [at for at, _ in series["values"]]

        assert {value for _, value in series["values"]} == {"3"}
        assert times == sorted(times)
        # A busy machine misses one now and then.
        assert 0.5 < median(later - earlier for earlier, later in pairwise(times)) < 2.5


@pytest.mark.real("prometheus")
@pytest.mark.parametrize("query", REFUSED)
def test_the_same_mistakes_are_refused(real, embedded, query):
    """What is no selector gets 400 and `bad_data` from both."""
    for url in (real, embedded):
        answer = ask(url, "query", query=query)

        assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")


@pytest.mark.real("prometheus")
def test_a_range_query_has_the_same_steps(real, embedded):
    """`query_range` answers at the same steps with the same values."""
    query = 'http_requests_total{status="2xx",method="POST"}'

    def steps(url: str) -> tuple[str, list[tuple[float, str]]]:
        end = int(time.time())
        answer = ask(url, "query_range", query=query, start=end - 1, end=end, step=1)
        data = answer.raise_for_status().json()["data"]
        values = [value for series in data["result"] for value in series["values"]]
        return data["resultType"], [(at - end, value) for at, value in values]

    theirs, ours = settled(steps, real, embedded)

    assert ours == theirs == ("matrix", [(-1, "1027"), (0, "1027")])


@pytest.mark.real("prometheus")
def test_slipway_reads_the_same_from_both(real, embedded):
    """Slipway's own adapter finds the same series with the same values in both."""
    end = time.time()
    found = [
        {
            frozenset(series.labels.items()): {value for _, value in series.samples}
            for series in Prometheus(Connection(url)).raw("http_requests_total", end - 20, end)
        }
        for url in (real, embedded)
    ]

    assert len(found[0]) == 3
    assert found[0] == found[1]


def test_more_than_selectors_is_refused(embedded):
    """The embedded store does not guess at expressions: it says what it understands."""
    answer = ask(embedded, "query", query="sum(rate(http_requests_total[1m]))")

    assert answer.status_code == 400
    assert "only plain selectors" in answer.json()["error"]


def test_it_is_ready(embedded):
    """Readiness and build information answer like Prometheus'."""
    assert httpx.get(f"{embedded}/-/ready", trust_env=False).status_code == 200
    assert ask(embedded, "status/buildinfo").json()["data"]["version"]


@pytest.mark.real("prometheus")
@pytest.mark.parametrize("place", ["data", "params"])
def test_queries_may_be_posted(real, embedded, place):
    """A posted query may stand in the form or in the address."""
    for url in (real, embedded):
        posted = httpx.post(f"{url}/api/v1/query", **{place: {"query": "up"}}, trust_env=False)

        assert posted.json()["data"]["result"][0]["value"][1] == "1"


def test_a_gone_target_is_stale(tmp_path):
    """When a target leaves the file its series have no value any more."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "targets.json"
    file.write_text(json.dumps([{"targets": [f"127.0.0.1:{server.server_port}"]}]))
    started = prometheus.start_embedded(file)
    try:
        wait_until(lambda: len(samples(started.url, "http_requests_total")) == 3, 60, "the first scrape")
        file.write_text("[]")

        wait_until(lambda: not samples(started.url, "http_requests_total"), 60, "staleness")
    finally:
        started.close()
        server.shutdown()
        server.server_close()
