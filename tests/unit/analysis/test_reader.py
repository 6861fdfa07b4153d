"""Answers become windows: one each look, several after a pause, none lost."""

import json
import math

import pytest

from bot.analysis.reader import CanaryReader, Span, history_reader
from bot.analysis.windows import NOTHING, Count
from bot.domain.series import Histogram, Series
from bot.domain.slo import Slo

TOTAL, BAD = "http_requests_total", 'http_requests_total{status=~"5.."}'
SLO = Slo.model_validate({"errors": {"objective": "99%", "total": TOTAL, "bad": BAD}})
OK, ERROR = {"instance": "a", "status": "2xx"}, {"instance": "a", "status": "5xx"}
BUCKET = "http_request_duration_highr_seconds_bucket"


def reader(slo=SLO, since=1000.0, interval=15.0, **more):
    return CanaryReader(slo, {}, Span(since, interval), **more)


def growth(labels, each, times):
    return Series(labels, tuple((at, each * k) for k, at in enumerate(times)))


def errors(windows):
    return sum((window.candidate.get("errors", NOTHING) for window in windows), NOTHING)


def test_the_first_look_reads_back_for_references():
    """What counted before the start is known, so that only growth counts."""
    asks = reader().asks(1015.0)

    assert [(ask.text, ask.raw, ask.start, ask.end) for ask in asks] == [
        (TOTAL, True, 700.0, 1015.0),
        (BAD, True, 700.0, 1015.0),
    ]


def test_one_look_is_one_window():
    """A look after the usual interval gives one window that ends now."""
    times = [985.0, 1000.0, 1015.0]
    windows = reader().ingest({TOTAL: [growth(OK, 20, times)], BAD: []}, 1015.0)

    assert [(w.at, w.seconds, w.candidate) for w in windows] == [(1015.0, 15.0, {"errors": Count(20, 0)})]


def test_after_a_pause_the_windows_are_as_they_would_have_been():
    """A restart of five minutes gives twenty windows, each with its own requests."""
    times = [985.0 + 15 * k for k in range(22)]
    windows = reader().ingest({TOTAL: [growth(OK, 20, times)], BAD: []}, 1300.0)

    assert [w.at for w in windows] == [1000.0 + 15 * k for k in range(1, 21)]
    assert {w.candidate["errors"] for w in windows} == {Count(20, 0)}


def test_samples_that_arrive_late_are_counted_once():
    """What was scraped before the last look and arrived after it is counted at the next one."""
    first, second = (growth(OK, 20, [985.0, 1000.0]), growth(OK, 20, [985.0, 1000.0, 1012.0, 1027.0]))
    r = reader()
    windows = r.ingest({TOTAL: [first], BAD: []}, 1015.0)
    windows += r.ingest({TOTAL: [second], BAD: []}, 1030.0)
    windows += r.ingest({TOTAL: [second], BAD: []}, 1045.0)

    assert errors(windows) == Count(40, 0)


def test_a_bad_request_seen_before_its_request_is_owed():
    """Two selectors are read one after the other: nothing is dropped between them."""
    r = reader()
    old = growth(OK, 0, [985.0, 1000.0])
    windows = r.ingest({TOTAL: [old], BAD: [growth(ERROR, 5, [985.0, 1012.0])]}, 1015.0)
    assert errors(windows) == Count(0, 0)
    windows = r.ingest({TOTAL: [growth(OK, 20, [985.0, 1027.0])], BAD: []}, 1030.0)

    assert errors(windows) == Count(20, 5)


def test_no_series_is_no_count():
    """Missing is not zero."""
    assert reader().ingest({TOTAL: [], BAD: []}, 1015.0)[0].candidate == {}


def test_series_without_growth_are_zero():
    """A service without traffic is there, and idle."""
    windows = reader().ingest({TOTAL: [growth(OK, 0, [985.0, 1000.0, 1015.0])], BAD: []}, 1015.0)

    assert windows[0].candidate == {"errors": Count(0, 0)}


def test_state_through_json_goes_on_exactly():
    """A restart between two looks changes no window."""
    answers = [
        {TOTAL: [growth(OK, 20, [985.0 + 15 * k for k in range(n + 2)])], BAD: [growth(ERROR, 1, [1010.0])]}
        for n in range(1, 5)
    ]
    straight, resumed = reader(born_after=990.0), reader(born_after=990.0)
    for n, answer in enumerate(answers, 1):
        again = reader(born_after=990.0)
        again.restore(json.loads(json.dumps(resumed.state())))
        resumed = again

        assert straight.ingest(answer, 1000.0 + 15 * n) == resumed.ingest(answer, 1000.0 + 15 * n)


