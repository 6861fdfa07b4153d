"""Nothing that a client sends breaks the server, and branches that move by hand keep pull requests honest."""

import json
from typing import Any
from urllib.parse import quote

import github
import pytest

from bot.sandbox.github import routing

REPO = "acme/gitops"
BODIES: list[Any] = [
    None,
    [],
    "text",
    7,
    {},
    {"title": None, "body": None, "head": None, "base": None, "ref": None, "sha": None, "state": None},
    {
        "title": "t",
        "head": "nowhere",
        "base": "main",
        "body": "b",
        "name": "n",
        "head_sha": "zz",
        "content": "!!",
    },
    {
        "ref": "main",
        "sha": "zz",
        "tree": "zz",
        "parents": ["zz"],
        "message": "m",
        "state": "odd",
        "content": "x",
    },
    {"ref": "\ud800", "sha": "\x00" * 40, "message": "\x00", "title": "\x00", "body": "\x00", "name": "\x00"},
    {"tree": [{"path": "a", "sha": "f" * 40, "mode": "100644"}], "labels": [1, None], "assignees": [None]},
    {
        "tree": [
            {"path": "a", "mode": "999999", "content": ""},
            {"path": "a/b", "mode": "100644", "content": ""},
        ]
    },
    {
        "name": "x" * 9000,
        "color": "zz",
        "context": "c",
        "permission": "odd",
        "environment": "e",
        "event": "ODD",
    },
]
PARAMS = [
    "main",
    "1",
    "0",
    "-1",
    "99999999999999999999",
    "a" * 300,
    "f" * 40,
    "../..",
    "\x00",
    "%",
    "é ü",
    "HEAD",
    "@{-1}",
    "main:...",
]


def fill(path: str, value: str) -> str:
    """Put a value into every parameter except the repository's name."""
    filled = path.replace("{owner}", "acme").replace("{repo}", "gitops")
    parts = [part if not part.startswith("{") else quote(value, safe="/") for part in filled.split("/")]
    return "/".join(parts)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_no_request_breaks_the_server(town: Any, method: str) -> None:
    """Wrong types, odd names, huge numbers and broken text are refused, never met with a failure of ours."""
    bot = town.app_auth.get_installation_auth(town.installation, None)
    town.client(bot).get_repo(REPO)
    jwt = f"Bearer {town.app_auth.create_jwt()}"
    town.server.world.rate_limit = 10**9
    broken = []
    for route in [one for one in routing.ROUTES if one.method == method]:
        values = PARAMS if "{" in route.path.replace("{owner}", "").replace("{repo}", "") else [""]
        bodies = [None] if method == "GET" else BODIES
        for index in range(max(len(values), len(bodies))):
            path, body = fill(route.path, values[index % len(values)]), bodies[index % len(bodies)]
            auth = jwt if route.path.startswith("/app") else f"token {bot.token}"
            answer = town.wire.request(
                method,
                town.server.api_url + path,
                content=b"" if body is None else json.dumps(body).encode(),
                headers={"authorization": auth},
            )
            if answer.status_code >= 500:
                broken.append((route.path, path, body))

    assert broken == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{",
        "{ viewer { login } } }",
        'query { node(id: "\\u0000") { id } }',
        "mutation { addComment(input: {}) { subject { id } } }",
        '{ repository(owner: "", name: "") { id } }',
        "query($x: Int!) { viewer { login } }",
        '{ repository(owner: "acme", name: "gitops") { object(expression: "\\u0000:..") { id } ref(qualifiedName: "..") { id } } }',
    ],
)
def test_no_query_breaks_the_server(town: Any, query: str) -> None:
    """A bad document is answered with errors."""
    answer = town.call("POST", "/../graphql", body={"query": query}, login="writer")

    assert answer.status_code == 200
    assert "errors" in answer.json() or "data" in answer.json()


def branch_with_pull(hub: Any, name: str = "topic") -> Any:
    repo = hub.bot().get_repo(REPO)
    repo.create_git_ref(f"refs/heads/{name}", repo.get_branch("main").commit.sha)
    repo.create_file(f"{name}.txt", "New", name, branch=name)
    return repo.create_pull(base="main", head=name, title=name, body="")


def test_a_head_that_reached_the_base_counts_as_merged(hub: Any) -> None:
    """Somebody moved the base branch to the head by hand: the pull request is merged."""
    pull = branch_with_pull(hub)
    hub.person("writer").get_repo(REPO).get_git_ref("heads/main").edit(pull.head.sha)
    hub.settle()

    again = hub.bot().get_repo(REPO).get_pull(pull.number)
    assert (again.merged, again.merge_commit_sha, again.merged_by.login) == (True, pull.head.sha, "writer")
    assert hub.inbox.one("pull_request.closed")["pull_request"]["merged"]


def test_a_deleted_branch_closes_its_pull_request(hub: Any) -> None:
    """It is closed unmerged, and cannot be opened again while the branch is away."""
    pull = branch_with_pull(hub)
    hub.bot().get_repo(REPO).get_git_ref("heads/topic").delete()

    assert hub.bot().get_repo(REPO).get_pull(pull.number).state == "closed"
    with pytest.raises(github.GithubException) as caught:
        pull.edit(state="open")
    assert caught.value.status == 422


def test_a_forced_update_is_needed_to_go_back(hub: Any) -> None:
    """A reference moves forward only, unless forced; the push event tells which it was."""
    pull = branch_with_pull(hub)
    ref = hub.bot().get_repo(REPO).get_git_ref("heads/topic")
    base = hub.bot().get_repo(REPO).get_branch("main").commit.sha

    with pytest.raises(github.GithubException, match="not a fast forward"):
        ref.edit(base)
    ref.edit(base, force=True)
    hub.settle()
    pushes = [one.payload for one in hub.inbox.received if one.event == "push"]
    assert (pushes[-1]["forced"], pushes[-1]["before"], pushes[-1]["after"]) == (True, pull.head.sha, base)


def test_what_cannot_be_proposed_is_refused(hub: Any) -> None:
    """No branch, no commits, another owner's branch: 422 with the reason."""
    repo = hub.bot().get_repo(REPO)
    repo.create_git_ref("refs/heads/same", repo.get_branch("main").commit.sha)

    for head, reason in (("nowhere", "invalid"), ("same", "No commits between"), ("other:main", "invalid")):
        with pytest.raises(github.GithubException, match=reason) as caught:
            repo.create_pull(base="main", head=head, title="T", body="")
        assert caught.value.status == 422
