"""A running GitHub-compatible server whose every answer is held against GitHub's own OpenAPI description."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import github
import httpx
import jsonschema
import pytest

from bot.sandbox.github import AppKeys, GitHubServer, routing

REPO = "acme/gitops"
PERMISSIONS = {
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "deployments": "write",
    "statuses": "write",
    "members": "read",
}
EVENTS = [
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "push",
    "check_run",
    "deployment",
    "deployment_status",
    "issues",
    "status",
    "create",
    "delete",
    "label",
]
FILES = {
    "README.md": b"# GitOps\n",
    "models/fraud/kustomization.yaml": b"images:\n- name: fraud\n  newTag: v1\n",
}
# Answers that any operation may give though GitHub's description lists them for some only.
ANYWHERE = {"304", "400", "401", "403", "404", "405", "409", "422"}


class Slice:
    """GitHub's description of its operations; `broken` collects what a served answer violates."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.components = {"components": {"schemas": document["schemas"]}}
        # The path with the most fixed text wins: `/commits/{ref}/status` before `/commits/{ref}`.
        # Comparing is described twice, under its old name too.
        self.operations = {
            (op["method"], _template(op["path"])): (op["id"], op["responses"])
            for op in document["ops"]
            if op["id"] != "repos/compare-commits"
        }
        self.seen: set[str] = set()
        self.broken: list[str] = []
        self._validators: dict[tuple[str, str], jsonschema.Draft202012Validator] = {}

    def check(self, route: routing.Route, status: int, body: Any) -> None:
        """Compare what a route answered with what GitHub describes for the same path."""
        name, responses = self.operations.get((route.method, _template(route.path)), (None, {}))
        if name is None:
            return
        self.seen.add(name)
        if str(status) not in responses and str(status) not in ANYWHERE:
            self.broken.append(f"{name}: status {status} is not described")
        schema = responses.get(str(status))
        if schema is not None and body is not None and status < 400:
            self._validate(name, str(status), schema, body)

    def _validate(self, name: str, status: str, schema: dict[str, Any], body: Any) -> None:
        if (name, status) not in self._validators:
            self._validators[name, status] = jsonschema.Draft202012Validator(schema | self.components)
        for error in self._validators[name, status].iter_errors(json.loads(json.dumps(body))):
            place = "/".join(str(part) for part in error.absolute_path)
            self.broken.append(f"{name} {status} at {place}: {error.message[-200:]}")


def _template(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


@pytest.fixture(scope="session")
def description(shared_data: Path) -> Slice:
    return Slice(json.loads((shared_data / "github-openapi-slice.json").read_text()))


@dataclass
class Received:
    headers: dict[str, str]
    raw: bytes

    @property
    def event(self) -> str:
        return self.headers["x-github-event"]

    @property
    def payload(self) -> dict[str, Any]:
        return json.loads(self.raw)

    @property
    def name(self) -> str:
        action = self.payload.get("action")
        return f"{self.event}.{action}" if action else self.event


@dataclass
class Inbox:
    """What arrived at the App's webhook; `status` is what it answers."""

    url: str
    received: list[Received] = field(default_factory=list)
    status: int = 202

    def names(self) -> list[str]:
        return [one.name for one in self.received]

    def one(self, name: str) -> dict[str, Any]:
        return next(one.payload for one in self.received if one.name == name)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            box.received.append(Received({k.lower(): v for k, v in self.headers.items()}, raw))
            self.send_response(box.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box = Inbox(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield box
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Hub:
    """The server with one repository, one App installed there, and people of each kind."""

    server: GitHubServer
    app: AppKeys
    installation: int
    tokens: dict[str, str]
    inbox: Inbox
    wire: httpx.Client

    def settle(self) -> None:
        assert self.server.outbox.settle(60)

    def client(self, auth: github.Auth.Auth) -> github.Github:
        return github.Github(
            auth=auth,
            base_url=self.server.api_url,
            seconds_between_requests=0,
            seconds_between_writes=0,
            retry=None,
        )

    @property
    def app_auth(self) -> github.Auth.AppAuth:
        return github.Auth.AppAuth(self.app.id, self.app.private_key_pem, jwt_expiry=300)

    def bot(self, **permissions: str) -> github.Github:
        return self.client(self.app_auth.get_installation_auth(self.installation, permissions or None))

    def person(self, login: str) -> github.Github:
        return self.client(github.Auth.Token(self.tokens[login]))

    def call(
        self, method: str, path: str, *, login: str | None = "boss", body: Any = None, **headers: str
    ) -> httpx.Response:
        if login is not None:
            headers["authorization"] = f"token {self.tokens[login]}"
        return self.wire.request(method, self.server.api_url + path, json=body, headers=headers)


@contextmanager
def running(root: Path, inbox: Inbox, description: Slice) -> Iterator[Hub]:
    """The whole of it; leaving fails where an answer did not fit GitHub's description."""
    real: Callable[..., routing.Answer] = routing.answer

    def checked(found: routing.Route, call: routing.Call, headers: dict[str, str]) -> routing.Answer:
        done = real(found, call, headers)
        description.check(found, done.status, done.body)
        return done

    broken = len(description.broken)
    with pytest.MonkeyPatch.context() as patch, httpx.Client(trust_env=False, verify=False) as wire:
        patch.setattr(routing, "answer", checked)
        server = GitHubServer(root)
        server.start()
        tokens = {login: server.create_user(login) for login in ("boss", "writer", "reader", "stranger")}
        server.create_team("acme", "ml", ["writer"])
        server.create_repository(REPO, FILES)
        for login, role in (("boss", "admin"), ("writer", "write"), ("reader", "read")):
            server.add_collaborator(REPO, login, role)
        app = server.create_app(
            "slipway",
            permissions=PERMISSIONS,
            events=EVENTS,
            webhook_url=inbox.url or None,
            webhook_secret="hook-secret",
        )
        yield Hub(server, app, server.install(app, [REPO]), tokens, inbox, wire)
        server.stop()

    assert description.broken[broken:] == []


@pytest.fixture
def hub(tmp_path: Path, inbox: Inbox, description: Slice) -> Iterator[Hub]:
    """A world of its own for one test."""
    with running(tmp_path / "hub", inbox, description) as made:
        yield made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, description: Slice) -> Iterator[Hub]:
    """One world for many small questions; nobody listens to its webhooks."""
    with running(tmp_path_factory.mktemp("town"), Inbox(""), description) as made:
        yield made
