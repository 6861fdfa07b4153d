"""Bad input has its sentence and its outcome, and the outcome is never `failed`.

Each case is watched from the merge to its verdict by the same code as in production, on the series of a real
server where the server can hold them.
"""

import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from bot.adapters.prometheus import Connection, Prometheus
from bot.domain.policy import CanaryPolicy, Policy
from bot.domain.promotion import Stage
from bot.domain.series import Series
from bot.domain.slo import Slo
from bot.domain.verdict import Outcome
from bot.jobs.canary import CanaryLook
from tests.fakes import samples

MERGED = float(int(time.time()) - 7000)
SCRAPE = 15.0
BEGAN = datetime.fromtimestamp(MERGED, UTC)
POLICY = Policy(
    name="quick",
    canary=CanaryPolicy(
        bake=timedelta(minutes=3),
        max_bake=timedelta(minutes=5),
        interval=timedelta(seconds=SCRAPE),
        warm_up=timedelta(seconds=30),
        min_requests=50,
    ),
)


@dataclass
class Kept:
    """The part of the store that a look asks."""

    state: dict | None = None

    def watched(self, promotion):
        return self.state

    def firing(self, since):
        return ()


def judged(metrics, slo, latest=7000.0):
    """Look after look until there is a verdict; a long silence is stepped over."""
    kept = Kept()
    look = CanaryLook(SimpleNamespace(store=kept, metrics={"default": metrics}))
    promotion = samples.promotion(stage=Stage.WATCHING, live_at=BEGAN, merged_at=BEGAN, stage_since=BEGAN)
    passed = 0.0
    while passed < latest:
        passed += SCRAPE if passed < 600 else 600.0
        seen = look.look(promotion, Slo.model_validate(slo), POLICY, BEGAN + timedelta(seconds=passed))
        kept.state = seen.watched.state
        if seen.verdict is not None:
            return seen.verdict
    raise AssertionError("no verdict")


def steady(each, odd=None):
    """A counter that grows evenly, but for the odd sample."""
    rows = [(MERGED + SCRAPE * k, each * (k + 20)) for k in range(-20, 41)]
    return [(at, (odd or {}).get(k, value)) for k, (at, value) in enumerate(rows, -20)]


def errors(app):
    return {"objective": "99%", "total": f'all_total{{app="{app}"}}', "bad": f'bad_total{{app="{app}"}}'}


def latency(app, threshold="300ms"):
    return {"threshold": threshold, "objective": "95%", "histogram": f'h{{app="{app}"}}'}


def gauge(query):
    return {"gauges": {"drift": {"query": query, "above": 0.3, "for": "1m", "on_breach": "fail"}}}


def counters(app, odd=None, bad=0.0):
    return {
        f'all_total{{app="{app}",instance="a"}}': steady(300.0, odd),
        f'bad_total{{app="{app}",instance="a"}}': steady(bad),
    }


def buckets(app, **each):
    names = {"fast": "0.1", "bound": "0.5", "every": "+Inf"}
    return {
        f'h_bucket{{app="{app}",instance="a",le="{names[name]}"}}': steady(count)
        for name, count in each.items()
    }


NOT_A_COUNT = "errors: a counter was {}: that sample was left out"
NO_VALUE = "drift: the query gave {}; it counts as no value"


@dataclass(frozen=True)
class Case:
    series: dict = field(default_factory=dict)
    slo: dict = field(default_factory=dict)
    outcome: Outcome = Outcome.PASSED
    sentence: str = ""
    only: str = ""
    """The one server that can hold or say this."""


