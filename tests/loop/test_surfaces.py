"""What people see beside the comments: check runs with their button, and the Environments page."""

import pytest

from bot.domain.live import Liveness, LiveState
from bot.domain.promotion import Stage
from bot.ports import Forbidden, Unavailable
from bot.webhooks.github_events import CheckRerequested, PullRequestChanged

GATES, CANARY = "slipway / gates", "slipway / canary"
ENVIRONMENT = "fraud production"


def promoted(world, version="2"):
    world.alias(version)
    world.say("ada", "/promote")
    return world.newest()


def press(world, by, sha, name=None):
    world.deliver(
        "github",
        CheckRerequested(
            delivery=world._id(), installation=1, repository="octo/gitops", name=name, head_sha=sha, by=by
        ),
    )


def told_at_once(world, monkeypatch):
    """GitHub delivers each opening before Slipway has its answer; returns all checks that are written."""
    propose, check, written = world.forge.propose, world.forge.check, []

    def opened(proposal):
        pull = propose(proposal)
        event = PullRequestChanged(
            delivery=world._id(),
            installation=1,
            repository="octo/gitops",
            pull=pull.number,
            change="opened",
            branch=pull.branch,
            head_sha=pull.head_sha,
            base_branch="main",
            from_fork=False,
            by="slipway[bot]",
        )
        world.receiver._handle(event)
        return pull

    def kept(run):
        written.append(run)
        check(run)

    monkeypatch.setattr(world.forge, "propose", opened)
    monkeypatch.setattr(world.forge, "check", kept)
    return written


def canary(world):
    return world.forge.checks[world.newest().merge_sha, CANARY]


def deployed(world):
    """The last state of each deployment, in the order in which they were made."""
    return {each.sha: each.state for each in world.forge.deployments if each.environment == ENVIRONMENT}


def test_the_gates_stand_on_the_head_of_the_bump(world):
    """A rule of the branch can require them: they are on the very commit that would be merged."""
    world.alias("2")

    check = world.forge.checks[world.newest().head_sha, GATES]
    assert check.conclusion == "success"
    assert check.details_url == f"https://github.test/octo/gitops/pull/{world.newest().pull}"


@pytest.mark.parametrize("supersede", ["close", "update"])
def test_a_bump_is_a_promotion_although_its_delivery_comes_first(world, monkeypatch, supersede):
    """GitHub tells of the opening before the row is saved: nobody says that it is no promotion."""
    world.configure({"policies/quick.yaml": f"supersede: {supersede}\n".encode()})
    written = told_at_once(world, monkeypatch)
    world.alias("2")

    assert [(run.name, run.head_sha, run.conclusion) for run in written] == [
        (GATES, world.newest().head_sha, "success")
    ]


def test_a_revert_is_a_promotions_although_its_delivery_comes_first(world, monkeypatch):
    """The same for what takes a version back."""
    written = told_at_once(world, monkeypatch)
    promoted(world)
    world.traffic.turn_bad(0.5)
    world.until(lambda: world.newest().stage is Stage.REVERTED)

    on_revert = {run.title for run in written if run.head_sha == world.newest().revert_head_sha}
    assert on_revert == {"A revert waits for no gate"}


@pytest.mark.parametrize("branch", ["slipway/fraud-2-production/0123456789ab", "slipway/fraud-production/0"])
def test_a_branch_that_only_looks_like_a_promotions_is_checked(world, branch):
    """A name is no proof: what no promotion has is somebody's pull request."""
    number = world.proposed(branch, {"README.md": b"Hello\n"})

    assert world.forge.checks[world.forge.pull(number).head_sha, GATES].title == "Not a promotion"


def test_another_commit_on_the_branch_fails_the_gates(world):
    """What Slipway did not write it does not vouch for."""
    world.alias("2")
    promotion = world.newest()
    world.proposed(promotion.branch, {"prod.yaml": b"uri: models:/fraud/666\n"}, promotion.pull)

    pushed = world.forge.pull(promotion.pull).head_sha
    assert world.forge.checks[pushed, GATES].conclusion == "failure"


