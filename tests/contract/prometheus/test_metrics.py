"""The Metrics port against the real servers: what a canary reads is what was scraped."""

import time

import pytest

from bot.adapters.prometheus import Connection, Prometheus
from bot.ports import Refused, Unavailable

# Old enough that no server holds it back, young enough for every retention.
T0 = float(int(time.time()) - 7200)


@pytest.fixture(scope="module")
def metrics(start):
    counter = [(T0 + 15 * k, 7.0 * k) for k in range(41)]
    many = [(T0 + 0.25 * k, float(k)) for k in range(12_500)]
    server = start(
        {
            'http_requests_total{app="m",status="2xx",instance="a"}': counter,
            'http_requests_total{app="m",status="5xx",instance="a"}': [(T0 + 300, 7.0), (T0 + 315, 9.0)],
            'http_requests_total{app="other",status="2xx",instance="a"}': counter,
            'vllm:e2e_request_latency_seconds_bucket{le="+Inf"}': counter,
            "many_samples": many,
            "zero": [(T0 + 15 * k, 0.0) for k in range(41)],
        }
    )
    return Prometheus(Connection(server.url))


def test_raw_samples_are_the_scraped_ones(metrics):
    """A raw read gives each sample after its start up to its end, and no other."""
    series = metrics.raw('http_requests_total{app="m",status="2xx"}', T0, T0 + 60)

    assert [s.samples for s in series] == [tuple((T0 + 15 * k, 7.0 * k) for k in range(1, 5))]
    assert series[0].labels["instance"] == "a"


def test_a_series_that_begins_late_keeps_its_first_value(metrics):
    """The first value of a new error series is there to be counted."""
    series = metrics.raw('http_requests_total{status="5xx"}', T0, T0 + 600)

    assert [s.samples for s in series] == [((T0 + 300, 7.0), (T0 + 315, 9.0))]


def test_reading_in_two_pieces_neither_loses_nor_doubles_a_sample(metrics):
    """Two ranges that meet give together what one range gives."""
    selector = 'http_requests_total{app="m",status="2xx"}'
    pieces = [metrics.raw(selector, T0, T0 + 300), metrics.raw(selector, T0 + 300, T0 + 600)]
    whole = metrics.raw(selector, T0, T0 + 600)

    assert sum((piece[0].samples for piece in pieces), ()) == whole[0].samples


def test_no_such_series_is_empty(metrics):
    """A selector that nothing matches is no error and no data."""
    assert metrics.raw("absent_metric", T0, T0 + 600) == []
    assert metrics.instant("absent_metric", T0 + 600) == []


def test_more_than_11000_points_are_read_in_one_piece(metrics):
    """The limit on points of a range query does not hold for raw reads."""
    series = metrics.raw("many_samples", T0, T0 + 3600)

    assert len(series[0].samples) == 12_499


def test_names_with_colons_are_read(metrics):
    """A metric named with a colon is a selector like any other."""
    assert len(metrics.raw('vllm:e2e_request_latency_seconds_bucket{le="+Inf"}', T0, T0 + 60)) == 1


def test_an_instant_query_gives_one_value_each_series(metrics):
    """PromQL is evaluated at the asked time."""
    series = metrics.instant("sum(increase(http_requests_total[10m])) by (app)", T0 + 600)

    assert sorted(s.labels["app"] for s in series) == ["m", "other"]
    assert metrics.instant("scalar(zero) + 3", T0 + 600)[0].samples[0][1] == 3.0


def test_zero_by_zero_is_not_a_number(metrics):
    """0/0 comes as NaN, or as nothing, but never as zero."""
    series = metrics.instant("zero / zero", T0 + 600)

    values = [s.samples[0][1] for s in series]
    assert all(value != value for value in values)  # noqa: PLR0124 - NaN is what differs from itself


@pytest.mark.parametrize("query", ["sum(", "http_requests_total{", "rate(http_requests_total)[", "sum by"])
def test_a_query_that_does_not_parse_is_refused(metrics, query):
    """The server's own sentence about a wrong query reaches the person."""
    with pytest.raises(Refused, match="HTTP 4"):
        metrics.instant(query, T0)


def test_a_server_that_is_away_is_unavailable():
    """A refused connection is not an answer."""
    with pytest.raises(Unavailable):
        Prometheus(Connection("http://127.0.0.1:9", connect_timeout=0.5)).raw("up", T0, T0 + 60)
