"""Who must agree before a merge, and what happens when the forge does not."""

import pytest

from bot.domain.promotion import Stage
from bot.domain.pull import Permission, ReviewState

APPROVED_BY_RISK = b"approvals: {count: 1, teams: [risk]}\n"
FROZEN = b"""\
freeze: [{cron: "* * * * *", duration: 2h, reason: year end}]
commands: {override: {role: write, teams: [sre]}}
"""
FROZEN_FOR_ALL = b'freeze: [{cron: "* * * * *", duration: 2h, reason: year end}]\n'


def approve(world, author):
    """A review that says yes, and the event that tells of it."""
    world.forge.review(world.newest().pull, author, ReviewState.APPROVED)
    world.store.wake([world.newest().id])
    world.drain()


def armed(world):
    world.alias("2")
    world.say("ada", "/promote")
    assert world.newest().stage is Stage.OPEN


def test_only_an_approval_of_the_right_person_for_the_head_commit_counts(world):
    """Not the author's, not a reader's, not a stranger's to the team, not one of an older commit."""
    world.configure({"policies/quick.yaml": APPROVED_BY_RISK})
    world.forge.people |= {"bob": Permission.WRITE, "cleo": Permission.WRITE}
    world.forge.teams["risk"] = {"ada", "bob", "eve"}
    armed(world)

    for author, why in (
        ("ada", "ada asked for the promotion"),
        ("eve", "eve may not write here"),
        ("cleo", "cleo is in none of the teams"),
    ):
        approve(world, author)
        assert world.newest().stage is Stage.OPEN
        assert why in world.status(world.newest().pull)
    approve(world, "bob")

    assert world.newest().stage is Stage.WATCHING


def test_an_approval_of_an_older_commit_does_not_count(world):
    """What was approved is what is merged."""
    world.configure({"policies/quick.yaml": APPROVED_BY_RISK})
    world.forge.people["bob"] = Permission.WRITE
    world.forge.teams["risk"] = {"bob"}
    world.alias("2")
    approve(world, "bob")
    world.configure({"README.md": b"hello"})
    world.forge.commit("main", {"prod.yaml": b"# moved\nuri: models:/fraud/1\n"})
    world.say("ada", "/retry")
    world.say("ada", "/promote")

    assert world.newest().stage is Stage.OPEN
    assert "bob approved an older commit" in world.status(world.newest().pull)


def test_a_merge_that_the_forge_refuses_is_explained_and_tried_again(world):
    """Branch protection and CODEOWNERS are respected, and the forge's own words are shown."""
    world.forge.refuses_merge = "Waiting on code owner review from octo/ml"
    armed(world)

    assert "Waiting on code owner review from octo/ml" in world.status(world.newest().pull)
    assert world.forge.calls.count("merge") == 1
    world.forge.refuses_merge = None
    world.until(lambda: world.newest().stage is Stage.WATCHING, limit=120)


def test_an_override_lets_one_promotion_through_a_freeze_and_is_in_the_audit(world):
    """Who, and why, is written down with the merge."""
    world.configure({"policies/quick.yaml": FROZEN})
    world.forge.teams["sre"] = {"ada"}
    armed(world)
    assert "frozen until" in world.status(world.newest().pull)
    world.say("ada", '/promote --override "payments are down"')

    assert world.newest().stage is Stage.WATCHING
    merged = next(line for line in world.store.transitions(world.newest().id) if line.stage_to == "syncing")
    assert merged.actor == "ada"
    assert "override by ada (payments are down)" in merged.reason


@pytest.mark.parametrize(
    ("policy", "why"),
    [(FROZEN, "is for members of `sre`"), (FROZEN_FOR_ALL, "the policy names nobody who may override")],
)
def test_nobody_else_overrides(world, policy, why):
    """Not even an administrator, where the policy does not say so."""
    world.configure({"policies/quick.yaml": policy})
    world.forge.people["ada"] = Permission.ADMIN
    world.alias("2")
    world.say("ada", '/promote --override "now"')

    assert world.newest().stage is Stage.OPEN
    assert any(why in text for text in world.answers(world.newest().pull))


def test_an_override_is_for_the_freeze_only(world):
    """Approvals are asked for all the same."""
    world.configure({"policies/quick.yaml": FROZEN + APPROVED_BY_RISK})
    world.forge.teams["sre"] = {"ada"}
    world.alias("2")
    world.say("ada", '/promote --override "now"')

    assert world.newest().stage is Stage.OPEN
    assert "it needs 1 approval from risk" in world.status(world.newest().pull)


def test_whoever_asked_may_be_made_to_leave_the_merge_to_somebody_else(world):
    """`own: false` on an action."""
    world.configure({"policies/quick.yaml": b"commands: {promote: {role: write, own: false}}\n"})
    world.forge.people["bob"] = Permission.WRITE
    world.proposer.begin("octo/gitops", "fraud", "production", "2", "Ada")
    world.drain()
    world.say("ada", "/promote")
    refused = world.answers(world.newest().pull)
    assert world.newest().armed_by is None
    world.say("bob", "/promote")

    assert any("whoever asked for a promotion leaves `/promote` to somebody else" in text for text in refused)
    assert world.newest().stage is Stage.WATCHING
