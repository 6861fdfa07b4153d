"""Slipway as it runs, on the GitHub-compatible server: real adapter, real webhooks, real worker.

Only the registry, the cluster and the metrics are in memory. `Running` is one process for many repositories;
`Conversation` is one repository with its people.
"""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr
from sqlalchemy import Engine

from bot import bootstrap
from bot.adapters.clock import SystemClock
from bot.adapters.database.store import PostgresStore
from bot.adapters.github import GitHubApp
from bot.domain import app_rights
from bot.domain.evidence import Metric, VersionEvidence
from bot.domain.live import Liveness, LiveState
from bot.jobs.events import EVENTS
from bot.jobs.outside import Outside
from bot.jobs.store import Delivery
from bot.messages import replies
from bot.ports import Clock
from bot.sandbox.github import GitHubServer
from bot.sandbox.github.server import AppKeys, listen
from bot.settings import Settings
from bot.webhooks.mlflow import RegistryChanged
from tests.fakes.registry import FakeRegistry

SECRET = "made-for-this-run"
WITHIN = 60.0
POLL = 0.02

CONFIG = """\
version: 1
models:
  MODEL:
    when: {alias: candidate}
    storage: "models:/{model}/{version}"
    environments:
      staging:
        targets: [{file: staging.yaml, pointer: /uri}]
        policy: talk
      production:
        after: staging
        targets: [{file: production.yaml, pointer: /uri}]
        policy: talk
"""
POLICY = "description: For conversations.\n"
SLO = "        slo: {preset: fastapi, errors: {objective: 99%}}\n"


class Cluster:
    """Says of every commit that it is live."""

    def liveness(self, application: str, commit: str, repository_url: str, forge: Any) -> Liveness:
        return Liveness(LiveState.LIVE, "Synced and healthy.", revision=commit)


class Silence:
    """Metrics of a service that nobody calls."""

    def raw(self, selector: str, start: float, end: float) -> list[Any]:
        return []

    def instant(self, query: str, at: float) -> list[Any]:
        return []


