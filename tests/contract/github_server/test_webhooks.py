"""What is delivered looks like what GitHub delivers."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.github import GitHubServer

REPO = "acme/gitops"
DEPTH = 3
EVENTS = (
    "issue_comment.created",
    "issue_comment.edited",
    "issue_comment.deleted",
    "pull_request.opened",
    "pull_request.closed",
    "pull_request.reopened",
    "pull_request.labeled",
    "pull_request.unlabeled",
    "pull_request.assigned",
    "pull_request.review_requested",
    "pull_request.synchronize",
    "pull_request_review.submitted",
    "push",
    "check_run.created",
    "check_run.completed",
    "check_run.rerequested",
    "deployment_status.created",
    "installation.created",
    "installation_repositories.added",
)
# Fields of retired features, and those of the organisations and forks that the recorded examples lived in.
NOT_SERVED = {"organization", "installation", "template_repository", "parent", "source", "temp_clone_token"}


def common(samples: list[Any], depth: int) -> Any:
    """The keys that every recorded example has, with theirs below."""
    if depth == 0 or not samples or not all(isinstance(one, dict) for one in samples):
        return None
    keys = set.intersection(*(set(one) for one in samples)) - NOT_SERVED
    return {key: common([one[key] for one in samples], depth - 1) for key in keys}


def missing(wanted: Any, payload: Any, place: str = "") -> list[str]:
    if wanted is None or not isinstance(payload, dict):
        return []
    lost = [f"{place}/{key}" for key in wanted if key not in payload]
    return lost + [
        one
        for key in wanted
        if key in payload
        for one in missing(wanted[key], payload[key], f"{place}/{key}")
    ]


@pytest.fixture
def told(hub: Any) -> Any:
    """The webhook's inbox after something of every kind happened."""
    repo = hub.bot().get_repo(REPO)
    head = repo.get_branch("main").commit.sha
    repo.create_git_ref("refs/heads/topic", head)
    repo.create_file("new.txt", "New", "new", branch="topic")
    pull = repo.create_pull(base="main", head="topic", title="T", body="B")
    pull.add_to_labels("canary")
    pull.remove_from_labels("canary")
    pull.create_review_request(reviewers=["writer"])
    pull.add_to_assignees("writer")
    repo.create_file("more.txt", "More", "more", branch="topic")
    person = hub.person("writer").get_repo(REPO)
    person.get_pull(pull.number).create_review(event="APPROVE", body="ok")
    comment = person.get_issue(pull.number).create_comment("/help")
    comment.edit("/status")
    check = repo.create_check_run("canary", head, status="in_progress")
    check.edit(conclusion="success")
    hub.call("POST", f"/repos/{REPO}/check-runs/{check.id}/rerequest", login="writer")
    repo.create_deployment(head, environment="staging", required_contexts=[]).create_status("success")
    pull.edit(state="closed")
    pull.edit(state="open")
    comment.delete()
    hub.server.create_repository("acme/second", {"a": b"a"})
    hub.server.cover(hub.installation, [REPO, "acme/second"])
    hub.settle()
    return hub.inbox


def test_payloads_have_what_the_recorded_ones_have(told: Any, shared_data: Path) -> None:
    """Every key that all recorded examples of an event share is in ours, three levels deep."""
    lost = {}
    for name in EVENTS:
        files = sorted((shared_data / "github-webhooks").glob(f"{name}.*.json"))
        samples = [json.loads(one.read_text()) for one in files]
        assert samples, name
        lost[name] = missing(common(samples, DEPTH), told.one(name))

    assert {name: keys for name, keys in lost.items() if keys} == {}


def test_deliveries_are_signed_and_named(told: Any) -> None:
    """Each carries an HMAC of the raw body, the event, an id of its own and the App it is for."""
    for one in told.received:
        expected = "sha256=" + hmac.new(b"hook-secret", one.raw, hashlib.sha256).hexdigest()

        assert one.headers["x-hub-signature-256"] == expected
        assert one.headers["x-github-hook-installation-target-type"] == "integration"
        assert one.payload["installation"]["id"]
    ids = [one.headers["x-github-delivery"] for one in told.received]
    assert len(set(ids)) == len(ids)


def test_the_sender_is_who_did_it(told: Any) -> None:
    """People and bots are told apart by the sender's type."""
    assert told.one("issue_comment.created")["sender"]["login"] == "writer"
    assert (
        told.one("pull_request.opened")["sender"] == told.one("pull_request.opened")["pull_request"]["user"]
    )
    assert told.one("pull_request.opened")["sender"]["type"] == "Bot"


def test_a_refused_delivery_is_recorded_and_not_repeated(hub: Any) -> None:
    """An answer of 500 is written down; nobody tries again."""
    hub.settle()
    hub.inbox.status = 500
    before = len(hub.inbox.received)
    hub.person("reader").get_repo(REPO).create_issue("Hello")
    hub.settle()

    last = hub.server.world.state.deliveries[-1]
    assert (last.status_code, len(hub.inbox.received)) == (500, before + 1)


def test_only_subscribed_events_are_sent(hub: Any) -> None:
    """An App hears what it subscribed to and may know."""
    deaf = hub.server.create_app(
        "deaf", permissions={"issues": "read"}, events=["push"], webhook_url=hub.inbox.url
    )
    hub.server.install(deaf, [REPO])
    hub.person("writer").get_repo(REPO).create_file("x", "X", "x")
    hub.settle()

    events = [one.event for one in hub.server.world.state.deliveries if one.app == deaf.id]
    assert events == ["installation"]


def test_a_restarted_server_goes_on(hub: Any) -> None:
    """State and repositories are on disk when the server has stopped."""
    issue = hub.person("reader").get_repo(REPO).create_issue("Hello")
    hub.settle()
    hub.server.stop()
    again = GitHubServer(hub.server.world.root)
    try:
        repo = again.world.repository("acme", "gitops")

        assert repo is not None
        assert repo.issues[issue.number].title == "Hello"
        assert again.world.git(repo).branch("main") is not None
    finally:
        again.stop()
