"""GitHub's webhooks: `X-Hub-Signature-256` verified, then one of the events of `github_events`.

Commands come only from comments that were just created and reviews that were just submitted: an edited
comment says nothing new, whatever it says now.
"""

from collections.abc import Callable, Mapping, Sequence

from bot.webhooks import github_events as events
from bot.webhooks import signing
from bot.webhooks.errors import BadRequest, BadSignature
from bot.webhooks.reading import Fields, json_object, lower_case

SIGNATURE = "x-hub-signature-256"
SCHEME = "sha256="
BRANCH = "refs/heads/"
LATEST_CHANGES = frozenset(
    {"opened", "reopened", "synchronize", "edited", "labeled", "unlabeled"}
    | {"ready_for_review", "converted_to_draft"}
)


def parse(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> events.GitHubEvent:
    """Verify one delivery with any of the valid secrets and read it.

    Raises BadSignature or BadRequest, and nothing else, for any headers and any body.
    """
    named = lower_case(headers)
    _verify(named.get(SIGNATURE, ""), body, secrets)
    if named.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise BadRequest("the content type is not application/json: choose it in the webhook's settings")
    head = Fields({"delivery": named.get("x-github-delivery"), "event": named.get("x-github-event")})
    delivery, name = head.name("delivery"), head.name("event")
    payload = json_object(body)
    read = _READERS.get(name)
    if read is None:
        return _ignored(delivery, payload, f"{name} is no event that Slipway acts on")
    return read(delivery, payload)


def _verify(signature: str, body: bytes, secrets: Sequence[str]) -> None:
    if not signature.startswith(SCHEME):
        raise BadSignature("the delivery carries no sha256 signature")
    expected = [digest.hex().encode() for digest in signing.digests(secrets, body)]
    signing.verify(signature.removeprefix(SCHEME).encode("utf-8", "replace"), expected)


def _ignored(delivery: str, payload: Fields, reason: str) -> events.Ignored:
    return events.Ignored(
        delivery=delivery,
        installation=payload.optional_number("installation", "id"),
        repository=payload.optional_repository("repository", "full_name"),
        reason=reason,
    )


def _issue_comment(delivery: str, payload: Fields) -> events.GitHubEvent:
    if payload.find("action") != "created":
        return _ignored(delivery, payload, "only a comment that was just created may carry commands")
    return events.CommentCreated(
        delivery=delivery,
        installation=payload.optional_number("installation", "id"),
        repository=payload.repository("repository", "full_name"),
        pull=payload.number("issue", "number"),
        comment=payload.number("comment", "id"),
        author=payload.name("comment", "user", "login"),
        is_bot=_by_bot(payload, "comment"),
        body=payload.text("comment", "body"),
        created_at=payload.time("comment", "created_at"),
        url=payload.text("comment", "html_url"),
    )


def _by_bot(payload: Fields, what: str) -> bool:
    """A bot, or an App that speaks in a person's name: neither gives commands."""
    return (
        payload.find(what, "user", "type") != "User"
        or payload.name(what, "user", "login").endswith("[bot]")
        or payload.find(what, "performed_via_github_app") is not None
    )


def _from_fork(payload: Fields) -> bool:
    """Whether the branch lies in another repository. A fork that was deleted is null."""
    head = payload.find("pull_request", "head", "repo", "full_name")
    return head is None or head != payload.find("repository", "full_name")


def _pull_request(delivery: str, payload: Fields) -> events.GitHubEvent:
    action = payload.name("action")
    if action == "closed":
        merged = payload.flag("pull_request", "merged")
        return events.PullRequestClosed(
            delivery=delivery,
            installation=payload.optional_number("installation", "id"),
            repository=payload.repository("repository", "full_name"),
            pull=payload.number("pull_request", "number"),
            branch=payload.name("pull_request", "head", "ref"),
            head_sha=payload.commit("pull_request", "head", "sha"),
            base_branch=payload.name("pull_request", "base", "ref"),
            from_fork=_from_fork(payload),
            merge_sha=payload.commit("pull_request", "merge_commit_sha") if merged else None,
            by=payload.name("sender", "login"),
        )
    if action not in LATEST_CHANGES:
        return _ignored(delivery, payload, f"a pull request that was {action} stays what it was")
    return _changed(delivery, payload, action)


def _changed(delivery: str, payload: Fields, change: str) -> events.PullRequestChanged:
    return events.PullRequestChanged(
        delivery=delivery,
        installation=payload.optional_number("installation", "id"),
        repository=payload.repository("repository", "full_name"),
        pull=payload.number("pull_request", "number"),
        change=change,
        branch=payload.name("pull_request", "head", "ref"),
        head_sha=payload.commit("pull_request", "head", "sha"),
        base_branch=payload.name("pull_request", "base", "ref"),
        from_fork=_from_fork(payload),
        by=payload.name("sender", "login"),
    )


def _review(delivery: str, payload: Fields) -> events.GitHubEvent:
    action = payload.find("action")
    if action == "dismissed":
        return _changed(delivery, payload, "review_dismissed")
    if action != "submitted":
        return _ignored(delivery, payload, "only a review that was just submitted may carry commands")
    return events.ReviewSubmitted(
        delivery=delivery,
        installation=payload.optional_number("installation", "id"),
        repository=payload.repository("repository", "full_name"),
        pull=payload.number("pull_request", "number"),
        review=payload.number("review", "id"),
        author=payload.name("review", "user", "login"),
        is_bot=_by_bot(payload, "review"),
        state=payload.name("review", "state").lower(),
        commit=payload.commit("review", "commit_id"),
        body=payload.text("review", "body"),
        submitted_at=payload.time("review", "submitted_at"),
        from_fork=_from_fork(payload),
    )


def _push(delivery: str, payload: Fields) -> events.GitHubEvent:
    ref = payload.name("ref")
    if not ref.startswith(BRANCH):
        return _ignored(delivery, payload, "not a branch was pushed")
    if payload.flag("deleted"):
        return _ignored(delivery, payload, "the branch was deleted")
    branch = ref.removeprefix(BRANCH)
    commits = payload.each("commits")
    return events.Pushed(
        delivery=delivery,
        installation=payload.optional_number("installation", "id"),
        repository=payload.repository("repository", "full_name"),
        branch=branch,
        sha=payload.commit("after"),
        files=tuple(
            sorted({path for commit in commits for kind in _FILES for path in commit.names(kind)}),
        ),
        to_default_branch=branch == payload.find("repository", "default_branch"),
        forced=payload.flag("forced"),
    )


_FILES = ("added", "modified", "removed")


def _check_run(delivery: str, payload: Fields) -> events.GitHubEvent:
    return _check(delivery, payload, "check_run", payload.optional_name("check_run", "name"))


def _check_suite(delivery: str, payload: Fields) -> events.GitHubEvent:
    return _check(delivery, payload, "check_suite", None)


def _check(delivery: str, payload: Fields, what: str, name: str | None) -> events.GitHubEvent:
    action = payload.find("action")
    if action == "rerequested":
        return events.CheckRerequested(
            delivery=delivery,
            installation=payload.optional_number("installation", "id"),
            repository=payload.repository("repository", "full_name"),
            name=name,
            head_sha=payload.commit(what, "head_sha"),
            by=payload.name("sender", "login"),
        )
    if action == "completed":
        return events.ChecksCompleted(
            delivery=delivery,
            installation=payload.optional_number("installation", "id"),
            repository=payload.repository("repository", "full_name"),
            head_sha=payload.commit(what, "head_sha"),
        )
    return _ignored(delivery, payload, "a check that has not finished decides nothing")


def _installation(delivery: str, payload: Fields) -> events.GitHubEvent:
    named = {key: _repositories(payload, key) for key in _REPOSITORIES}
    gone = payload.find("action") == "deleted"
    return events.InstallationChanged(
        delivery=delivery,
        installation=payload.number("installation", "id"),
        change=payload.name("action"),
        added=named["repositories_added"] + (() if gone else named["repositories"]),
        removed=named["repositories_removed"] + (named["repositories"] if gone else ()),
    )


_REPOSITORIES = ("repositories", "repositories_added", "repositories_removed")


def _repositories(payload: Fields, key: str) -> tuple[str, ...]:
    return tuple(repository.repository("full_name") for repository in payload.each(key))


def _ping(delivery: str, payload: Fields) -> events.GitHubEvent:
    return events.Ping(
        delivery=delivery,
        installation=payload.optional_number("installation", "id"),
        repository=payload.optional_repository("repository", "full_name"),
    )


_READERS: Mapping[str, Callable[[str, Fields], events.GitHubEvent]] = {
    "issue_comment": _issue_comment,
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "push": _push,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "installation": _installation,
    "installation_repositories": _installation,
    "ping": _ping,
}
