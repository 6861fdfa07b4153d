"""Whoever asked to be told is told at least once, later where it must be, and never in the way."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.adapters import shipped
from bot.adapters.database.figures import Figures
from bot.domain.promotion import Stage
from bot.jobs.configuration import Configurations
from bot.jobs.notify import TRIES, Notifications
from bot.ports import OutsideError, Refused, Unavailable

ASKED = b"notifications:\n  chat: [opened, approval, merged, passed, held, reverting, reverted]\n  pager: [held]\n"


@dataclass
class Receivers:
    """Remembers what each target was told; fails as told."""

    targets: frozenset[str] = frozenset({"chat", "pager"})
    fails: OutsideError | None = None
    dies: bool = False
    got: list[tuple] = field(default_factory=list)

    def send(self, target, notice):
        if self.fails is not None:
            raise self.fails
        self.got.append((target, notice))
        if self.dies:
            raise KeyboardInterrupt

    def news(self, target):
        return [str(each) for told, notice in self.got if told == target for each in notice.happenings]


@pytest.fixture
def receivers(world):
    made = Receivers()
    config = world.forge.read("slipway.yaml", "main")
    world.configure({"slipway.yaml": config + ASKED})
    outside = replace(world.receiver._outside, notifier=made)
    world.notifications = Notifications(outside, Configurations(outside, shipped.policies()))
    return made


def promote(world):
    world.alias("2")
    world.say("ada", "/promote")
    world.until(lambda: world.newest().stage is Stage.PASSED)


def test_each_asks_for_its_own_and_is_told_once(world, receivers):
    """From the pull request to the canary, with the person and the reason."""
    promote(world)
    for _ in range(3):
        world.notifications.run()

    assert receivers.news("chat") == ["opened", "merged", "passed"]
    assert receivers.news("pager") == []
    merged = receivers.got[1][1]
    assert (merged.model, merged.version, merged.baseline, merged.actor) == ("fraud", "2", "1", "ada")
    assert merged.url == f"https://github.test/octo/gitops/pull/{world.newest().pull}"


def test_a_bump_that_waits_for_approval_says_so(world, receivers):
    """Where the policy wants somebody to look."""
    world.configure({"policies/quick.yaml": b"approvals: {count: 1}\n"})
    world.alias("2")
    world.notifications.run()

    assert receivers.news("chat") == ["opened", "approval"]


def test_a_failed_canary_is_told_with_its_revert(world, receivers):
    """Both words, and why."""
    world.alias("3")
    world.say("ada", "/promote")
    world.traffic.turn_bad(0.3)
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    world.notifications.run()

    assert receivers.news("chat") == ["opened", "merged", "reverting", "reverted"]
    assert "errors" in receivers.got[2][1].reason or "requests" in receivers.got[2][1].reason


def test_a_receiver_that_is_away_delays_no_promotion_and_is_told_later(world, receivers):
    """With longer and longer waits, and the same id each time."""
    receivers.fails = Unavailable("chat", "connection refused")
    promote(world)
    world.notifications.run()
    world.notifications.run()
    assert (world.newest().stage, receivers.got) == (Stage.PASSED, [])

    receivers.fails = None
    world.notifications.run()
    assert receivers.got == []
    world.clock.offset += timedelta(seconds=11)
    world.notifications.run()
    assert receivers.news("chat") == ["opened", "merged", "passed"]


def test_a_process_killed_after_sending_tells_it_again(world, receivers):
    """At least once: a program knows the repetition by its id."""
    world.alias("2")
    receivers.dies = True
    with pytest.raises(KeyboardInterrupt):
        world.notifications.run()
    receivers.dies = False
    world.notifications.run()
    assert len(receivers.got) == 1

    world.clock.offset += timedelta(seconds=61)
    world.notifications.run()
    (_, first), (_, second) = receivers.got
    assert first == second


@pytest.mark.parametrize(
    ("trouble", "tries"), [(Refused("chat", "it answered 410"), 1), (Unavailable("chat", "502"), TRIES)]
)
def test_what_cannot_be_told_is_given_up_and_counted(world, receivers, trouble, tries):
    """The operator sees it on the metrics page."""
    world.alias("2")
    receivers.fails = trouble
    backlog = Figures(world.engine).backlog
    for number in range(tries):
        assert backlog()["notices given up",] == 0, number
        world.notifications.run()
        world.clock.offset += timedelta(hours=6, seconds=1)

    assert (backlog()["notices",], backlog()["notices given up",]) == (0, 1)
    with world.engine.connect() as connection:
        assert connection.scalar(text("SELECT tries FROM notices")) == tries


def test_what_nobody_asked_for_is_noted_and_not_kept(world, receivers):
    """Whoever asks tomorrow is not told of yesterday."""
    config = world.forge.read("slipway.yaml", "main").replace(ASKED, b"notifications: {nobody: [opened]}\n")
    world.configure({"slipway.yaml": config})
    promote(world)
    world.notifications.run()
    world.configure({"slipway.yaml": config.replace(b"nobody: [opened]", b"chat: [opened, passed]")})
    world.notifications.run()

    assert receivers.got == []
    assert world.store.news(10) == []
