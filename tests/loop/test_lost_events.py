"""No single event is needed: with any one of them lost, a promotion finishes within five minutes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.promotion import Stage
from bot.domain.pull import Permission, ReviewState
from bot.ports import Installed
from bot.webhooks.github_events import CommentCreated, InstallationChanged, ReviewSubmitted
from tests.fakes.forge import FakeForge

RESYNC_EVERY = 120
"""Seconds; the schedule in `bot.jobs.tasks`."""
WITHIN = 300


@pytest.fixture
def lost(world):
    """Runs an act whose webhook never arrives."""

    def lose(act, *arguments):
        world.deaf = True
        try:
            return act(*arguments)
        finally:
            world.deaf = False

    return lose


def repaired(world, done, within=WITHIN):
    """Let time pass as it does in production, where the resync runs every two minutes."""
    for passed in range(5, within + 1, 5):
        world.later(5)
        if passed % RESYNC_EVERY == 0:
            world.resync.run()
            world.drain()
        if done():
            return
    pytest.fail(f"not within {within} s: {world.newest().stage} {world.newest().reason}")


def review(world, author, state, body=""):
    """A submitted review and its webhook."""
    pull = world.newest().pull
    given = world.forge.review(pull, author, state, body)
    world.deliver(
        "github",
        ReviewSubmitted(
            delivery=world._id(),
            installation=1,
            repository="octo/gitops",
            pull=pull,
            review=given.id,
            author=author,
            is_bot=False,
            state=state.value,
            commit=given.commit,
            body=body,
            submitted_at=given.submitted_at,
            from_fork=False,
        ),
    )
    return given


def test_a_lost_alias_opens_the_bump_all_the_same(world, lost):
    """The registry's aliases are compared."""
    lost(world.alias, "2")

    repaired(world, lambda: world.promotions() and world.newest().stage is Stage.OPEN)


def test_a_lost_comment_is_heard_all_the_same(world, lost):
    """Comments are listed since the last time; the answer and the reaction come too."""
    world.alias("2")
    comment = lost(world.say, "ada", "/promote")

    repaired(world, lambda: world.newest().stage is Stage.WATCHING)
    assert world.forge.reactions[comment] == ["eyes", "rocket"]


def test_a_lost_review_is_heard_all_the_same(world, lost):
    """Approve and `/promote` in one go, and nobody told us."""
    world.alias("2")
    lost(review, world, "ada", ReviewState.APPROVED, "Looks good.\n\n/promote")

    repaired(world, lambda: world.newest().stage is Stage.WATCHING)


def test_a_review_is_heard_once_however_it_comes_in(world):
    """The webhook and every resync after it bring the same review."""
    world.alias("2")
    review(world, "ada", ReviewState.COMMENTED, "/explain")
    for _ in range(3):
        world.resync.run()
        world.drain()

    assert sum("asked `/explain`" in text for text in world.answers(world.newest().pull)) == 1


def test_a_bots_review_gives_no_commands(world, lost):
    """Not through the resync either."""
    world.alias("2")
    world.forge.people["robot[bot]"] = Permission.WRITE
    given = lost(review, world, "robot[bot]", ReviewState.APPROVED, "/promote")
    world.forge.given_reviews[world.newest().pull] = [type(given)(**{**_fields(given), "from_bot": True})]
    for _ in range(3):
        world.later(RESYNC_EVERY)
        world.resync.run()
        world.drain()

    assert world.newest().stage is Stage.OPEN


def _fields(value):
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def test_a_lost_approval_lets_an_armed_bump_merge_all_the_same(world, lost):
    """The gate waits for a review that no webhook announces."""
    world.configure(
        {
            "policies/quick.yaml": b"approvals: {count: 1}\n"
            b"canary: {bake: 60s, max_bake: 2m, interval: 5s, warm_up: 10s, min_requests: 20}\n"
        }
    )
    world.alias("2")
    world.say("ada", "/promote")
    assert world.newest().stage is Stage.OPEN
    world.forge.people["bob"] = Permission.WRITE
    lost(review, world, "bob", ReviewState.APPROVED)

    repaired(world, lambda: world.newest().stage is Stage.WATCHING)


def test_a_lost_merge_by_hand_is_watched_all_the_same(world, lost):
    """Somebody pressed GitHub's own button."""
    world.alias("2")
    lost(world.forge.merge_as, world.newest().pull, "ada")

    repaired(world, lambda: world.newest().stage is Stage.WATCHING)


