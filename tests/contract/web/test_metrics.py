"""`/metrics` tells what the rows hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from bot.domain.promotion import Promotion, Stage
from bot.domain.retrain import Retraining
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


def test_new_versions_that_were_asked_for_are_counted(senders, store):
    """By model and place: who was told, who still waits to be, and what was given up."""
    store.create(_promotion(2))
    for model, told in (("fraud", None), ("churn", "gave up: no answer"), ("sales", "untold")):
        wanted = Retraining("acme/models", model, "production", "2", "p2", "drift", "drift of 0.4", {}, NOW)
        assert store.ask_retraining(wanted, NOW - timedelta(days=1))
        (row,) = [each for each in store.retrainings(9) if each.model == model]
        if told != "untold":
            store.told_retraining(row.id, NOW, told)

    text = senders.client.get("/metrics").text

    place = 'environment="production",model="{}",repository="acme/models",state="{}"'
    for model, state in (("fraud", "told"), ("churn", "given up"), ("sales", "waiting")):
        labels = place.format(model, state).split(",")
        lines = [line for line in text.splitlines() if all(label in line for label in labels)]
        assert [line.rpartition(" ")[2] for line in lines] == ["1.0"], (model, state)