CASES = {
    "NaN": Case(
        counters("nan", {5: math.nan, 6: math.nan}),
        {"errors": errors("nan")},
        sentence=NOT_A_COUNT.format("nan"),
        only="prometheus",
    ),
    "infinity": Case(
        counters("inf", {5: math.inf}), {"errors": errors("inf")}, sentence=NOT_A_COUNT.format("inf")
    ),
    "minus infinity": Case(
        counters("minf", {5: -math.inf}), {"errors": errors("minf")}, sentence=NOT_A_COUNT.format("-inf")
    ),
    "a negative count": Case(
        counters("neg", {5: -40.0}), {"errors": errors("neg")}, sentence=NOT_A_COUNT.format("negative")
    ),
    "a negative step": Case(
        counters("step", {k: 300.0 * (k - 5) for k in range(5, 41)}),
        {"errors": errors("step")},
        sentence="errors: a counter fell, as one does that starts again: it counts from zero",
    ),
    "an empty result": Case({}, {"errors": errors("nowhere")}, Outcome.NO_DATA, "No request reached the candidate: errors: no such series."),
    "an empty gauge": Case({}, gauge("nowhere"), Outcome.NO_DATA, "Drift had no value."),
    "several series of a gauge": Case(
        {f'drift{{app="two",instance="{pod}"}}': steady(0.9) for pod in "ab"},
        gauge('drift{app="two"}'),
        Outcome.NO_DATA,
        "drift: 2 series where one was expected; it counts as no value",
    ),
    "several series of a ratio": Case(
        {f'all_total{{app="many",instance="{pod}"}}': steady(300.0) for pod in "ab"},
        {
            "ratios": {
                "abstained": {
                    "total": 'increase(all_total{app="many"}[{window}])',
                    "bad": 'increase(all_total{app="many"}[{window}])',
                    "objective": "99%",
                }
            }
        },
        Outcome.NO_DATA,
        "abstained: 2 series where one was expected; it counts as no value",
    ),
    "a gauge of NaN": Case(
        counters("zero"),
        gauge('sum(bad_total{app="zero"}) / sum(bad_total{app="zero"})'),
        Outcome.NO_DATA,
        NO_VALUE.format("nan"),
        only="prometheus",
    ),
    "a gauge of infinity": Case(
        counters("one", bad=0.0),
        gauge('sum(all_total{app="one"}) / sum(bad_total{app="one"})'),
        Outcome.NO_DATA,
        NO_VALUE.format("inf"),
    ),
    "more than 11,000 points": Case(
        {
            'all_total{app="dense",instance="a"}': [(MERGED + 0.02 * k, 0.2 * k) for k in range(30_000)],
            'bad_total{app="dense",instance="a"}': steady(0.0),
        },
        {"errors": errors("dense")},
        sentence="",
    ),
    "a threshold that is no bound": Case(
        buckets("between", fast=200.0, bound=300.0, every=300.0),
        {"latency": latency("between")},
        sentence="latency: 0.3 is no bucket bound; the next one, 0.5, is used",
    ),
    "a threshold above every bound": Case(
        buckets("above", fast=200.0, bound=300.0, every=300.0),
        {"latency": latency("above", "2s")},
        Outcome.NO_DATA,
        "latency: 2 is above the largest bucket bound, 0.5: slow requests cannot be told",
    ),
    "a histogram without its last bucket": Case(
        buckets("open", fast=200.0, bound=300.0),
        {"latency": latency("open")},
        Outcome.NO_DATA,
        "latency: the histogram has no +Inf bucket, so that requests cannot be counted",
    ),
    "a gauge that does not parse": Case(
        {}, gauge("max(drift"), Outcome.NO_DATA, "Drift had no value. The metrics server refuses `max(drift`: HTTP 4"
    ),
    "a selector that does not parse": Case(
        {},
        {"errors": {"objective": "99%", "total": 'all_total{app=~"("}', "bad": "bad_total"}},
        Outcome.NO_DATA,
        'no such series. The metrics server refuses `all_total{app=~"("}`: HTTP 4',
    ),
    "one wrong query among others": Case(
        counters("right"),
        {
            "errors": errors("right"),
            "gauges": {"drift": {"query": "max(drift", "above": 0.3, "for": "1m", "on_breach": "warn"}},
        },
        sentence="the metrics server refuses `max(drift`: HTTP 4",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(start):
    cases = {name: rows for case in CASES.values() for name, rows in case.series.items()}
    broken = [(at, max(0.0, value - 90.0 * 20)) for at, value in steady(90.0)]
    return start({**cases, **counters("broken"), 'bad_total{app="broken",instance="a"}': broken})


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_told_and_fails_nobody(server, name):
    """The sentence reaches the verdict's reason or its notes."""
    case = CASES[name]
    verdict = judged(Prometheus(Connection(server.url)), case.slo)

    assert verdict.outcome is case.outcome
    if case.only in ("", server.kind):
        assert case.sentence in "\n".join((verdict.reason, *verdict.notes))


@pytest.mark.real("prometheus", "promtool")
def test_a_server_that_will_not_load_so_much_is_told(limited):
    """A limit on samples is a refusal with the server's own words."""
    verdict = judged(Prometheus(Connection(limited.url)), CASES["more than 11,000 points"].slo)

    assert verdict.outcome is Outcome.NO_DATA
    assert "too many samples" in verdict.reason


def test_a_wrong_query_keeps_no_other_from_failing(server):
    """A typo in a gauge is no way past the error rate."""
    slo = {"errors": errors("broken"), **gauge("max(drift")}
    verdict = judged(Prometheus(Connection(server.url)), slo)

    assert verdict.outcome is Outcome.FAILED
    assert any("refuses `max(drift`" in note for note in verdict.notes)


@pytest.fixture
def limited(start_prometheus):
    return start_prometheus(CASES["more than 11,000 points"].series, "--query.max-samples=10")


@dataclass
class Twice:
    """A server that holds two samples at each moment, as a doubled scrape without deduplication leaves them."""

    def raw(self, selector, start, end):
        each = 0.0 if "bad" in selector else 300.0
        rows = [
            (at, value + more) for at, value in steady(each) if start < at <= end for more in (0.0, each / 2)
        ]
        return [Series({"instance": "a"}, tuple(rows))]


def test_duplicate_timestamps_are_told_and_counted_once():
    """Of two samples at one moment the first one counts."""
    verdict = judged(Twice(), {"errors": errors("twice")})

    assert verdict.outcome is Outcome.PASSED
    assert "errors: two samples at the same moment: the first one counts" in verdict.notes
    assert verdict.slos[0].total == 12 * 300
