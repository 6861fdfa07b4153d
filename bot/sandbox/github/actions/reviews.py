"""Reviews of pull requests."""

from bot.sandbox.github import events
from bot.sandbox.github.access import Actor
from bot.sandbox.github.actions.issues import check_body
from bot.sandbox.github.errors import not_found, unprocessable
from bot.sandbox.github.records import Issue, Repository, Review, ReviewState
from bot.sandbox.github.render.pulls import pull_of, pull_simple, review
from bot.sandbox.github.world import World

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
    world: World,
    repo: Repository,
    actor: Actor,
    issue: Issue,
    *,
    event: str | None,
    body: str,
    commit: str | None,
) -> Review:
    """Without an event the review stays pending until it is submitted."""
    pull = pull_of(issue)
    check_body("PullRequestReview", body)
    _check_event(actor, issue, event, body)
    git = world.git(repo)
    if commit is not None and (git.commit(commit) is None or not git.is_ancestor(commit, pull.head_sha)):
        raise unprocessable("Unprocessable Entity: commit_id is not part of the pull request")
    if any(one.state == "PENDING" and one.login == actor.login for one in pull.reviews):
        raise unprocessable("User can only have one pending review per pull request")
    made = Review(world.new_id(), actor.login, body, "PENDING", commit or pull.head_sha, None)
    pull.reviews.append(made)
    if event is not None:
        _submit(world, repo, actor, issue, made, event)
    return made


def submit_review(
    world: World,
    repo: Repository,
    actor: Actor,
    issue: Issue,
    pending: Review,
    *,
    event: str,
    body: str | None,
) -> None:
    if pending.login != actor.login:
        raise not_found()
    if pending.state != "PENDING":
        raise unprocessable("Can not submit a review that was submitted already")
    if body is not None:
        pending.body = body
    _check_event(actor, issue, event, pending.body)
    _submit(world, repo, actor, issue, pending, event)


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


def _submit(world: World, repo: Repository, actor: Actor, issue: Issue, made: Review, event: str) -> None:
    made.state, made.submitted_at = STATES[event], world.now()
    pull = pull_of(issue)
    pull.reviewers = [login for login in pull.reviewers if login != actor.login]
    issue.updated_at = world.now()
    _emit(world, repo, actor, issue, made, "submitted")


def dismiss_review(world: World, repo: Repository, actor: Actor, issue: Issue, given: Review) -> None:
    if given.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise unprocessable("Can not dismiss a commented pull request review")
    given.state = "DISMISSED"
    _emit(world, repo, actor, issue, given, "dismissed")


def _emit(world: World, repo: Repository, actor: Actor, issue: Issue, given: Review, action: str) -> None:
    shown = review(world, repo, issue, given)
    shown["state"] = given.state.lower()
    payload = {"review": shown, "pull_request": pull_simple(world, repo, issue)}
    events.emit(world, repo, actor, "pull_request_review", action, payload)
