"""Every operation of GitHub's description that an App like ours meets is served, with answers that fit it."""

import base64
from typing import Any

import pytest

REPO = "/repos/acme/gitops"
PIN = "models/fraud/kustomization.yaml"


def test_every_described_operation_is_served(hub: Any, description: Any) -> None:
    """A walk over all operations of the slice; the harness validates each answer."""
    description.seen.clear()
    walk(hub)

    assert {name for name, _ in description.operations.values()} - description.seen == set()


def walk(hub: Any) -> None:
    def ok(
        method: str, path: str, expected: int, body: Any = None, login: str | None = "boss", **headers: str
    ) -> Any:
        answer = hub.call(method, path, body=body, login=login, **headers)
        assert answer.status_code == expected, (method, path, answer.status_code, answer.text[:300])
        return answer.json() if answer.content else None

    jwt = {"authorization": f"Bearer {hub.app_auth.create_jwt()}"}
    ok("GET", "/app", 200, login=None, **jwt)
    ok("GET", "/app/installations", 200, login=None, **jwt)
    ok("GET", f"{REPO}/installation", 200, login=None, **jwt)
    hub.settle()
    deliveries = ok("GET", "/app/hook/deliveries?per_page=1", 200, login=None, **jwt)
    ok("POST", f"/app/hook/deliveries/{deliveries[0]['id']}/attempts", 202, login=None, **jwt)
    minted = ok(
        "POST",
        f"/app/installations/{hub.installation}/access_tokens",
        201,
        {"repositories": ["gitops"]},
        login=None,
        **jwt,
    )
    bot = {"authorization": f"token {minted['token']}", "login": None}
    ok("GET", "/installation/repositories", 200, **bot)
    ok("GET", "/rate_limit", 200)
    ok("GET", "/users/writer", 200)
    ok("GET", f"/user/installations/{hub.installation}/repositories", 200)
    ok("GET", "/orgs/acme/members/writer", 204)
    ok("GET", "/orgs/acme/teams/ml", 200)
    ok("GET", "/orgs/acme/teams/ml/memberships/writer", 200)
    ok("GET", "/orgs/acme/teams/ml/memberships/reader", 404)
    _repository(ok, bot)
    number = _pull(ok, bot)
    _issues(ok, bot, number)
    _checks(ok, bot)
    ok("PUT", f"{REPO}/pulls/{number}/update-branch", 422)
    ok("GET", f"{REPO}/pulls/{number}/merge", 404)
    ok("PUT", f"{REPO}/pulls/{number}/merge", 200, {"merge_method": "squash"}, **bot)
    ok("GET", f"{REPO}/pulls/{number}/merge", 204)


def _repository(ok: Any, bot: dict[str, Any]) -> None:
    ok("GET", REPO, 200)
    head = ok("GET", f"{REPO}/branches/main", 200)["commit"]["sha"]
    ok("GET", f"{REPO}/collaborators/writer/permission", 200)
    ok("GET", f"{REPO}/commits?path={PIN}", 200)
    ok("GET", f"{REPO}/commits/main", 200)
    ok("GET", f"{REPO}/contents/models", 200)
    content = ok("GET", f"{REPO}/contents/{PIN}?ref=main", 200)
    blob = ok("POST", f"{REPO}/git/blobs", 201, {"content": "hello", "encoding": "utf-8"}, **bot)["sha"]
    ok("GET", f"{REPO}/git/blobs/{blob}", 200)
    tree = ok(
        "POST",
        f"{REPO}/git/trees",
        201,
        {
            "base_tree": head,
            "tree": [{"path": "deep/er/file.txt", "mode": "100644", "type": "blob", "sha": blob}],
        },
        **bot,
    )["sha"]
    ok("GET", f"{REPO}/git/trees/{tree}?recursive=1", 200)
    commit = ok(
        "POST", f"{REPO}/git/commits", 201, {"message": "Deep", "tree": tree, "parents": [head]}, **bot
    )
    assert commit["verification"]["verified"]
    ok("GET", f"{REPO}/git/commits/{commit['sha']}", 200)
    ok("POST", f"{REPO}/git/refs", 201, {"ref": "refs/heads/topic/one", "sha": head}, **bot)
    ok("PATCH", f"{REPO}/git/refs/heads/topic/one", 200, {"sha": commit["sha"]}, **bot)
    ok("GET", f"{REPO}/git/ref/heads/topic/one", 200)
    ok("GET", f"{REPO}/git/matching-refs/heads/topic", 200)
    ok("GET", f"{REPO}/compare/main...topic/one", 200)
    data = base64.b64encode(b"images: v9\n").decode()
    ok(
        "PUT",
        f"{REPO}/contents/{PIN}",
        200,
        {"message": "Bump", "content": data, "sha": content["sha"], "branch": "topic/one"},
        **bot,
    )
    ok("POST", f"{REPO}/git/refs", 201, {"ref": "refs/heads/gone", "sha": head}, **bot)
    ok("DELETE", f"{REPO}/git/refs/heads/gone", 204, **bot)


