"""Two worlds for one suite of promises: the forge in memory, and the real adapter against a real server.

Whatever the adapter sends is recorded on its way out and checked against GitHub's own OpenAPI description.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import jsonschema
import pytest
import requests

from bot.adapters.github import GitHubApp
from bot.domain.pull import Permission
from bot.ports import Forge
from bot.sandbox.github import GitHubServer
from tests.fakes.forge import FakeForge

PERMISSIONS = {
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "deployments": "write",
    "members": "read",
    "actions": "write",
}
NOT_IN_THE_SLICE = {
    ("GET", "/repos/{owner}/{repo}/issues"),
    ("POST", "/repos/{owner}/{repo}/issues"),
    ("GET", "/repos/{owner}/{repo}/issues/comments"),
    ("GET", "/repos/{owner}/{repo}/rules/branches/main"),
    ("POST", "/repos/{owner}/{repo}/dispatches"),
    ("GET", "/repos/{owner}/{repo}/actions/workflows/integration.yml/runs"),
    ("POST", "/repos/{owner}/{repo}/actions/workflows/integration.yml/dispatches"),
    ("GET", "/repos/{owner}/{repo}/actions/workflows/absent.yml/runs"),
    ("POST", "/repos/{owner}/{repo}/actions/workflows/absent.yml/dispatches"),
}
"""Real operations of GitHub that the recorded description leaves out."""


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"


@dataclass
class Wire:
    """What went out, in order; a test may let calls fail.

    `denied`: the status that any path with such an end is answered with, without asking the server.
    `cut_after`: how many more answers arrive; the next request is carried out and its answer is lost.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    denied: dict[str, int] = field(default_factory=dict)
    cut_after: int | None = None

    @property
    def calls(self) -> list[str]:
        """All but the fetching of tokens and of the App's own name, which happen once."""
        return [
            f"{each.method} {re.sub('/api/v3|/repos/[^/]+/[^/]+', '', each.path)}"
            for each in self.exchanges
            if "/app" not in each.path
        ]

    def denial(self, request: requests.PreparedRequest) -> requests.Response | None:
        path = urlsplit(request.url).path
        for end, status in self.denied.items():
            if path.endswith(end):
                response = requests.Response()
                response.status_code = status
                response.url = request.url
                response._content = json.dumps({"message": f"denied with {status}"}).encode()
                return response
        return None

    def deliver(self, response: requests.Response) -> requests.Response:
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                raise requests.ConnectionError("the connection was lost before the answer came")
        return response


@pytest.fixture
def wire(monkeypatch) -> Wire:
    """Records each request of PyGithub's sessions and its answer's status."""
    wire = Wire()
    send = requests.adapters.HTTPAdapter.send

    def recording(self, request, **options):
        denied = wire.denial(request)  # a refusal is falsy
        response = send(self, request, **options) if denied is None else denied
        parts = urlsplit(request.url)
        wire.exchanges.append(
            Exchange(
                method=request.method,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                body=json.loads(request.body) if request.body else None,
                status=response.status_code,
            )
        )
        return wire.deliver(response)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", recording)
    return wire


class World(Protocol):
    """A repository with people in it."""

    forge: Forge

    def commit(self, branch: str, edits: Mapping[str, bytes], author: str = "alice") -> str: ...
    def comment(self, pull: int, author: str, body: str) -> int: ...
    def review(self, pull: int, author: str, state: str, body: str) -> None: ...
    def grant(self, login: str, permission: Permission) -> None: ...
    def close(self, pull: int, login: str) -> None: ...
    def merge(self, pull: int, login: str) -> None: ...
    def body(self, pull: int) -> str: ...
    def issues(self) -> list[tuple[int, str, str, str]]: ...
    def reviewers(self, pull: int) -> set[str]: ...