def test_a_lost_close_ends_the_promotion_all_the_same(world, lost):
    """And says who closed it."""
    world.alias("2")
    lost(world.forge.close_as, world.newest().pull, "ada")

    repaired(world, lambda: world.newest().stage is Stage.CLOSED)
    assert "ada" in world.newest().reason


def test_a_lost_push_to_the_branch_disarms_all_the_same(world, lost):
    """Other commits than ours are never merged; the promotion says so without having been told."""
    world.alias("2")
    lost(world.proposed, world.newest().branch, {"prod.yaml": b"uri: evil\n"}, world.newest().pull)

    repaired(world, lambda: "other commits" in world.newest().reason)


def test_a_lost_push_of_the_configuration_takes_effect_all_the_same(world, lost):
    """An environment that is no longer configured has no open bump."""
    world.alias("2")
    other = world.forge.read("slipway.yaml", "main").replace(b"  fraud:", b"  churn:")
    lost(world.forge.commit, "main", {"slipway.yaml": other})

    repaired(world, lambda: world.newest().stage is Stage.CLOSED)


def test_a_lost_installation_is_found_all_the_same(world, monkeypatch):
    """A repository that was added while nobody listened promotes like any other."""
    second = FakeForge(repository="octo/more", now=world.clock.now)
    files = {
        path: world.forge.read(path, "main") for path in ("slipway.yaml", "policies/quick.yaml", "prod.yaml")
    }
    second.commit("main", files)
    forges = {"octo/gitops": world.forge, "octo/more": second}
    both = [Installed(number, name, 1) for number, name in enumerate(forges, start=world.app.id)]
    monkeypatch.setattr(world.app, "repositories", lambda: both)
    monkeypatch.setattr(world.app, "forge", lambda _installation, name: forges[name])
    world.alias("2")

    repaired(world, lambda: any(pull.author == second.bot_login for pull in second.pulls.values()))


def test_a_lost_pull_request_of_somebody_gets_its_check_all_the_same(world, lost):
    """A rule that requires the gates' check does not keep other work waiting."""
    number = lost(world.proposed, "docs", {"README.md": b"Hello\n"})
    head = world.forge.pull(number).head_sha

    repaired(world, lambda: (head, "slipway / gates") in world.forge.checks)
    assert world.forge.checks[head, "slipway / gates"].conclusion == "neutral"


def test_what_a_webhook_brought_is_not_done_again_by_the_resync(world):
    """A whole promotion with a resync after every step: one of everything."""
    world.alias("2")
    world.resync.run()
    world.say("ada", "/promote")
    world.resync.run()
    world.drain()
    repaired(world, lambda: world.newest().stage is Stage.PASSED, within=900)

    assert len(world.promotions()) == 1
    assert sum("asked `/promote`" in text for text in world.answers(world.newest().pull)) == 1
    assert world.clock.offset < timedelta(minutes=15)


def test_with_every_event_lost_a_promotion_finishes_too(world, lost):
    """Deaf from beginning to end: only slower."""
    lost(world.alias, "2")
    repaired(world, lambda: world.promotions() and world.newest().stage is Stage.OPEN)
    lost(world.say, "ada", "/promote")
    repaired(world, lambda: world.newest().stage is Stage.WATCHING)
    repaired(world, lambda: world.newest().stage is Stage.PASSED)

    assert world.registry.alias("fraud", "champion") == "2"


def test_a_name_that_nobody_told_of_is_looked_for_at_once(world):
    """A renamed repository: the first word under its new name is obeyed, without any other look."""
    world.alias("2")
    world.forge.rename("emca/spotig")
    world.say("ada", "/promote")

    assert world.newest().repository == "emca/spotig"
    assert world.newest().stage is not Stage.OPEN
    assert world.pinned() == "models:/fraud/2"


def test_a_stranger_is_looked_for_once(world):
    """Until the App's installations change: the listing is not asked anew for each of its deliveries."""
    world.alias("2")
    listed = world.app.listed
    for _ in range(3):
        comment = CommentCreated(
            delivery=world._id(),
            installation=9,
            repository="stranger/gitops",
            pull=1,
            comment=1,
            author="mallory",
            is_bot=False,
            body="/promote",
            created_at=world.clock.now(),
            url="",
        )
        world.deliver("github", comment)

    assert world.app.listed == listed + 1

    world.deliver("github", InstallationChanged(delivery=world._id(), installation=1, change="created"))
    world.deliver("github", replace(comment, delivery=world._id()))

    assert world.app.listed == listed + 3
    assert world.newest().stage is Stage.OPEN
