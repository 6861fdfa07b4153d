"""Every query of the template finds something in a real Prometheus that holds series of its style.

The series of the reference server were recorded from the program (tests/contract/serving compares them), Slipway's
come from its own collector; MLServer's and the CloudWatch exporter's were written after their documentation.
"""

import json
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.analysis.queries import Role, queries
from bot.web.metrics import LEAD_TIMES, RowCollector

pytestmark = [pytest.mark.real("kubectl", "helm", "prometheus", "promtool"), pytest.mark.timeout(300)]

SERIES = Path(__file__).parent / "series"
HOURS = 7 * 3600
MODELS = ("fraud-detector", "demand-forecast", "product-ranking")


class Rows:
    """What Slipway's rows could hold."""

    def stages(self):
        stages = ("waiting", "open", "syncing", "watching", "held", "reverting", "passed", "reverted")
        return {("acme/models", "production", stage): 3.0 for stage in stages}

    def verdicts(self):
        return {("acme/models", "production", outcome): 2.0 for outcome in ("passed", "failed", "no_data")}

    def lead_times(self, bounds):
        return {
            ("acme/models", "production"): (
                [1.0, 2.0, 5.0, 9.0, 12.0, 12.0, 12.0, 12.0, 12.0][: len(bounds) + 1],
                90000.0,
            )
        }

    def retrainings(self):
        return {("acme/models", "production", "fraud-detector", "told"): 1.0}

    def drifts(self):
        return {("acme/models", "production", "fraud-detector"): 1.0}

    def backlog(self):
        return {("deliveries",): 4.0, ("requests",): 0.0, ("promotions",): 7.0}


@dataclass
class History:
    """Series as they would have been scraped: counters grow evenly, gauges stay."""

    now: float
    samples: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, text, *, age=HOURS, step=60.0, drop=(), **labels):
        """The series of a scrape, for the last `age` seconds; `labels` are those of the target."""
        # Dense at the end, where short windows look; sparse before.
        recent = [self.now - offset for offset in frange(min(age, 1200), step)]
        early = [self.now - offset for offset in frange(age, 600) if offset > 1200]
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                named = {key: value for key, value in sample.labels.items() if key not in drop} | labels
                inside = ",".join(f'{key}="{value}"' for key, value in sorted(named.items()))
                grows = family.type in {"counter", "histogram"}
                self.samples[f"{sample.name}{{{inside}}}"] = [
                    (at, sample.value * (at - self.now + age) / age if grows else sample.value)
                    for at in (*early, *recent)
                ]

    def openmetrics(self):
        lines = [
            f"{series} {value} {at:.3f}"
            for series in sorted(self.samples, key=lambda series: (series.partition("{")[0], series))
            for at, value in self.samples[series]
        ]
        return "\n".join([*lines, "# EOF", ""])


