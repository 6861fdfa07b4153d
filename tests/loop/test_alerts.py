"""Alerts from outside: what fires, is named by the policy and is about the candidate fails it."""

from datetime import timedelta

import pytest

from bot.analysis.replay import replay
from bot.domain.live import Liveness, LiveState
from bot.domain.promotion import Stage
from bot.domain.verdict import Outcome
from bot.jobs.canary import recorded
from bot.ports import Unavailable
from bot.webhooks.alertmanager import Alert, AlertsChanged

POLICY = b"""\
canary:
  {bake: 60s, max_bake: 2m, interval: 5s, warm_up: 10s, min_requests: 20,
   alerts: [ModelErrorsHigh, {name: Restarts, labels: {namespace: "ml-{environment}"}}]}
"""


@pytest.fixture
def watched(world):
    """A world whose policy names alerts, and whose candidate is watched."""
    world.forge.commit("main", {"policies/quick.yaml": POLICY})
    world.resync.run()
    world.alias("2")
    world.say("ada", "/promote")
    world.later(5)
    assert world.newest().stage is Stage.WATCHING
    return world


def tell(world, name="ModelErrorsHigh", *, firing=True, began=1.0, **labels):
    """Alertmanager tells of one alert that began some seconds after the merge."""
    alert = Alert(
        name=name,
        firing=firing,
        labels={"alertname": name, **labels},
        starts_at=world.newest().merged_at + timedelta(seconds=began),
        fingerprint=name,
    )
    world.deliver("alertmanager", AlertsChanged(delivery=f"{name}{firing}{began}{labels}", alerts=(alert,)))


def failed(world) -> bool:
    """Whether the canary failed."""
    verdict = world.newest().verdict
    return verdict is not None and verdict.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "labels", [{}, {"model": "fraud"}, {"model": "fraud", "environment": "production", "version": "2"}]
)
def test_a_named_alert_about_the_candidate_fails_it_at_once(watched, labels):
    """Its name and its labels are in the verdict, and the pin is taken back."""
    tell(watched, **labels)

    assert failed(watched)
    assert "`ModelErrorsHigh`" in watched.newest().verdict.reason
    assert 'alertname="ModelErrorsHigh"' in watched.newest().verdict.notes[-1]
    watched.until(lambda: watched.newest().stage is Stage.REVERTED)
    assert watched.pinned() == "models:/fraud/1"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DiskFull", {}),
        ("ModelErrorsHigh", {"model": "churn"}),
        ("ModelErrorsHigh", {"environment": "staging"}),
        ("ModelErrorsHigh", {"version": "1"}),
        ("ModelErrorsHigh", {"namespace": "elsewhere"}),
        ("ModelErrorsHigh", {"firing": False}),
        ("ModelErrorsHigh", {"began": -1.0}),
        ("Restarts", {"namespace": "production"}),
        ("Restarts", {}),
    ],
)
def test_any_other_alert_changes_nothing(watched, name, said):
    """Not named, about something else, over already, or older than the merge."""
    tell(watched, name, **said)
    watched.until(lambda: watched.newest().stage is Stage.PASSED)


def test_a_label_that_the_policy_asks_for_takes_the_place_of_its_own_meaning(watched):
    """A namespace is not always called as its environment."""
    tell(watched, "Restarts", namespace="ml-production")
    assert failed(watched)


def test_what_was_resolved_does_not_fire_again_by_a_late_delivery(watched):
    """Deliveries may overtake each other."""
    tell(watched, firing=False)
    tell(watched)
    assert not failed(watched)


def test_an_alert_decides_while_the_metrics_server_is_away(watched):
    """It comes from elsewhere."""
    watched.traffic.fails = Unavailable("Prometheus", "no answer")
    tell(watched)
    assert failed(watched)


def test_a_verdict_by_an_alert_replays(watched):
    """The data are the same to the last digit, and the sentence says where the verdict came from."""
    watched.later(15)
    tell(watched)
    promotion = watched.newest()
    kept = watched.store.watched(promotion.id)
    again = replay(recorded(kept, watched.store.windows(promotion.id)), promotion.verdict)

    assert again.agrees, again.sentence
    assert "came from outside" in again.sentence


def test_a_hint_of_argo_cd_wakes_the_promotions_of_that_application_only(world):
    """And decides nothing."""
    world.cluster.answer = Liveness(LiveState.WAITING, "Syncing.")
    world.alias("2")
    world.say("ada", "/promote")
    assert world.newest().stage is Stage.SYNCING
    world.cluster.answer = Liveness(LiveState.LIVE, "Synced and healthy.")

    world.hint("elsewhere")
    assert world.newest().stage is Stage.SYNCING
    world.hint("fraud-production")
    assert world.newest().stage is Stage.WATCHING


def test_a_source_that_nobody_set_up_is_told_and_ends_as_source_down(world):
    """Its sentence is told, nothing crashes, nothing is reverted."""
    config = world.forge.read("slipway.yaml", world.forge.head())
    world.forge.commit(
        "main", {"slipway.yaml": config.replace(b"preset:", b"source: paris\n          preset:")}
    )
    world.resync.run()
    world.alias("2")
    world.say("ada", "/promote")
    world.until(lambda: world.newest().verdict is not None, step=60, limit=7200)

    verdict = world.newest().verdict
    assert verdict.outcome is Outcome.SOURCE_DOWN
    assert "`paris`" in verdict.reason
    assert world.pinned() == "models:/fraud/2"
