"""Two worlds for one suite of promises: the forge in memory, and the real adapter against a real server.

Whatever the adapter sends is recorded on its way out and checked against GitHub's own OpenAPI description.
"""

import base64
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Protocol

import httpx
import pytest

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

    def rename(self, name):
        self.forge.rename(name)
        return self.forge

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

    def rename(self, name):
        self.server.rename(self.repository, name)
        self.repository = name
        return self.app.forge(self.installation, name)

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