def test_the_canary_is_watched_live_on_the_merge_commit_and_ends_with_the_verdict(world):
    """In progress with numbers, then success."""
    promoted(world)
    assert canary(world).conclusion is None
    world.until(lambda: "left" in canary(world).title)
    assert "Requests" in canary(world).summary

    world.until(lambda: world.newest().stage is Stage.PASSED)
    assert (canary(world).conclusion, canary(world).title) == ("success", "Passed")


def test_progress_is_written_no_more_often_than_it_is_read(world):
    """A look every five seconds, an edit every ten at the most; the comment every thirty."""
    promoted(world)
    world.later(5)
    world.forge.calls.clear()
    began = world.clock.now()
    for _ in range(8):
        world.later(5)

    took = (world.clock.now() - began).total_seconds()
    assert 2 <= world.forge.calls.count("check") <= took / 10 + 1
    assert world.forge.calls.count("upsert_comment") <= took / 30 + 2


def test_a_revert_fails_the_canary_and_carries_the_gates_that_a_rule_may_require(world):
    """A branch that asks for the gates' check does not keep the revert out."""
    promoted(world)
    world.traffic.turn_bad(0.5)
    world.until(lambda: world.newest().stage is Stage.REVERTED)

    promotion = world.newest()
    assert canary(world).conclusion == "failure"
    assert world.forge.checks[promotion.revert_head_sha, GATES].conclusion == "success"


def test_a_promotion_that_a_person_took_back_did_not_fail(world):
    """Nothing was judged: the check says who, not that it was bad."""
    promotion = promoted(world)
    world.say("ada", "/rollback customers complain", promotion.pull)
    world.until(lambda: world.newest().stage is Stage.REVERTED)

    assert canary(world).conclusion == "cancelled"
    assert "customers complain" in canary(world).title


def held(world):
    """A canary that ended without a verdict, since nobody called."""
    world.traffic.origin = world.clock.now().timestamp() + 10**9
    promotion = promoted(world)
    world.until(lambda: world.newest().stage is Stage.HELD)
    world.traffic.origin = world.clock.now().timestamp() - 7200
    return promotion


def test_the_button_begins_a_watch_without_a_verdict_anew(world):
    """Held for want of data, pressed by somebody who may: watched again, and passed."""
    promotion = held(world)
    assert canary(world).conclusion == "action_required"

    press(world, "ada", world.newest().merge_sha, CANARY)
    assert world.newest().stage is Stage.WATCHING
    assert canary(world).conclusion is None
    assert any("re-run of slipway / canary" in text for text in world.answers(promotion.pull))

    world.until(lambda: world.newest().stage is Stage.PASSED)


def test_the_button_does_nothing_for_somebody_who_may_not(world):
    """It goes through the same function as a command; the check is shown as it was."""
    promotion = held(world)
    press(world, "eve", world.newest().merge_sha, CANARY)

    assert world.newest().stage is Stage.HELD
    assert canary(world).conclusion == "action_required"
    assert any("needs the right to write" in text for text in world.answers(promotion.pull))


def test_a_verdict_is_not_pressed_away(world):
    """What failed stays failed, and what passed stays passed."""
    promotion = promoted(world)
    world.traffic.turn_bad(0.5)
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    press(world, "ada", promotion.merge_sha, CANARY)

    assert world.newest().stage is Stage.REVERTED
    assert canary(world).conclusion == "failure"
    assert any("stays so" in text for text in world.answers(promotion.pull))


def test_the_gates_are_looked_at_again_and_shown_anew(world):
    """All checks of a commit, as after "Re-run all checks": written again although nothing changed."""
    world.alias("2")
    head = world.newest().head_sha
    del world.forge.checks[head, GATES]
    press(world, "eve", head)

    assert world.forge.checks[head, GATES].conclusion == "success"
    assert world.newest().stage is Stage.OPEN


