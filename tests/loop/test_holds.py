"""Holds and quarantine: who may lift them, where they are shown, what they outlive."""

import pytest

from bot.domain.promotion import Stage
from bot.domain.pull import Permission

PLACE = ("octo/gitops", "fraud", "production")


@pytest.fixture
def boss(world):
    """Somebody who may stop everything."""
    world.forge.people["bob"] = Permission.MAINTAIN
    return "bob"


def failed(world):
    """A version that was reverted by its canary."""
    world.alias("3")
    world.say("ada", "/promote")
    world.traffic.turn_bad(0.3)
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    world.traffic.turn_good()
    return world.newest()


def test_a_hold_on_everything_is_shown_where_it_stops_something_and_outlives_a_restart(world, boss):
    """Owner, reason and since when, in the status comment, without a word said in that pull request."""
    world.alias("2")
    world.say("ada", "/promote")
    watched = world.newest()
    world.alias("3")
    opened = world.newest()
    world.say(boss, "/hold all the lights are out", watched.pull)

    shown = world.status(opened.pull)
    assert "bob" in shown
    assert "everything since" in shown
    assert "the lights are out" in shown
    world.restart()
    world.say("ada", "/promote", opened.pull)
    world.until(lambda: world.store.load(watched.id).promotion.stage is Stage.PASSED)
    assert world.newest().stage is Stage.OPEN

    world.say(boss, "/release", opened.pull)
    assert world.newest().stage is Stage.WATCHING
    assert "the lights are out" not in world.status(opened.pull)


def test_whoever_may_not_hold_everything_may_not_release_it(world, boss):
    """The hold on a place is one thing, the stop of the line another."""
    world.alias("2")
    pull = world.newest().pull
    world.say(boss, "/hold all audit")
    world.say("ada", "/hold mine")
    assert len(world.store.holds(*PLACE)) == 2

    world.say("ada", "/release")
    (left,) = world.store.holds(*PLACE)
    assert left.model is None
    world.say("ada", "/release")
    assert world.store.holds(*PLACE) == [left]
    assert any("needs the right to maintain" in text for text in world.answers(pull))

    world.say(boss, "/release")
    assert world.store.holds(*PLACE) == []


def test_a_quarantine_that_is_lifted_lets_the_alias_open_a_bump_again(world, boss):
    """With a reason, by whoever may; the hold that the failure left goes with it."""
    before = failed(world)
    world.say(boss, "/release --quarantine", before.pull)
    assert world.store.quarantine(*PLACE, "3") is not None
    world.say("ada", "/release --quarantine it was the network", before.pull)
    assert world.store.quarantine(*PLACE, "3") is not None

    world.say(boss, "/release --quarantine it was the network", before.pull)
    world.alias("3")
    assert (world.newest().stage, world.newest().candidate) == (Stage.OPEN, "3")
    assert world.newest().id != before.id


def test_a_revert_leaves_a_hold_until_a_person_releases_it(world):
    """The next candidate waits, and says for whom."""
    before = failed(world)
    world.alias("2")
    assert world.newest().stage is Stage.WAITING
    assert world.newest().reason.startswith("On hold by slipway: Version 3 was reverted")

    world.say("ada", "/release", before.pull)
    assert world.newest().stage is Stage.OPEN
