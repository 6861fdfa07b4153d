"""Branch protection and CODEOWNERS of a real server: respected, and explained with what to do."""

import pytest

from bot.domain.pull import Permission, ReviewState
from bot.ports import CheckRun, Proposal, Refused

REVIEWS = {"required_approving_review_count": 1, "require_code_owner_reviews": True}
CHECKS = {"strict": True, "contexts": ["slipway / gates", "ci"]}


@pytest.fixture
def bump(server_world):
    """A pull request of Slipway's own on a branch with rules."""
    owners = b"* @alice\n/models/ @bob @octo/ml  # who knows the models\n/models/*.md @eve\n"
    base = server_world.commit("main", {"CODEOWNERS": owners, "models/a.yaml": b"tag: v1\n"})
    for login in ("bob", "cleo"):
        server_world.grant(login, Permission.WRITE)
    edits = {"models/a.yaml": b"tag: v2\n"}
    return server_world.forge.propose(
        Proposal("slipway/a/1", base, edits, "Promote a 2", "Promote a 2", "Why.")
    )


def protect(world, *, reviews=None, checks=None):
    rules = {
        "required_pull_request_reviews": reviews,
        "required_status_checks": checks,
        "enforce_admins": True,
        "restrictions": None,
    }
    world.ask("alice", "PUT", "/branches/main/protection", json=rules)


def merge(world, pull):
    return world.forge.merge(pull.number, sha=pull.head_sha, title="Promote a 2", message="")


def refusal(world, pull):
    with pytest.raises(Refused) as refused:
        merge(world, pull)
    return refused.value.message


def test_reviews_and_code_owners_are_waited_for(server_world, bump):
    """First anybody's review is missing, then that of an owner of the changed file."""
    protect(server_world, reviews=REVIEWS)
    first = refusal(server_world, bump)
    server_world.review(bump.number, "cleo", ReviewState.APPROVED, "")
    second = refusal(server_world, bump)
    server_world.review(bump.number, "bob", ReviewState.APPROVED, "")

    assert first == (
        "At least 1 approving review is required by reviewers with write access."
        " Missing: an approving review by people who may write here."
    )
    assert second.startswith("Waiting on code owner review from bob. Missing: an approving review")
    assert merge(server_world, bump)


def test_requested_changes_name_who_asked_for_them(server_world, bump):
    """Somebody with the right to write said no."""
    protect(server_world, reviews=REVIEWS)
    server_world.review(bump.number, "cleo", ReviewState.CHANGES_REQUESTED, "Not now.")

    assert "changes were requested by cleo: they approve, or dismiss" in refusal(server_world, bump)


def test_required_checks_are_named_one_by_one(server_world, bump):
    """The one that is missing and the one that runs; then none, and it merges."""
    protect(server_world, checks=CHECKS)
    gates = CheckRun("slipway / gates", bump.head_sha, "Gates", "All hold.", "success")
    server_world.forge.check(CheckRun("ci", bump.head_sha, "CI", "It runs."))
    both = refusal(server_world, bump)
    server_world.forge.check(gates)
    one = refusal(server_world, bump)
    server_world.forge.check(CheckRun("ci", bump.head_sha, "CI", "Well.", "success"))

    assert "Missing: the required check `ci` still runs; the required check `slipway / gates` has not" in both
    assert one == 'Required status check "ci" is in progress. Missing: the required check `ci` still runs.'
    assert merge(server_world, bump)


def test_a_branch_that_moved_on_says_what_to_do(server_world, bump):
    """Where the rules want every branch up to date."""
    protect(server_world, checks=CHECKS | {"contexts": []})
    server_world.commit("main", {"README.md": b"moved\n"})

    assert refusal(server_world, bump).endswith(
        "`main` has moved on: `/retry` makes this bump anew on top of it."
    )