class FakeWorld:
    def __init__(self) -> None:
        self.forge = FakeForge()

    def commit(self, branch, edits, author="alice"):
        return self.forge.commit(branch, edits, author=author)

    def comment(self, pull, author, body):
        return self.forge.comment(pull, author, body)

    def review(self, pull, author, state, body):
        self.forge.review(pull, author, state, body)

    def grant(self, login, permission):
        self.forge.people[login] = permission

    def team(self, team, login):
        self.forge.teams.setdefault(team, set()).add(login)

    def close(self, pull, login):
        self.forge.close_as(pull, login)

    def merge(self, pull, login):
        self.forge.merge_as(pull, login)

    def body(self, pull):
        return self.forge.bodies[pull]

    def issues(self):
        return [(i.number, i.state, i.title, i.body) for i in self.forge.issues.values()]

    def workflow(self, name, text):
        self.forge.workflows.add(name)

    def conclude(self, run, conclusion):
        workflow, name, _ = self.forge.runs[run]
        self.forge.runs[run] = (workflow, name, conclusion)

    def events(self):
        return list(self.forge.events)

    def reviewers(self, pull):
        return set(self.forge.requested_reviewers.get(pull, ()))


class ServerWorld:
    """People speak REST with their own tokens; Slipway is an App of its own."""

    def __init__(self, server: GitHubServer, app: GitHubApp, installation: int, repository: str) -> None:
        self.server = server
        self.app = app
        self.installation = installation
        self.repository = repository
        self.forge = app.forge(installation, repository)
        self._tokens: dict[str, str] = {}
        self.grant("alice", Permission.ADMIN)

    def ask(self, login: str, verb: str, path: str, **options: Any) -> Any:
        if login not in self._tokens:
            self._tokens[login] = self.server.create_user(login)
        url = f"{self.server.api_url}/repos/{self.repository}{path}"
        headers = {"Authorization": f"Bearer {self._tokens[login]}"}
        answer = httpx.request(verb, url, headers=headers, trust_env=False, **options)
        assert answer.is_success, f"{verb} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def commit(self, branch, edits, author="alice"):
        refs = self.ask(author, "GET", "/git/matching-refs/heads/")
        heads = {ref["ref"].removeprefix("refs/heads/"): ref["object"]["sha"] for ref in refs}
        parent = heads.get(branch, heads["main"])
        entries = []
        for path, content in edits.items():
            blob = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            sha = self.ask(author, "POST", "/git/blobs", json=blob)["sha"]
            entries.append({"path": path, "mode": "100644", "type": "blob", "sha": sha})
        base = self.ask(author, "GET", f"/git/commits/{parent}")["tree"]["sha"]
        tree = self.ask(author, "POST", "/git/trees", json={"base_tree": base, "tree": entries})["sha"]
        commit = {"message": "Change", "tree": tree, "parents": [parent]}
        sha = self.ask(author, "POST", "/git/commits", json=commit)["sha"]
        if branch in heads:
            self.ask(author, "PATCH", f"/git/refs/heads/{branch}", json={"sha": sha})
        else:
            self.ask(author, "POST", "/git/refs", json={"ref": f"refs/heads/{branch}", "sha": sha})
        return sha

    def comment(self, pull, author, body):
        return self.ask(author, "POST", f"/issues/{pull}/comments", json={"body": body})["id"]

    def review(self, pull, author, state, body):
        event = {"approved": "APPROVE", "changes_requested": "REQUEST_CHANGES", "commented": "COMMENT"}[state]
        self.ask(author, "POST", f"/pulls/{pull}/reviews", json={"event": event, "body": body})

    def grant(self, login, permission):
        self._tokens.setdefault(login, self.server.create_user(login))
        self.server.add_collaborator(self.repository, login, permission.name.lower())

    def team(self, team, login):
        self._tokens.setdefault(login, self.server.create_user(login))
        self.server.create_team(self.repository.split("/")[0], team, [login])

    def workflow(self, name, text):
        self.commit("main", {f".github/workflows/{name}": text})

    def conclude(self, run, conclusion):
        self.server.conclude(self.repository, run, conclusion)

    def events(self):
        sent = self.server.dispatched(self.repository)
        return [(each["event_type"], each["client_payload"]) for each in sent]

    def close(self, pull, login):
        self.ask(login, "PATCH", f"/pulls/{pull}", json={"state": "closed"})

    def merge(self, pull, login):
        self.ask(login, "PUT", f"/pulls/{pull}/merge", json={})

    def body(self, pull):
        return self.ask("alice", "GET", f"/pulls/{pull}")["body"]

    def issues(self):
        listing = self.ask("alice", "GET", "/issues?state=all")
        return [(i["number"], i["state"], i["title"], i["body"]) for i in listing if "pull_request" not in i]

    def reviewers(self, pull):
        return {user["login"] for user in self.ask("alice", "GET", f"/pulls/{pull}")["requested_reviewers"]}