def _pull(ok: Any, bot: dict[str, Any]) -> int:
    pull = ok(
        "POST", f"{REPO}/pulls", 201, {"title": "T", "head": "topic/one", "base": "main", "body": None}, **bot
    )
    number = pull["number"]
    ok("GET", f"{REPO}/pulls?head=acme:topic/one&state=all", 200)
    ok("GET", f"{REPO}/pulls/{number}", 200)
    ok("PATCH", f"{REPO}/pulls/{number}", 200, {"title": "Better"}, **bot)
    ok("GET", f"{REPO}/pulls/{number}/commits", 200)
    ok("GET", f"{REPO}/pulls/{number}/files", 200)
    ok("POST", f"{REPO}/pulls/{number}/requested_reviewers", 201, {"reviewers": ["writer"]}, **bot)
    ok("POST", f"{REPO}/pulls/{number}/reviews", 200, {"event": "APPROVE"}, login="writer")
    ok("GET", f"{REPO}/pulls/{number}/reviews", 200)
    return number


def _issues(ok: Any, bot: dict[str, Any], number: int) -> None:
    ok("GET", f"{REPO}/issues/{number}", 200)
    ok("PATCH", f"{REPO}/issues/{number}", 200, {"body": "new"}, **bot)
    ok("POST", f"{REPO}/issues/{number}/assignees", 201, {"assignees": ["writer"]}, **bot)
    comment = ok("POST", f"{REPO}/issues/{number}/comments", 201, {"body": "hello"}, **bot)["id"]
    ok("GET", f"{REPO}/issues/{number}/comments", 200)
    ok("GET", f"{REPO}/issues/comments/{comment}", 200)
    ok("PATCH", f"{REPO}/issues/comments/{comment}", 200, {"body": "edited"}, **bot)
    reaction = ok("POST", f"{REPO}/issues/comments/{comment}/reactions", 201, {"content": "rocket"}, **bot)[
        "id"
    ]
    ok("POST", f"{REPO}/issues/comments/{comment}/reactions", 200, {"content": "rocket"}, **bot)
    ok("GET", f"{REPO}/issues/comments/{comment}/reactions", 200)
    ok("DELETE", f"{REPO}/issues/comments/{comment}/reactions/{reaction}", 204, **bot)
    ok("DELETE", f"{REPO}/issues/comments/{comment}", 204, **bot)
    ok("POST", f"{REPO}/labels", 201, {"name": "area/ml", "color": "ff0000", "description": "d"}, **bot)
    ok("GET", f"{REPO}/labels/area%2Fml", 200)
    ok("POST", f"{REPO}/issues/{number}/labels", 200, {"labels": ["area/ml"]}, **bot)
    ok("GET", f"{REPO}/issues/{number}/labels", 200)
    ok("PUT", f"{REPO}/issues/{number}/labels", 200, ["area/ml", "new"], **bot)
    ok("DELETE", f"{REPO}/issues/{number}/labels/area%2Fml", 200, **bot)


def _checks(ok: Any, bot: dict[str, Any]) -> None:
    sha = ok("GET", f"{REPO}/commits/topic%2Fone", 200)["sha"]
    check = ok("POST", f"{REPO}/check-runs", 201, {"name": "gates", "head_sha": sha}, **bot)["id"]
    ok("GET", f"{REPO}/check-runs/{check}", 200)
    ok("PATCH", f"{REPO}/check-runs/{check}", 200, {"conclusion": "success"}, **bot)
    ok("GET", f"{REPO}/commits/{sha}/check-runs", 200)
    ok("POST", f"{REPO}/statuses/{sha}", 201, {"state": "success", "context": "ci"}, **bot)
    ok("GET", f"{REPO}/commits/{sha}/status", 200)
    deployment = ok(
        "POST", f"{REPO}/deployments", 201, {"ref": "topic/one", "environment": "staging"}, **bot
    )["id"]
    ok("GET", f"{REPO}/deployments?environment=staging", 200)
    ok("POST", f"{REPO}/deployments/{deployment}/statuses", 201, {"state": "in_progress"}, **bot)
    ok("GET", f"{REPO}/deployments/{deployment}/statuses", 200)


@pytest.mark.parametrize("field", ["title", "body"])
def test_over_long_words_are_refused(hub: Any, field: str) -> None:
    """422 in GitHub's shape, naming the field."""
    body = {"title": "t", "body": "b"} | {field: "x" * 65_537}
    answer = hub.call("POST", f"{REPO}/issues", body=body, login="reader")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_pages_are_linked(hub: Any) -> None:
    """Listings come in pages that name the next and the last, on the address that was asked."""
    for number in range(5):
        hub.call("POST", f"{REPO}/issues", body={"title": f"Issue {number}"}, login="reader")
    first = hub.call("GET", f"{REPO}/issues?per_page=2&state=open")
    last = hub.call("GET", f"{REPO}/issues?per_page=2&state=open&page=3")

    assert [one["number"] for one in first.json()] == [5, 4]
    assert first.links["next"]["url"] == f"{hub.server.api_url}{REPO}/issues?per_page=2&state=open&page=2"
    assert set(first.links) == {"next", "last"}
    assert set(last.links) == {"prev", "first"}


def test_an_unchanged_answer_is_free(hub: Any) -> None:
    """A matching ETag gives 304 without a body, and costs nothing of the rate limit."""
    first = hub.call("GET", REPO)
    again = hub.call("GET", REPO, **{"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"]


def test_a_spent_rate_limit_refuses(hub: Any) -> None:
    """403 with nothing remaining and the time when the window ends."""
    hub.server.world.rate_limit = 2
    answers = [hub.call("GET", REPO, login="reader") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 403]
    assert answers[2].headers["x-ratelimit-remaining"] == "0"
    assert int(answers[2].headers["x-ratelimit-reset"]) > 0