def test_a_repeated_delivery_of_a_press_is_one_press(world):
    """GitHub's redelivery carries the same id."""
    promotion = held(world)
    event = CheckRerequested(
        delivery="one",
        installation=1,
        repository="octo/gitops",
        name=CANARY,
        head_sha=world.newest().merge_sha,
        by="ada",
    )
    world.receiver._handle(event)
    world.drain()
    world.receiver._handle(event)
    world.drain()

    asked = [text for text in world.answers(promotion.pull) if "re-run of" in text]
    assert len(asked) == 1


def test_the_environments_page_follows_a_promotion(world):
    """In progress until it is judged, then success."""
    promotion = promoted(world)
    assert deployed(world) == {promotion.merge_sha: "in_progress"}

    world.until(lambda: world.newest().stage is Stage.PASSED)
    assert deployed(world) == {promotion.merge_sha: "success"}


def test_after_a_revert_the_baseline_is_what_is_deployed(world):
    """The candidate is inactive, the commit that brought the baseline back is live."""
    promotion = promoted(world)
    world.traffic.turn_bad(0.5)
    world.until(lambda: world.newest().stage is Stage.REVERTED)

    back = world.newest().revert_merge_sha
    assert deployed(world) == {promotion.merge_sha: "inactive", back: "success"}
    assert world.forge.deployments[-1].description == "Version 1 again"


def test_what_never_went_live_is_a_failed_deployment(world):
    """A sync that fails is no deployment in progress for ever."""
    world.cluster.answer = Liveness(LiveState.SYNCING, "Out of sync.")
    promotion = promoted(world)
    world.until(lambda: world.newest().stage is Stage.HELD, step=60, limit=7200)

    assert deployed(world) == {promotion.merge_sha: "failure"}


def test_what_could_not_be_shown_is_shown_later_even_at_the_end(world, monkeypatch):
    """A promotion that rests is looked at once more for what GitHub did not take."""
    promotion = promoted(world)
    world.later(5)

    def away(*_, **__):
        raise Unavailable("GitHub", "the rate limit is spent", retry_after=30)

    with monkeypatch.context() as patched:
        for name in ("check", "deployment", "upsert_comment"):
            patched.setattr(world.forge, name, away)
        world.until(lambda: world.newest().stage is Stage.PASSED)
        assert canary(world).conclusion is None
    world.later(31)

    assert canary(world).conclusion == "success"
    assert deployed(world) == {promotion.merge_sha: "success"}
    assert "Passed" in world.status(promotion.pull)


def test_what_github_refuses_for_good_is_not_tried_for_ever(world, monkeypatch):
    """A locked conversation costs a refusal, not a request every half minute."""
    promoted(world)
    refused = []

    def locked(*_):
        refused.append(1)
        raise Forbidden("GitHub", "the conversation is locked")

    monkeypatch.setattr(world.forge, "upsert_comment", locked)
    world.until(lambda: world.newest().stage is Stage.PASSED)
    before = len(refused)
    for _ in range(5):
        world.later(60)

    assert len(refused) == before


def test_what_waits_says_so_in_the_status_comment(world, monkeypatch):
    """A registry that is away for long is named where people look."""
    world.alias("2")
    pull = world.newest().pull

    def away(_number):
        raise Unavailable("GitHub", "this hour's requests are nearly spent", retry_after=600)

    with monkeypatch.context() as patched:
        patched.setattr(world.forge, "pull", away)
        world.store.wake([world.newest().id])
        world.drain()
    assert "Waiting for GitHub: this hour's requests are nearly spent" in world.status(pull)

    world.later(601)
    assert "Waiting for GitHub" not in world.status(pull)


def test_the_check_of_somebodys_pull_request_is_shown_anew(world):
    """Pressed where nothing is promoted: neutral again, not queued for ever."""
    number = world.proposed("docs", {"README.md": b"Hello\n"})
    head = world.forge.pull(number).head_sha
    del world.forge.checks[head, GATES]
    press(world, "eve", head, GATES)

    assert world.forge.checks[head, GATES].conclusion == "neutral"