def latency(threshold):
    slo = Slo.model_validate({"preset": "fastapi", "latency": {"threshold": threshold, "objective": "95%"}})
    r = reader(slo)
    times = [985.0, 1000.0, 1015.0]
    buckets = [
        growth({"instance": "a", "le": le}, n, times) for le, n in (("0.1", 10), ("0.5", 90), ("+Inf", 100))
    ]
    return r, r.ingest({BUCKET: buckets}, 1015.0)


def test_latency_counts_what_was_slower_than_the_bound():
    """All requests less those in the bucket of the threshold are slow."""
    r, windows = latency("500ms")

    assert windows[0].candidate == {"latency": Count(100, 10)}
    assert r.notes == []


def test_a_threshold_between_bounds_takes_the_next_and_says_so():
    """The kinder bound is used, and the person is told."""
    r, windows = latency("300ms")

    assert windows[0].candidate == {"latency": Count(100, 10)}
    assert r.notes == ["latency: 0.3 is no bucket bound; the next one, 0.5, is used"]


def test_a_threshold_above_all_bounds_is_no_data():
    """Where slow requests cannot be told apart none is called slow."""
    r, windows = latency("2s")

    assert windows[0].candidate == {}
    assert r.notes == ["latency: 2 is above the largest bucket bound, 0.5: slow requests cannot be told"]


NATIVE = Slo.model_validate(
    {"latency": {"threshold": "300ms", "objective": "95%", "histogram": "h", "native": True}}
)
FINE = ((0.21, 0.25, 80.0), (0.25, 0.2973, 8.0), (0.2973, 0.3536, 4.0), (0.42, 0.5, 8.0))
COARSE = ((0.125, 0.25, 80.0), (0.25, 0.5, 20.0))


def native(rows):
    """Samples of a native histogram, a hundred more requests at each."""
    return Series(
        {"instance": "a"},
        (),
        tuple(
            (at, Histogram(100.0 * k, tuple((low, high, count * k) for low, high, count in buckets)))
            for k, (at, buckets) in enumerate(rows, 1)
        ),
    )


def test_a_native_histogram_is_counted_as_a_classic_one():
    """What lies in the threshold's bucket is fast, and the person is told which bound stands for it."""
    r = reader(NATIVE)
    windows = r.ingest({"h": [native([(985.0, FINE), (1000.0, FINE), (1015.0, FINE)])]}, 1015.0)

    assert windows[0].candidate == {"latency": Count(100, 8)}
    assert r.notes == ["latency: 0.3 is no bucket bound; the next one, 0.3536, is used"]


def test_a_native_histogram_that_halves_its_resolution_invents_nothing():
    """From then on the coarser bound holds, and what was counted before stays where it was."""
    rows = [(985.0, FINE), (1000.0, FINE), (1015.0, FINE), (1030.0, COARSE), (1045.0, COARSE)]
    r = reader(NATIVE)
    windows = []
    for looked in range(3, 6):
        again = reader(NATIVE)
        again.restore(json.loads(json.dumps(r.state())))
        r = again
        windows += r.ingest({"h": [native(rows[:looked])]}, 970.0 + 15 * looked)

    assert [window.candidate["latency"] for window in windows] == [
        Count(100, 8),
        Count(100, 0),
        Count(100, 0),
    ]
    assert r.notes[-1] == "latency: 0.3 is no bucket bound; the next one, 0.5, is used"


def test_a_native_histogram_whose_last_bucket_holds_the_threshold_is_no_data():
    """Custom buckets may end below it: then no request is known to be slow."""
    r = reader(NATIVE)
    windows = r.ingest({"h": [native([(985.0, ((0.1, 0.2, 60.0), (0.2, math.inf, 40.0)))])]}, 1015.0)

    assert windows[0].candidate == {}
    assert r.notes == ["latency: 0.3 is above the largest bucket bound: slow requests cannot be told"]
    assert json.dumps(r.state(), allow_nan=False)


