"""Why GitHub will not merge, in words that help."""

import json

import pytest

from bot.ports import Conflict, Forbidden, NotFound, Refused, Unavailable

SHA, OTHER = "a" * 40, "b" * 40


def pull(**changes):
    return {
        "number": 7,
        "state": "open",
        "title": "t",
        "html_url": "https://github.test/octo/gitops/pull/7",
        "head": {"ref": "slipway/x", "sha": SHA, "repo": None},
        "base": {"ref": "main"},
        "user": None,
        "merged_at": None,
        "mergeable_state": "clean",
    } | changes


@pytest.fixture
def merge(forge):
    return lambda: forge.merge(7, sha=SHA, title="Promote", message="Why.")


def methods(script):
    return [json.loads(each.body)["merge_method"] for each in script.sent if each.method == "PUT"]


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (405, {"mergeable_state": "dirty"}, "it conflicts"),
        (405, {"mergeable_state": "blocked"}, "a protection rule"),
        (405, {"mergeable_state": "behind"}, "brought up to date"),
        (405, {"mergeable_state": "unstable"}, "check has not passed"),
        (405, {"mergeable_state": "clean", "draft": True}, "a draft"),
        (405, {"mergeable_state": "has_hooks"}, "^GitHub: Pull Request is not mergeable$"),
        (422, {"mergeable_state": "clean"}, "Pull Request is not mergeable"),
    ],
)
def test_a_refusal_is_explained(merge, script, status, state, words):
    """GitHub's sentence says little; the state of the pull request says why."""
    script.then(status, {"message": "Pull Request is not mergeable"})
    script.then(200, pull(**state))

    with pytest.raises(Refused, match=words):
        merge()


def test_the_kind_of_a_refusal_stays(merge, script):
    """A missing right is told as a missing right."""
    script.then(403, {"message": "Resource not accessible by integration"})
    script.then(200, pull(mergeable_state="blocked"))

    with pytest.raises(Forbidden, match="protection rule"):
        merge()


def test_the_next_allowed_method_is_taken(merge, script):
    """A repository that allows only rebasing is merged by rebasing."""
    script.then(405, {"message": "Merge commits are not allowed on this repository."})
    script.then(405, {"message": "Squash merges are not allowed on this repository."})
    script.then(200, {"sha": OTHER, "merged": True})

    assert merge() == OTHER
    assert methods(script) == ["merge", "squash", "rebase"]


def test_no_method_at_all_is_a_refusal(merge, script):
    """Every way is tried once, then GitHub's last word is told."""
    for way in ("Merge commits", "Squash merges", "Rebase merges"):
        script.then(405, {"message": f"{way} are not allowed on this repository."})
    script.then(200, pull())

    with pytest.raises(Refused, match="Rebase merges are not allowed"):
        merge()


def test_a_lost_answer_to_a_merge_is_found_again(merge, script):
    """Merged, but the answer never came: asked again, the same commit is told."""
    script.then(405, {"message": "Pull Request is not mergeable"})
    merged = pull(state="closed", merged_at="2026-01-02T03:04:05Z", merge_commit_sha=OTHER)
    script.then(200, merged)

    assert merge() == OTHER


def test_another_head_is_a_conflict_even_when_merged(merge, script):
    """What was merged by hand is not what was asked for."""
    script.then(405, {"message": "Pull Request is not mergeable"})
    script.then(200, pull(head={"ref": "slipway/x", "sha": OTHER, "repo": None}))

    with pytest.raises(Conflict, match="bbbbbbb, not aaaaaaa"):
        merge()


def test_a_base_that_moved_this_moment_is_tried_again(merge, script):
    """Somebody else's merge was faster: that is no refusal."""
    script.then(405, {"message": "Base branch was modified. Review and try the merge again."})
    script.then(200, pull())

    with pytest.raises(Unavailable) as busy:
        merge()

    assert busy.value.retry_after == 1


def test_a_closed_or_absent_pull_request_is_not_merged(merge, script):
    """Each with its own reason."""
    script.then(405, {"message": "Pull Request is not mergeable"})
    script.then(200, pull(state="closed"))
    script.then(404, {"message": "Not Found"})

    with pytest.raises(Refused, match="closed"):
        merge()
    with pytest.raises(NotFound):
        merge()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (405, {"mergeable_state": "unknown", "mergeable": None}),
        (405, {"mergeable_state": "clean", "mergeable": None}),
        (409, {"mergeable_state": "clean", "mergeable": True}),
    ],
)
def test_what_is_still_being_worked_out_is_asked_again(merge, script, status, state):
    """GitHub works out in the background whether a pull request can be merged, and answers from old copies."""
    script.then(status, {"message": "Pull Request is not mergeable"})
    script.then(200, pull(**state))

    with pytest.raises(Unavailable) as later:
        merge()

    assert later.value.retry_after == 2
