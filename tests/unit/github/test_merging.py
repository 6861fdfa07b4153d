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


def answered(script, *, rules=None, decision=None, contexts=None, runs=(), statuses=None):
    """What GitHub tells about the rules of the base branch; None: it tells nothing."""
    script.then(*((404, {}) if rules is None else (200, rules)))
    pull_request = {"repository": {"pullRequest": {"reviewDecision": decision}}}
    script.then(200, {"data": pull_request})
    script.then(*((404, {}) if contexts is None else (200, protected(contexts))))
    if contexts or any(rule["type"] == "required_status_checks" for rule in rules or ()):
        script.then(200, {"check_runs": list(runs)})
        script.then(*((403, {"message": "no"}) if statuses is None else (200, {"statuses": statuses})))


def protected(contexts):
    return {"protection": {"required_status_checks": {"contexts": contexts}}}


def methods(script):
    return [json.loads(each.body)["merge_method"] for each in script.sent if each.method == "PUT"]


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (405, {"mergeable_state": "dirty"}, "it conflicts"),
        (405, {"mergeable_state": "blocked"}, "a protection rule"),
        (405, {"mergeable_state": "behind"}, "`main` has moved on: `/retry` makes this bump anew"),
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
    answered(script)

    with pytest.raises(Refused, match=words):
        merge()


def test_the_kind_of_a_refusal_stays(merge, script):
    """A missing right is told as a missing right."""
    script.then(403, {"message": "Resource not accessible by integration"})
    script.then(200, pull(mergeable_state="blocked"))
    answered(script)

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


REVIEWS = {
    "type": "pull_request",
    "parameters": {"required_approving_review_count": 2, "require_code_owner_review": True},
}
THREADS = {"type": "pull_request", "parameters": {"required_review_thread_resolution": True}}
CHECKS = {
    "type": "required_status_checks",
    "parameters": {"required_status_checks": [{"context": "build", "integration_id": 5}]},
}
ASKED = {"requested_reviewers": [{"login": "maria"}], "requested_teams": [{"slug": "ml-owners"}]}
RUNNING = {"name": "ci", "status": "in_progress", "conclusion": None}
FAILED = {"name": "build", "status": "completed", "conclusion": "failure"}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"decision": "REVIEW_REQUIRED"},
            "an approving review by people who may write here (asked: maria, ml-owners)",
        ),
        (
            {"decision": "REVIEW_REQUIRED", "rules": [REVIEWS]},
            "2 approving reviews by people who may write here, a code owner of the changed files among them",
        ),
        ({"rules": [THREADS]}, "every conversation must be resolved"),
        ({"contexts": ["ci"]}, "the required check `ci` has not reported on this commit"),
        ({"contexts": ["ci"], "runs": [RUNNING]}, "the required check `ci` still runs"),
        ({"rules": [CHECKS], "runs": [FAILED]}, "the required check `build` ended with failure"),
        (
            {"contexts": ["ci"], "statuses": [{"context": "ci", "state": "error"}]},
            "the required check `ci` ended with error",
        ),
        ({"rules": [{"type": "merge_queue"}]}, "`main` has a merge queue: put it in there by hand"),
        ({"rules": [{"type": "update"}]}, "let Slipway's App bypass that rule"),
        ({"rules": [{"type": "required_signatures"}]}, "every commit must be signed"),
    ],
)
def test_what_the_rules_of_the_branch_still_ask_for_is_named(merge, script, told, words):
    """Who, which check, and what to do about it."""
    script.then(405, {"message": "Repository rule violations found."})
    script.then(200, pull(mergeable_state="blocked", **ASKED))
    answered(script, **told)

    with pytest.raises(Refused) as refused:
        merge()
    assert refused.value.message.startswith("Repository rule violations found. Missing: ")
    assert words in refused.value.message


def test_a_check_that_succeeded_is_not_blamed(merge, script):
    """Only what is missing is told, and nothing of it twice."""
    script.then(405, {"message": "Repository rule violations found."})
    script.then(200, pull(mergeable_state="blocked"))
    runs = [FAILED, RUNNING | {"conclusion": "success"}]
    answered(script, rules=[CHECKS], contexts=["ci", "build"], runs=runs)

    with pytest.raises(Refused) as refused:
        merge()
    assert refused.value.message.endswith("Missing: the required check `build` ended with failure.")


def test_whoever_asked_for_changes_is_named(merge, script):
    """Their last word counts, a mere comment does not."""
    script.then(405, {"message": "Changes have been requested."})
    script.then(200, pull(mergeable_state="blocked"))
    script.then(404, {})
    script.then(200, {"data": {"repository": {"pullRequest": {"reviewDecision": "CHANGES_REQUESTED"}}}})
    said = [
        ("paul", "CHANGES_REQUESTED"),
        ("maria", "CHANGES_REQUESTED"),
        ("paul", "APPROVED"),
        ("maria", "COMMENTED"),
    ]
    script.then(200, [{"user": {"login": login}, "state": state} for login, state in said])
    script.then(404, {})

    with pytest.raises(Refused, match="changes were requested by maria: they approve, or dismiss the review"):
        merge()


def test_an_explanation_that_cannot_be_had_leaves_the_refusal_as_it_is(merge, script):
    """Trouble while asking why is not told instead of the refusal."""
    script.then(405, {"message": "At least 1 approving review is required."})
    script.then(200, pull(mergeable_state="blocked"))
    for _ in range(3):
        script.then(502, {})

    with pytest.raises(
        Refused, match=r"^GitHub: At least 1 approving review is required\. \(a protection rule"
    ):
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
