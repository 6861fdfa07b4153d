"""`/metrics` tells what the rows hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from bot.domain.promotion import Promotion, Stage
from bot.domain.verdict import Outcome, Verdict

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _promotion(number: int, **changes) -> Promotion:
    made = Promotion(
        id=f"p{number}",
        repository="acme/models",
        model="fraud",
        environment="production",
        candidate=str(number),
        baseline="1",
        stage=Stage.WAITING,
        requested_by="alias candidate",
        created_at=NOW,
        stage_since=NOW,
    )
    return replace(made, **changes)


def _verdict(outcome: Outcome, at: datetime) -> Verdict:
    return Verdict(outcome, "as told", (), NOW, at, "0" * 64)


def test_verdicts_and_lead_times_are_told(senders, store):
    """Canaries by their outcome, and how long it took from a version named to its canary passed."""
    for number, outcome, stage, took in (
        (2, Outcome.PASSED, Stage.PASSED, timedelta(minutes=10)),
        (3, Outcome.PASSED, Stage.PASSED, timedelta(hours=2)),
        (4, Outcome.FAILED, Stage.REVERTING, timedelta(minutes=3)),
    ):
        store.create(_promotion(number))
        loaded = store.load(f"p{number}")
        ended = replace(
            loaded.promotion, stage=stage, stage_since=NOW + took, verdict=_verdict(outcome, NOW + took)
        )
        assert store.save(loaded, ended, wake_at=None)

    told = {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(senders.client.get("/metrics").text)
        for sample in family.samples
    }

    assert told["slipway_verdicts", "production", "passed", "acme/models"] == 2
    assert told["slipway_verdicts", "production", "failed", "acme/models"] == 1
    assert told["slipway_lead_time_seconds_bucket", "production", "900", "acme/models"] == 1
    assert told["slipway_lead_time_seconds_bucket", "production", "+Inf", "acme/models"] == 2
    assert told["slipway_lead_time_seconds_sum", "production", "acme/models"] == 7800