def test_a_native_threshold_that_is_a_bound_is_exact():
    """A power of two is a bound at every resolution."""
    slo = Slo.model_validate(
        {"latency": {"threshold": "250ms", "objective": "95%", "histogram": "h", "native": True}}
    )
    r = reader(slo)
    windows = r.ingest({"h": [native([(985.0, FINE), (1000.0, FINE), (1015.0, COARSE)])]}, 1015.0)

    assert windows[0].candidate == {"latency": Count(100, 20)}
    assert r.notes == []


def test_ranges_of_victoriametrics_are_counted_like_buckets():
    """They are not cumulative; the one that the threshold lies in is fast."""
    times = [985.0, 1000.0, 1015.0]
    ranges = {"2.154e-01...2.448e-01": 70, "2.783e-01...3.162e-01": 20, "8.799e-01...1.000e+00": 10}
    r = reader(Slo.model_validate({"latency": {"threshold": "300ms", "objective": "95%", "histogram": "h"}}))
    answer = [growth({"instance": "a", "vmrange": span}, n, times) for span, n in ranges.items()]
    windows = r.ingest({"h_bucket": answer}, 1015.0)

    assert windows[0].candidate == {"latency": Count(100, 10)}
    assert r.notes == ["latency: 0.3 is no bucket bound; the next one, 0.3162, is used"]


def test_series_that_are_no_buckets_are_no_data():
    """A selector that names something else is told, and nobody is judged by it."""
    r = reader(Slo.model_validate({"latency": {"threshold": "300ms", "objective": "95%", "histogram": "h"}}))
    windows = r.ingest({"h_bucket": [growth({"instance": "a"}, 9, [985.0, 1000.0, 1015.0])]}, 1015.0)

    assert windows[0].candidate == {}
    assert r.notes == ["latency: these series have no `le` label, so they are no histogram's buckets"]


GAUGES = Slo.model_validate({"gauges": {"drift": {"query": "drift", "above": 0.3, "for": "1m"}}})


@pytest.mark.parametrize(
    ("answer", "value", "note"),
    [
        ([Series({}, ((1015.0, 0.2),))], 0.2, None),
        ([], None, None),
        ([Series({}, ((1015.0, math.nan),))], None, "drift: the query gave nan; it counts as no value"),
        (
            [Series({"pod": "a"}, ((1015.0, 9.0),)), Series({"pod": "b"}, ((1015.0, 0.1),))],
            None,
            "drift: 2 series where one was expected; it counts as no value",
        ),
    ],
)
def test_a_gauge_has_one_value_or_none(answer, value, note):
    """NaN and several series are no value, and each has its sentence."""
    r = reader(GAUGES)
    windows = r.ingest({"drift": answer}, 1015.0)

    assert windows[0].gauges.get("drift") == value
    assert r.notes == ([note] if note else [])


def test_counting_promql_is_asked_once_a_stretch():
    """Stretches meet: no request is counted twice."""
    slo = Slo.model_validate({"ratios": {"r": {"total": "sum(a)", "bad": "sum(b)", "objective": "9%"}}})
    r = reader(slo)
    asked = [len(r.asks(now)) for now in (1015.0, 1030.0, 1045.0, 1060.0) if r.ingest({}, now) or True]
    assert asked == [0, 0, 0, 0]
    r = reader(slo)
    r.ingest({}, 1045.0)
    assert [ask.raw for ask in r.asks(1060.0)] == [False, False]
    answer = {"sum(a)": [Series({}, ((1060.0, 50.0),))], "sum(b)": [Series({}, ((1060.0, 2.0),))]}

    assert r.ingest(answer, 1060.0)[0].candidate == {"r": Count(50, 2)}
    assert r.asks(1075.0) == []


def test_the_baselines_past_is_read_by_its_own_version():
    """History asks for the baseline where the candidate's version would stand."""
    versioned = {"objective": "99%", "total": 'all{version="{version}"}', "bad": 'bad{version="{version}"}'}
    slo = Slo.model_validate({"errors": versioned})
    past = history_reader(slo, {"version": "7", "baseline": "6"}, until=5000.0, length=3600.0, interval=15.0)
    asks = past.asks(5000.0)

    assert (asks[0].text, asks[0].start, asks[0].end) == ('all{version="6"}', 1100.0, 5000.0)
    assert len(past.ingest({ask.text: [] for ask in asks}, 5000.0)) == 240