def frange(most, step):
    """most, …, 2·step, step, 0: how long ago."""
    return [index * step for index in range(int(most // step), -1, -1)]


def history(now):
    """Two versions of each model, the second one only just begun; a replica of each."""
    made = History(now)
    for version, age, step in (("1", HOURS, 60.0), ("2", 100, 20.0)):
        scrape = (SERIES / "model-server.txt").read_text()
        for model in MODELS:
            of = scrape.replace('model="fraud-detector"', f'model="{model}"').replace(
                'version="3"', f'version="{version}"'
            )
            made.add(of, age=age, step=step, namespace="production", service=model, pod=f"{model}-{version}")
        pod = f"churn-risk-{version}"
        place = {
            "namespace": "production",
            "service": "churn-risk-metrics",
            "pod": pod,
            "model_version": version,
        }
        made.add((SERIES / "mlserver.txt").read_text(), age=age, step=step, **place)
        endpoint = {"dimension_EndpointName": "price-estimate-production"}
        variant = {"dimension_VariantName": f"price-estimate-production-{version}"}
        made.add((SERIES / "sagemaker.txt").read_text(), age=age, step=step, **endpoint, **variant)
    registry = CollectorRegistry()
    registry.register(RowCollector(Rows()))
    memory = "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 2e8\n# TYPE up gauge\nup 1\n"
    for pod in ("slipway-1", "slipway-2"):
        made.add(generate_latest(registry).decode() + memory, namespace="slipway", service="slipway", pod=pod)
    return made


@contextmanager
def running(folder, rules):
    """A real Prometheus with the history and the template's recording rules; yields a function that asks it."""
    text, data, configuration = folder / "history.txt", folder / "data", folder / "prometheus.yml"
    text.write_text(history(time.time() - 1).openmetrics())
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": rules}))
    configuration.write_text(
        json.dumps({"global": {"evaluation_interval": "1s"}, "rule_files": ["rules.yml"]})
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={data}"]
    command += ["--storage.tsdb.retention.time=1y", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False)

    def ask(query):
        answer = client.get("/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", (query, answer)
        return answer["data"]["result"]

    # Two styles may record under one name, told apart by a label.
    wanted = {
        rule["record"] + "".join(f'{{{key}="{value}"}}' for key, value in rule.get("labels", {}).items())
        for group in rules
        for rule in group["rules"]
    }

    def ready():
        try:
            return client.get("/-/ready").is_success and all(ask(recorded) for recorded in wanted)
        except httpx.TransportError:
            return False

    try:
        deadline = time.monotonic() + 60
        while not ready():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "the recording rules found nothing"
            time.sleep(0.2)
        yield ask
    finally:
        client.close()
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def ask(rendered, tmp_path_factory):
    groups = [
        {**group, "interval": "1s"}
        for document in rendered["model-monitoring"]
        if document["kind"] == "PrometheusRule"
        for group in document["spec"]["groups"]
    ]
    with running(tmp_path_factory.mktemp("prometheus"), groups) as asking:
        yield asking


def test_recording_rules_find_every_style(ask):
    """Each model, however it is served, has its ratio of errors; it is a number between 0 and 1."""
    for window in ("5m", "30m", "1h", "6h"):
        errors = ask(f"model:errors:ratio_rate{window}")
        assert {one["metric"]["service"] for one in errors} == {*MODELS, "churn-risk-metrics"}
        errors += ask(f"endpoint:errors:ratio_over{window}")
        ratios = {tuple(one["metric"].values()): float(one["value"][1]) for one in errors}
        assert all(0 < ratio < 1 for ratio in ratios.values()), ratios


def test_a_model_without_an_error_has_the_ratio_zero(ask):
    """`or 0 *` stands in for the series that does not exist yet: an alert must not go blind."""
    query = '(sum(rate(http_requests_total{status="418"}[5m])) or 0 * sum(rate(http_requests_total[5m]))) / sum(rate(http_requests_total[5m]))'

    assert [one["value"][1] for one in ask(query)] == ["0"]


def test_every_rule_finds_its_series(ask, rendered):
    """An alert that does not fire looks like one that never can: each comparison is asked for its two answers."""
    asked = 0
    for name, documents in rendered.items():
        for document in documents:
            for group in document["spec"]["groups"] if document["kind"] == "PrometheusRule" else ():
                for rule in group["rules"]:
                    query = (
                        re.sub(r" ([<>]) ", r" \1 bool ", rule["expr"]) if "alert" in rule else rule["expr"]
                    )
                    assert ask(query), (name, query)
                    asked += 1
    assert asked > 40


def test_every_trigger_of_keda_finds_its_series(ask, rendered):
    """Request rate and latency: each answers with one number."""
    queries = [
        trigger["metadata"]["query"]
        for documents in rendered.values()
        for document in documents
        if document["kind"] == "ScaledObject"
        for trigger in document["spec"]["triggers"]
    ]

    assert len(queries) == 2
    for query in queries:
        (answer,) = ask(query)
        assert float(answer["value"][1]) > 0, query


def test_every_metric_of_an_autoscaler_is_served_by_the_adapter(ask, rendered, template):
    """What a HorizontalPodAutoscaler asks for is a rule of prometheus-adapter, and its query finds the series."""
    values = yaml.safe_load((template / "monitoring" / "prometheus-adapter.values.yaml").read_text())
    rules = {rule["name"]["as"]: rule for rule in values["rules"]["custom"]}
    asked = 0
    for documents in rendered.values():
        for document in documents:
            for metric in (
                document["spec"]["metrics"] if document["kind"] == "HorizontalPodAutoscaler" else ()
            ):
                kind = metric["type"].lower()
                rule = rules[metric[kind]["metric"]["name"]]
                resource = "pod" if kind == "pods" else metric["object"]["describedObject"]["kind"].lower()
                name = document["metadata"]["name"]
                matchers = f'namespace="{document["metadata"]["namespace"]}",{resource}=~"{name}.*"'
                query = rule["metricsQuery"].replace("<<.GroupBy>>", resource)
                query = query.replace("<<.Series>>", rule["seriesQuery"].partition("{")[0])
                assert ask(rule["seriesQuery"])
                assert ask(query.replace("<<.LabelMatchers>>", matchers)), query
                asked += 1
    assert asked == 2


def test_a_service_without_requests_has_latency_zero(ask):
    """0/0 is no number, and an autoscaler that gets none does not shrink the service."""
    nothing = 'rate(http_request_duration_highr_seconds_bucket{service="fraud-detector"}[5m]) * 0'
    latency = f"histogram_quantile(0.95, sum by (le, service) ({nothing}))"

    assert [one["value"][1] for one in ask(latency)] == ["NaN"]
    assert [one["value"][1] for one in ask(f"{latency} >= 0 or vector(0)")] == ["0"]


STANDS_FOR = {
    "$__rate_interval": "5m",
    "$__range": "3h",
    "${datasource}": "",
}
VARIABLES = {
    "model-service": {"namespace": "production", "service": "fraud-detector"},
    "model-mlserver": {"namespace": "production", "service": "churn-risk-metrics"},
    "model-sagemaker": {"endpoint": "price-estimate-production"},
    "slipway": {"namespace": "slipway"},
}


def filled(query, values):
    """A dashboard's query with its variables chosen."""
    for name, value in {**STANDS_FOR, **{f"${name}": value for name, value in values.items()}}.items():
        query = query.replace(name, value)
    assert "$" not in query, query
    # What a panel shows instead of nothing would hide that its series do not exist.
    return query.removesuffix(" or vector(0)")


@pytest.mark.parametrize("name", VARIABLES)
def test_no_panel_is_empty(ask, template, name):
    """Every query of every panel, every mark of a new version, every choice of a variable."""
    dashboard = json.loads((template / "monitoring" / "dashboards" / f"{name}.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            assert ask(filled(target["expr"], VARIABLES[name])), (panel["title"], target["expr"])
    for mark in dashboard["annotations"]["list"]:
        found = ask(filled(mark["expr"], VARIABLES[name]))
        assert len(found) == 1, mark["name"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            matched = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            values = {one["metric"].get(matched[2]) for one in ask(filled(matched[1], VARIABLES[name]))}
            assert VARIABLES[name][variable["name"]] in values


def test_every_query_of_slipway_yaml_finds_its_series(ask, config):
    """What a canary would read in production, for the version that runs and the one beside it."""
    for name, model in config.models.items():
        slo = model.environments["production"].slo
        names = {
            "model": name,
            "version": "2",
            "baseline": "1",
            "environment": "production",
            "namespace": "production",
        }
        for query in queries(slo, names, stretch=240):
            text = query.text
            if query.role is Role.BUCKET:
                bounds = {float(one["metric"]["le"]) for one in ask(text)}
                assert query.threshold in bounds, (name, query.threshold, bounds)
            assert ask(text), (name, text)


def test_lead_times_have_a_bucket_for_each_bound():
    """The stand-in for the rows above has as many counts as the collector has bounds."""
    assert len(Rows().lead_times(LEAD_TIMES)["acme/models", "production"][0]) == len(LEAD_TIMES) + 1