@pytest.fixture(scope="session")
def github_server(tmp_path_factory) -> Iterator[GitHubServer]:
    server = GitHubServer(tmp_path_factory.mktemp("github"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def app_keys(github_server):
    return github_server.create_app(
        "slipway", permissions=PERMISSIONS, events=["issue_comment", "pull_request", "push"]
    )


_OWNERS = count(1)


@pytest.fixture
def server_world(github_server, app_keys, wire, operations) -> Iterator[ServerWorld]:
    """A repository of its own, in which the App was just installed; at the end its requests are checked."""
    repository = f"octo{next(_OWNERS)}/gitops"
    github_server.create_repository(repository, {"README.md": b"Models\n"})
    installation = github_server.install(app_keys, [repository])
    app = GitHubApp(app_keys.id, app_keys.private_key_pem, github_server.api_url)
    yield ServerWorld(github_server, app, installation, repository)
    for exchange in wire.exchanges:
        operations.check(exchange)


@pytest.fixture(params=["fake", "server"])
def world(request) -> World:
    """Everything that is promised of a forge holds in both."""
    return FakeWorld() if request.param == "fake" else request.getfixturevalue("server_world")


def pattern(template: str) -> re.Pattern[str]:
    """A path of the description as a pattern; paths, refs and comparisons may hold slashes."""
    slashes = re.sub(r"\{(?:path|ref|basehead)\}", "(.+)", template)
    return re.compile(re.sub(r"\{[^/.]+\}", "([^/]+)", slashes))


class Operations:
    """GitHub's own description of its API, cut down: what may be sent where."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = {"components": {"schemas": document["schemas"]}}
        self._operations = [
            (operation["method"], pattern(operation["path"]), operation)
            # The longest first: a ref may hold slashes and would take what follows it.
            for operation in sorted(document["ops"], key=lambda each: -len(each["path"]))
        ]

    def check(self, exchange: Exchange) -> None:
        """Fail for an unknown operation, an unknown query parameter or field, or a body that does not fit."""
        path = unquote(exchange.path).removeprefix("/api/v3")
        if exchange.path.endswith("/graphql"):
            assert set(exchange.body) == {"query", "variables"}
            return
        if re.sub(r"^/repos/[^/]+/[^/]+", "/repos/{owner}/{repo}", path) in {
            allowed for method, allowed in NOT_IN_THE_SLICE if method == exchange.method
        }:
            return
        found = [
            operation
            for method, shape, operation in self._operations
            if method == exchange.method and shape.fullmatch(path)
        ]
        assert found, f"GitHub describes no {exchange.method} {path}"
        assert set(exchange.query) <= set(found[0]["query"]), f"{exchange}: {dict(exchange.query)}"
        schema = found[0]["request"]
        if exchange.body is not None:
            assert schema is not None, f"{exchange} takes no body"
            jsonschema.validate(exchange.body, {**schema, **self._schemas})
            known = schema.get("properties")
            assert known is None or set(exchange.body) <= set(known), f"{exchange}: {sorted(exchange.body)}"


@pytest.fixture(scope="session")
def operations(shared_data) -> Operations:
    return Operations(json.loads((shared_data / "github-openapi-slice.json").read_bytes()))
