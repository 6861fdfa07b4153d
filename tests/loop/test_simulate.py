"""`slipway policy simulate --pr`: what would follow, and nothing that does."""

from datetime import timedelta

import pytest

from bot.adapters import shipped
from bot.domain import effects
from bot.domain.promotion import Stage
from bot.domain.pull import Permission, ReviewState
from bot.jobs.configuration import Configurations
from bot.jobs.simulate import Simulator

REVIEWED = b"approvals: {count: 1}\n"
READS = {"pull", "head", "read", "reviews", "permission", "in_team", "default_branch"}


@pytest.fixture
def simulate(world):
    """A look at the newest pull request; it fails where the look changed anything."""

    def look(number=None, later=timedelta(0)):
        outside = world.receiver._outside
        before = (world.promotions(), world.registry.writes[:], dict(world.forge.bodies))
        calls = len(world.forge.calls)
        simulator = Simulator(outside, Configurations(outside, shipped.policies()))
        found = simulator.pull("octo/gitops", number or world.newest().pull, world.clock.now() + later)

        assert (world.promotions(), world.registry.writes, world.forge.bodies) == before
        assert set(world.forge.calls[calls:]) <= READS
        return found

    return look


def kinds(decision):
    return [type(effect) for effect in decision.effects]


def test_an_open_bump_waits_and_would_merge_on_a_word(world, simulate):
    """Which promotion it is, every gate, and both answers."""
    world.alias("2")
    found = simulate()

    assert (found.promotion.model, found.promotion.candidate, found.promotion.baseline) == ("fraud", "2", "1")
    assert {gate.id for gate in found.situation.gates} >= {"environment", "head", "hold", "quarantine"}
    assert found.now.promotion.reason == "All gates hold. /promote merges it."
    assert kinds(found.now) == []
    assert effects.MergePull in kinds(found.promoted)
    assert world.pinned() == "models:/fraud/1"


def test_a_gate_that_waits_is_told_with_its_reason(world, simulate):
    """And what an approval changes is seen at the next look."""
    world.configure({"policies/quick.yaml": REVIEWED})
    world.forge.people["bob"] = Permission.WRITE
    world.alias("2")
    first = simulate()
    world.forge.review(world.newest().pull, "bob", ReviewState.APPROVED)
    second = simulate()

    assert "merges as soon as these gates hold: approvals" in first.promoted.promotion.reason
    assert effects.MergePull in kinds(second.promoted)


def test_the_time_may_be_another(world, simulate):
    """What a freeze says now and what it will say in three hours."""
    hour = (world.clock.now() - timedelta(minutes=5)).strftime("%M %H * * *").encode()
    world.configure({"policies/quick.yaml": b'freeze: [{cron: "' + hour + b'", duration: 2h}]\n'})
    world.alias("2")
    now, later = simulate(), simulate(later=timedelta(hours=3))

    assert [gate.id for gate in now.situation.gates if not gate.holds] == ["freeze"]
    assert [gate.id for gate in later.situation.gates if not gate.holds] == []


def test_what_is_merged_is_watched_and_nothing_is_armed(world, simulate):
    """Past its merge there is nothing that `/promote` would do to the pull request."""
    world.alias("2")
    world.say("ada", "/promote")
    assert world.newest().stage is Stage.WATCHING
    found = simulate()

    assert found.promoted is None
    assert found.now.promotion.stage is Stage.WATCHING


def test_a_pull_request_of_somebody_else_is_nobodys(world, simulate):
    """Slipway speaks of its own."""
    world.forge.commit("feature", {"a": b"1"})

    assert simulate(world.forge.open_pull("feature").number) is None
