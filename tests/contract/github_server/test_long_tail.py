"""What a bot meets less often: pending reviews, changed bases, filters, updates from the base."""

from typing import Any

import pytest

REPO = "/repos/acme/gitops"


@pytest.fixture
def pull(hub: Any) -> str:
    """The path of an open pull request of the App, one commit on `topic`."""
    repo = hub.bot().get_repo("acme/gitops")
    repo.create_git_ref("refs/heads/topic", repo.get_branch("main").commit.sha)
    repo.create_file("new.txt", "New", "new", branch="topic")
    return f"{REPO}/pulls/{repo.create_pull(base='main', head='topic', title='T', body='B').number}"


def test_a_review_waits_until_it_is_submitted(hub: Any, pull: str) -> None:
    """Pending it is seen by its author only; submitted it counts; dismissed it does no more."""
    made = hub.call("POST", f"{pull}/reviews", login="writer", body={"body": "draft"}).json()
    seen = [len(hub.call("GET", f"{pull}/reviews", login=one).json()) for one in ("writer", "boss")]
    empty = hub.call("POST", f"{pull}/reviews/{made['id']}/events", login="writer", body={"event": "ODD"})
    given = hub.call(
        "POST", f"{pull}/reviews/{made['id']}/events", login="writer", body={"event": "APPROVE"}
    ).json()
    gone = hub.call("PUT", f"{pull}/reviews/{made['id']}/dismissals", body={"message": "stale"}).json()

    assert (made["state"], seen, empty.status_code) == ("PENDING", [1, 0], 422)
    assert (given["state"], gone["state"]) == ("APPROVED", "DISMISSED")
    assert hub.call("GET", f"{pull}/reviews/{made['id']}").json()["state"] == "DISMISSED"


def test_the_base_can_be_changed_and_merged_in(hub: Any, pull: str) -> None:
    """A pull request moves to another base, and takes in what happened there."""
    head = hub.call("GET", f"{REPO}/commits/main").json()["sha"]
    hub.call("POST", f"{REPO}/git/refs", body={"ref": "refs/heads/other", "sha": head})
    hub.call("PUT", f"{REPO}/contents/o", body={"message": "o", "content": "bw==", "branch": "other"})
    moved = hub.call("PATCH", pull, body={"base": "other"}).json()
    updated = hub.call("PUT", f"{pull}/update-branch", body={"expected_head_sha": moved["head"]["sha"]})
    after = hub.call("GET", pull).json()

    assert (moved["base"]["ref"], updated.status_code, after["commits"]) == ("other", 202, 2)
    assert hub.call("PATCH", pull, body={"base": "nowhere"}).status_code == 422
    assert hub.call("PATCH", pull, body={"state": "odd"}).status_code == 422


def test_reviewers_are_asked_and_let_go(hub: Any, pull: str) -> None:
    """Only people of the repository can be asked."""
    asked = hub.call(
        "POST", f"{pull}/requested_reviewers", body={"reviewers": ["writer"], "team_reviewers": ["ml"]}
    )
    let_go = hub.call("DELETE", f"{pull}/requested_reviewers", body={"reviewers": ["writer"]}).json()
    stranger = hub.call("POST", f"{pull}/requested_reviewers", body={"reviewers": ["stranger"]})

    assert [one["login"] for one in asked.json()["requested_reviewers"]] == ["writer"]
    assert (let_go["requested_reviewers"], len(let_go["requested_teams"])) == ([], 1)
    assert stranger.status_code == 422


def test_listings_are_filtered(hub: Any, pull: str) -> None:
    """By state, label, author, assignee, path and branch."""
    hub.call("POST", f"{REPO}/issues", login="reader", body={"title": "I", "labels": ["bug", {"name": "ml"}]})
    hub.call("PATCH", f"{REPO}/issues/2", login="boss", body={"assignees": ["writer"], "state": "closed"})

    def numbers(query: str) -> list[int]:
        return [one["number"] for one in hub.call("GET", f"{REPO}/issues?{query}").json()]

    assert numbers("state=all&direction=asc") == [1, 2]
    assert numbers("state=closed&labels=bug,ml&creator=reader&assignee=writer") == [2]
    assert numbers("labels=none") == []
    assert numbers("since=2999-01-01T00:00:00Z&state=all") == []
    assert len(hub.call("GET", f"{REPO}/pulls?head=acme:topic&base=main&sort=updated").json()) == 1
    assert hub.call("GET", f"{REPO}/pulls?head=acme:nowhere").json() == []
    assert len(hub.call("GET", f"{REPO}/commits?sha=topic&path=new.txt").json()) == 1
    assert hub.call("GET", f"{REPO}/commits?until=2000-01-01T00:00:00Z").json() == []
    assert hub.call("GET", f"{REPO}/commits/nowhere").status_code == 422


def test_stale_contents_are_refused(hub: Any) -> None:
    """Replacing a file needs the sha of what is replaced."""
    body = {"message": "m", "content": "eA=="}
    path = f"{REPO}/contents/README.md"
    sha = hub.call("GET", path).json()["sha"]

    assert hub.call("PUT", path, body=body).status_code == 422
    assert hub.call("PUT", path, body=body | {"sha": "0" * 40}).status_code == 409
    assert hub.call("PUT", path, body=body | {"sha": sha, "branch": "none"}).status_code == 404
    assert hub.call("PUT", f"{REPO}/contents/models", body=body).status_code == 422
    assert hub.call("PUT", path, body=body | {"sha": sha, "content": "%%"}).status_code == 422
    assert hub.call("DELETE", path, body={"message": "Gone", "sha": sha}).status_code == 200
    assert hub.call("GET", path).status_code == 404


def test_the_webhook_can_be_read_and_moved(hub: Any) -> None:
    """Its secret is never shown."""
    jwt = {"authorization": f"Bearer {hub.app_auth.create_jwt()}"}
    shown = hub.call("GET", "/app/hook/config", login=None, **jwt).json()
    moved = hub.call(
        "PATCH", "/app/hook/config", login=None, body={"url": "http://127.0.0.1:1/x"}, **jwt
    ).json()
    wrong = hub.call("PATCH", "/app/hook/config", login=None, body={"url": "nowhere"}, **jwt)

    assert (shown["url"], shown["secret"]) == (hub.inbox.url, "********")
    assert (moved["url"], wrong.status_code) == ("http://127.0.0.1:1/x", 422)


def test_rules_are_read_and_dropped(hub: Any) -> None:
    """Branch protection can be set, read and taken away by an administrator."""
    place = f"{REPO}/branches/main/protection"
    rules = {
        "required_status_checks": {"strict": True, "checks": [{"context": "gates"}]},
        "required_pull_request_reviews": {"required_approving_review_count": 2},
        "enforce_admins": True,
        "restrictions": None,
    }

    assert hub.call("GET", place).status_code == 404
    assert hub.call("PUT", place, body=rules).json()["required_status_checks"]["contexts"] == ["gates"]
    assert hub.call("GET", f"{REPO}/branches/main").json()["protected"]
    assert hub.call("DELETE", f"{REPO}/git/refs/heads/main").status_code == 422
    assert hub.call("DELETE", place).status_code == 204
    assert not hub.call("GET", f"{REPO}/branches/main").json()["protected"]
