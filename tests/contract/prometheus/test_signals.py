"""Model signals in PromQL, on real servers: ratios that the server counts, and gauges with a limit."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from bot.adapters.prometheus import Connection, Prometheus
from bot.domain.policy import CanaryPolicy, Policy
from bot.domain.promotion import Stage
from bot.domain.slo import Slo
from bot.domain.verdict import Outcome
from bot.jobs.canary import CanaryLook
from tests.fakes import samples

MERGED = float(int(time.time()) - 5000)
BEGAN = datetime.fromtimestamp(MERGED, UTC)
SCRAPE = 15.0
POLICY = Policy(
    name="quick",
    canary=CanaryPolicy(
        bake=timedelta(minutes=10),
        max_bake=timedelta(minutes=20),
        interval=timedelta(seconds=SCRAPE),
        warm_up=timedelta(seconds=30),
        min_requests=50,
    ),
)


def counter(before, after):
    """Grows by `before` a scrape until the merge, by `after` from then on."""
    rows, value = [], 0.0
    for k in range(-260, 100):
        value += before if k <= 0 else after
        rows.append((MERGED + SCRAPE * k, value))
    return rows


@pytest.fixture(scope="module")
def metrics(start):
    drift = [(MERGED + SCRAPE * k, 0.1 if k < 8 else 0.42) for k in range(-260, 100)]
    labels = 'model="fraud",instance="a"'
    return Prometheus(
        Connection(
            start(
                {
                    f"predictions_total{{{labels}}}": counter(300.0, 300.0),
                    f"abstained_total{{{labels}}}": counter(3.0, 60.0),
                    f"unsure_total{{{labels}}}": counter(3.0, 3.0),
                    f"cost_dollars_total{{{labels}}}": counter(0.6, 1.5),
                    f"prediction_drift{{{labels}}}": drift,
                }
            ).url
        )
    )


def judged(metrics, slo):
    kept = SimpleNamespace(state=None)
    store = SimpleNamespace(watched=lambda _: kept.state, firing=lambda _: ())
    look = CanaryLook(SimpleNamespace(store=store, metrics={"default": metrics}))
    promotion = samples.promotion(
        model="fraud", stage=Stage.WATCHING, live_at=BEGAN, merged_at=BEGAN, stage_since=BEGAN
    )
    for k in range(1, 90):
        seen = look.look(promotion, Slo.model_validate(slo), POLICY, BEGAN + timedelta(seconds=SCRAPE * k))
        kept.state = seen.watched.state
        if seen.verdict is not None:
            return seen.verdict
    raise AssertionError("no verdict")


def ratio(bad):
    return {
        "ratios": {
            "abstained": {
                "total": 'sum(increase(predictions_total{model="{model}"}[{window}]))',
                "bad": f'sum(increase({bad}_total{{model="{{model}}"}}[{{window}}]))',
                "objective": "95%",
            }
        }
    }


def gauge(query, above, on_breach):
    return {"gauges": {"signal": {"query": query, "above": above, "for": "2m", "on_breach": on_breach}}}


COST = (
    'sum(rate(cost_dollars_total{model="{model}"}[2m])) / sum(rate(predictions_total{model="{model}"}[2m]))'
)
DRIFT = 'max(prediction_drift{model="{model}"})'


@pytest.mark.parametrize(
    ("slo", "outcome", "reason"),
    [
        (ratio("abstained"), Outcome.FAILED, "Abstained: 20% of "),
        (ratio("unsure"), Outcome.PASSED, "Abstained: 1% of "),
        (gauge(COST, 0.004, "fail"), Outcome.FAILED, "Signal was 0.005, beyond its limit"),
        (gauge(COST, 0.01, "fail"), Outcome.PASSED, "Signal is 0.005, within its limit"),
        (gauge(DRIFT, 0.3, "fail"), Outcome.FAILED, "Signal was 0.42, beyond its limit"),
        (gauge(DRIFT, 0.3, "warn"), Outcome.PASSED, "Nothing that was watched may fail a candidate."),
    ],
    ids=["abstains", "sure", "costs more", "costs enough", "drifts", "drifts, warned of"],
)
def test_a_model_signal_decides_as_its_file_says(metrics, slo, outcome, reason):
    """PromQL that counts is a ratio like any other; a gauge must stay beyond its limit for long enough."""
    verdict = judged(metrics, slo)

    assert verdict.outcome is outcome
    assert verdict.reason.startswith(reason)
    assert verdict.slos[0].warns is ("'warn'" in str(slo))
