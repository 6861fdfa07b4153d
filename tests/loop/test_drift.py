"""An alias and a pin that disagree are reported in one issue, and left as they are."""

from bot.adapters.database.figures import Figures
from bot.domain.promotion import Stage


def look(world):
    world.resync.run()
    world.drain()


def reported(world):
    return [issue for issue in world.forge.issues.values() if issue.state == "open"]


def test_a_pin_that_was_changed_by_hand_is_reported_once_and_never_overwritten(world):
    """Slipway does not know who is right."""
    assert reported(world) == []
    world.forge.commit("main", {"prod.yaml": b"uri: models:/fraud/3\n"})
    look(world)
    look(world)

    (issue,) = reported(world)
    drifts = Figures(world.engine).drifts
    assert drifts() == {("octo/gitops", "production", "fraud"): 1.0}
    assert issue.title == "The registry and Git disagree"
    assert "champion" in issue.body
    assert (world.pinned(), world.registry.alias("fraud", "champion")) == ("models:/fraud/3", "1")
    world.registry.set_alias("fraud", "champion", "3")
    look(world)
    assert reported(world) == []
    assert drifts() == {}


def test_an_alias_that_was_moved_by_hand_is_reported(world):
    """Without a commit, too."""
    world.registry.set_alias("fraud", "champion", "2")
    look(world)

    assert len(reported(world)) == 1


def test_a_promotion_under_way_is_no_drift(world):
    """Git goes first, the alias follows when the canary passed."""
    world.alias("2")
    world.say("ada", "/promote")
    look(world)
    assert (world.newest().stage, reported(world)) == (Stage.WATCHING, [])

    world.until(lambda: world.newest().stage is Stage.PASSED)
    look(world)
    assert reported(world) == []


def test_files_are_read_again_only_after_a_change_or_an_hour(world):
    """Requests cost."""
    look(world)
    before = world.forge.calls.count("read")
    look(world)
    assert world.forge.calls.count("read") == before

    world.later(3700)
    look(world)
    assert world.forge.calls.count("read") == before + 1


def test_a_pin_that_tells_no_version_proves_nothing(world):
    """Doubt is not reported as a disagreement."""
    world.forge.commit("main", {"prod.yaml": b"uri: s3://bucket/somewhere\n"})
    look(world)

    assert reported(world) == []


def test_the_issue_is_closed_when_no_alias_is_moved_any_more(world):
    """What Slipway no longer compares, it no longer complains about."""
    world.registry.set_alias("fraud", "champion", "2")
    look(world)
    assert len(reported(world)) == 1

    without = world.forge.read("slipway.yaml", "main").replace(b"        alias: champion\n", b"")
    world.configure({"slipway.yaml": without})
    assert reported(world) == []


def test_a_repository_without_aliases_is_asked_once_an_hour(world):
    """An issue may be left from before; that is no reason to ask every two minutes."""
    without = world.forge.read("slipway.yaml", "main").replace(b"        alias: champion\n", b"")
    world.configure({"slipway.yaml": without})
    asked = world.forge.calls.count("close_issue")
    look(world)

    assert world.forge.calls.count("close_issue") == asked