class Running:
    """One process of Slipway and one GitHub. Close it."""

    def __init__(self, folder: Path, engine: Engine, clock: Clock | None = None) -> None:
        self.server = GitHubServer(folder)
        self.server.world.rate_limit = 10**9
        self.server.start()
        self._socket = listen("127.0.0.1", 0)
        self.keys: AppKeys = self.server.create_app(
            "slipway",
            permissions={**app_rights.PERMISSIONS, "members": "read"},
            events=app_rights.EVENTS,
            webhook_url=f"http://127.0.0.1:{self._socket.getsockname()[1]}/webhooks/github",
            webhook_secret=SECRET,
        )
        self.engine = engine
        self.store = PostgresStore(engine)
        self.registry = FakeRegistry()
        self.app = GitHubApp(self.keys.id, self.keys.private_key_pem, self.server.api_url)
        outside = Outside(
            store=self.store,
            app=self.app,
            registry=self.registry,
            images=None,  # type: ignore[arg-type]  # no model here has an image
            metrics={"default": Silence()},
            cluster=Cluster(),
            prober=None,  # type: ignore[arg-type]  # no model here has a check
            clock=clock or SystemClock(),
            web=self.server.api_url.removesuffix("/api/v3"),
        )
        settings = Settings(
            github_app_id=self.keys.id,
            github_private_key=SecretStr(self.keys.private_key_pem),
            github_webhook_secret=SecretStr(SECRET),
            github_base_url=self.server.api_url,
            mlflow_tracking_uri="http://127.0.0.1:9",
            mlflow_webhook_secret=SecretStr(SECRET),
        )
        self._closing = ExitStack()
        self.slipway = bootstrap.wire(settings, engine, outside, self._closing)
        config = uvicorn.Config(self.slipway.application(), log_level="warning", access_log=False)
        self._web = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._web.run, kwargs={"sockets": [self._socket]}, name="slipway", daemon=True
        )
        self._thread.start()
        wait_for(lambda: self._web.started or None, "Slipway started")
        self._numbers = count(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._web.should_exit = True
        self._thread.join(30)
        self._socket.close()
        self._closing.close()
        self.server.stop()

    def conversation(
        self, policy: str = POLICY, config: str = CONFIG, owner: str | None = None, model: str | None = None
    ) -> "Conversation":
        """A repository of its own with a model of its own, in which the App is installed."""
        number = next(self._numbers)
        model, owner = model or f"fraud-{number}", owner or f"octo{number}"
        repository = f"{owner}/gitops"
        files = {
            "slipway.yaml": config.replace("MODEL", model).encode(),
            "policies/talk.yaml": policy.encode(),
            "staging.yaml": f"uri: models:/{model}/1\n".encode(),
            "production.yaml": f"uri: models:/{model}/1\n".encode(),
        }
        for score in (0.90, 0.92) if model not in self.registry.aliases() else ():
            evidence = VersionEvidence(model, "", "", metrics=(Metric("accuracy", score, "test", "d1"),))
            self.registry.add_version(model, evidence=evidence)
        self.server.create_repository(repository, files)
        installation = self.server.install(self.keys, [repository])
        talk = Conversation(self, repository, model, installation)
        talk.person("ada", "write")
        talk.person("eve", "read")
        wait_for(lambda: talk.configured() or None, "the configuration was read")
        return talk


def wait_for(look: Callable[[], Any], what: str, within: float = WITHIN) -> Any:
    """What `look` finds, as soon as it is not None."""
    deadline = time.monotonic() + within
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(POLL)
    return found


@dataclass
class Conversation:
    """One repository, one model, and people who talk about it."""

    running: Running
    repository: str
    model: str
    installation: int
    tokens: dict[str, str] = field(default_factory=dict)

    def person(self, login: str, right: str) -> None:
        self.tokens[login] = self.running.server.create_user(login)
        self.running.server.add_collaborator(self.repository, login, right)  # type: ignore[arg-type]

    def ask(self, login: str, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call of GitHub's API as a person."""
        url = f"{self.running.server.api_url}/repos/{self.repository}{path}"
        headers = {"Authorization": f"Bearer {self.tokens[login]}"}
        answer = httpx.request(verb, url, headers=headers, json=body, trust_env=False, timeout=30)
        assert answer.is_success, f"{verb} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def configured(self) -> bool:
        known = self.running.store.repository(self.repository)
        return known is not None and bool(known.files)

    def alias(self, version: str = "2") -> int:
        """Name a candidate; returns the number of its pull request."""
        before = {pull["number"] for pull in self.pulls()}
        self.running.registry.set_alias(self.model, "candidate", version)
        event = RegistryChanged(
            delivery=uuid.uuid4().hex,
            kind="model_version_alias.created",
            model=self.model,
            version=version,
            alias="candidate",
        )
        self.running.store.accept(Delivery("mlflow", event.delivery, EVENTS.dump(event)))
        return self.opened(before)

    def opened(self, before: set[int]) -> int:
        """The number of the pull request that is not among these, once it says where it is."""

        def look() -> int | None:
            new = [pull["number"] for pull in self.pulls() if pull["number"] not in before]
            return new[0] if new and self.stage(new[0]) == "open" else None

        return int(wait_for(look, "a bump was opened"))

    def pulls(self) -> list[Any]:
        return list(self.ask("ada", "GET", "/pulls?state=all&per_page=100"))

    def stage(self, pull: int) -> str | None:
        promotion = self.running.store.of_pull(self.repository, pull)
        return None if promotion is None else promotion.stage.value

    def reached(self, pull: int, stage: str) -> None:
        wait_for(lambda: self.stage(pull) == stage or None, f"#{pull} was {stage}")

    def say(self, author: str, pull: int, body: str) -> int:
        return int(self.ask(author, "POST", f"/issues/{pull}/comments", {"body": body})["id"])

    def review(self, author: str, pull: int, body: str, event: str = "APPROVE") -> int:
        return int(self.ask(author, "POST", f"/pulls/{pull}/reviews", {"event": event, "body": body})["id"])

    def comments(self, pull: int) -> list[Any]:
        return list(self.ask("ada", "GET", f"/issues/{pull}/comments?per_page=100"))

    def reactions(self, comment: int) -> list[str]:
        given = self.ask("ada", "GET", f"/issues/comments/{comment}/reactions")
        return [each["content"] for each in given]

    def answer(self, pull: int, comment: int, ordinal: int = 0) -> str:
        """The bot's answer to a command of a comment (a review's id is negated), without its marker."""
        return self.written(pull, replies.marker("answer", f"{comment}-{ordinal}"))

    def written(self, pull: int, marker: str) -> str:
        """What the bot wrote under a marker, once it is there."""

        def look() -> str | None:
            found = [said["body"] for said in self.comments(pull) if marker in said["body"]]
            assert len(found) <= 1, f"{len(found)} comments carry {marker}"
            return found[0].replace(f"{marker}\n", "") if found else None

        return str(wait_for(look, f"a comment with {marker}"))
