"""Whether a merge is live, as people are told it: by Argo CD, or by the candidate's own series without it."""

import pytest

from bot.domain.live import Liveness, LiveState
from bot.domain.promotion import Stage
from bot.domain.series import Series
from bot.ports import Forbidden, NotFound, Unavailable

WITHOUT = b"""\
version: 1
models:
  fraud:
    when: {alias: candidate}
    storage: "models:/{model}/{version}"
    environments:
      production:
        targets: [{file: prod.yaml, pointer: /uri}]
        policy: quick
        slo:
          preset: fastapi
          selector: 'version="{version}"'
          errors: {objective: 99%}
"""


class Appearing:
    """A metrics server on which the candidate's series appear when they do."""

    fails = None

    def __init__(self, both) -> None:
        self.both = both
        self.there = False

    def raw(self, selector, start, end):
        if self.fails is not None:
            raise self.fails
        if 'version="2"' in selector and not self.there:
            return []
        return self.both.raw(selector, start, end)

    def instant(self, query, at) -> list[Series]:
        return []


@pytest.fixture
def unaided(world):
    """A team without Argo CD access."""
    world.traffic = world.metrics = Appearing(world.traffic)
    world.restart()
    world.configure({"slipway.yaml": WITHOUT})
    return world


def promoted(world):
    world.alias("2")
    world.say("ada", "/promote")
    return world.newest()


def test_the_candidates_own_series_say_that_it_is_live(unaided):
    """The watch begins with them, not with the merge."""
    promotion = promoted(unaided)
    unaided.later(60)
    assert unaided.newest().stage is Stage.SYNCING
    assert "version 2 has no series yet (http_requests_total{" in unaided.newest().reason

    unaided.metrics.there = True
    unaided.until(lambda: unaided.newest().stage is Stage.WATCHING)
    unaided.until(lambda: unaided.newest().stage is Stage.PASSED)
    assert unaided.newest().live_at > promotion.merged_at


def test_series_that_never_come_end_in_a_hold(unaided):
    """Told with what was looked for; not a verdict, and no revert."""
    promoted(unaided)
    unaided.until(lambda: unaided.newest().stage is Stage.HELD, step=60, limit=1200)

    assert "Not live after 15 minutes: version 2 has no series yet" in unaided.newest().reason
    assert unaided.newest().verdict is None
    assert unaided.pinned() == "models:/fraud/2"


def test_metrics_that_are_away_hold_nobody(unaided):
    """The deadline waits for them."""
    unaided.alias("2")
    unaided.metrics.fails = Unavailable("Prometheus", "connection refused")
    unaided.say("ada", "/promote")
    for _ in range(20):
        unaided.later(60)
    assert unaided.newest().stage is Stage.SYNCING
    assert "the metrics cannot be asked: connection refused" in unaided.newest().reason


@pytest.mark.parametrize("state", [LiveState.FAILED, LiveState.SYNCING])
def test_a_failed_or_stuck_sync_is_told_and_ends_in_a_hold(world, state):
    """In the pull request, with the reason that Argo CD gives; nothing is judged and nothing reverted."""
    world.cluster.answer = Liveness(state, "SyncError: one or more objects failed to apply: quota exceeded")
    promotion = promoted(world)
    world.later(10)
    assert "quota exceeded" in world.status(promotion.pull)
    assert world.newest().stage is Stage.SYNCING

    world.until(lambda: world.newest().stage is Stage.HELD, step=60, limit=1200)
    shown = world.status(promotion.pull)
    assert (
        "Not live after 15 minutes: SyncError: one or more objects failed to apply: quota exceeded" in shown
    )
    assert world.newest().verdict is None
    assert world.pinned() == "models:/fraud/2"
    assert world.store.holds("octo/gitops", "fraud", "production")[0].owner == "slipway"


@pytest.mark.parametrize(
    "no",
    [
        NotFound("Argo CD", "there is no Application fraud-production: check `argocd` in slipway.yaml"),
        Forbidden("Argo CD", "the token is not accepted: check SLIPWAY_ARGOCD_TOKEN"),
    ],
    ids=["no application", "no right"],
)
def test_an_application_that_cannot_be_read_ends_in_a_hold(world, no):
    """It may come by itself (an app of apps, a new token), so it has the same time; then a person hears of it."""
    world.cluster.fails = no
    promotion = promoted(world)
    assert no.message in world.status(promotion.pull)
    assert world.newest().stage is Stage.SYNCING

    world.until(lambda: world.newest().stage is Stage.HELD, step=60, limit=1200)
    assert f"Not live after 15 minutes: Argo CD cannot be asked: {no.message}" in world.status(promotion.pull)
    assert world.newest().verdict is None
    assert world.pinned() == "models:/fraud/2"


def test_metrics_that_refuse_end_in_a_hold(unaided):
    """A right that is missing is not waited for without end."""
    unaided.alias("2")
    unaided.metrics.fails = Forbidden("Prometheus", "the token is not accepted")
    unaided.say("ada", "/promote")
    unaided.until(lambda: unaided.newest().stage is Stage.HELD, step=60, limit=1200)

    assert "the metrics cannot be asked: the token is not accepted" in unaided.newest().reason


def test_a_manual_sync_is_waited_for_without_end(world):
    """Somebody must act first; the deadline waits with them, and the pull request says so."""
    world.cluster.answer = Liveness(LiveState.WAITING, "automatic sync is off: waiting for a manual sync")
    promotion = promoted(world)
    world.until(lambda: world.clock.offset.total_seconds() > 3600, step=300, limit=5000)
    assert world.newest().stage is Stage.SYNCING
    assert "waiting for a manual sync" in world.status(promotion.pull)

    world.cluster.answer = Liveness(LiveState.LIVE, "live")
    world.hint("fraud-production")
    assert world.newest().stage is Stage.WATCHING
