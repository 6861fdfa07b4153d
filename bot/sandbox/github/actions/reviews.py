"""Reviews of pull requests."""

from bot.sandbox.github import events
from bot.sandbox.github.access import Actor
from bot.sandbox.github.actions.issues import check_body
from bot.sandbox.github.errors import not_found, unprocessable
from bot.sandbox.github.records import Issue, Review, ReviewState
from bot.sandbox.github.render.pulls import pull_of, pull_simple, review
from bot.sandbox.github.visit import Visit

STATES: dict[str, ReviewState] = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
}


def find_review(issue: Issue, number: int) -> Review:
    found = next((one for one in pull_of(issue).reviews if one.id == number), None)
    if found is None:
        raise not_found()
    return found


def create_review(
    at: Visit,
    issue: Issue,
    *,
    event: str | None,
    body: str,
    commit: str | None,
) -> Review:
    """Without an event the review stays pending until it is submitted."""
    pull = pull_of(issue)
    check_body("PullRequestReview", body)
    _check_event(at.actor, issue, event, body)
    git = at.git
    if commit is not None and (git.commit(commit) is None or not git.is_ancestor(commit, pull.head_sha)):
        raise unprocessable("Unprocessable Entity: commit_id is not part of the pull request")
    if any(one.state == "PENDING" and one.login == at.actor.login for one in pull.reviews):
        raise unprocessable("User can only have one pending review per pull request")
    made = Review(at.world.new_id(), at.actor.login, body, "PENDING", commit or pull.head_sha, None)
    pull.reviews.append(made)
    if event is not None:
        _submit(at, issue, made, event)
    return made


def submit_review(
    at: Visit,
    issue: Issue,
    pending: Review,
    *,
    event: str,
    body: str | None,
) -> None:
    if pending.login != at.actor.login:
        raise not_found()
    if pending.state != "PENDING":
        raise unprocessable("Can not submit a review that was submitted already")
    if body is not None:
        pending.body = body
    _check_event(at.actor, issue, event, pending.body)
    _submit(at, issue, pending, event)


def _check_event(actor: Actor, issue: Issue, event: str | None, body: str) -> None:
    if event is None:
        return
    if event not in STATES:
        raise unprocessable(
            f"Variable $event of type PullRequestReviewEvent was provided invalid value {event}"
        )
    if actor.login == issue.login and event != "COMMENT":
        deed = "approve" if event == "APPROVE" else "request changes on"
        raise unprocessable(f"Review Can not {deed} your own pull request")
    if event in {"COMMENT", "REQUEST_CHANGES"} and not body.strip():
        raise unprocessable("Unprocessable Entity: a body is needed for this event")


def _submit(at: Visit, issue: Issue, made: Review, event: str) -> None:
    made.state, made.submitted_at = STATES[event], at.world.now()
    pull = pull_of(issue)
    pull.reviewers = [login for login in pull.reviewers if login != at.actor.login]
    issue.updated_at = at.world.now()
    _emit(at, issue, made, "submitted")


def dismiss_review(at: Visit, issue: Issue, given: Review) -> None:
    if given.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise unprocessable("Can not dismiss a commented pull request review")
    given.state = "DISMISSED"
    _emit(at, issue, given, "dismissed")


def _emit(at: Visit, issue: Issue, given: Review, action: str) -> None:
    shown = review(at.world, at.repo, issue, given)
    shown["state"] = given.state.lower()
    payload = {"review": shown, "pull_request": pull_simple(at.world, at.repo, issue)}
    events.emit(at, "pull_request_review", action, payload)
