"""The application as it runs: signed webhooks in over ASGI, a real PostgreSQL, the outside in memory."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from bot.bootstrap import Slipway, wire
from bot.settings import Settings
from tests.loop.conftest import REPOSITORY, World

READS = frozenset(
    {
        *("default_branch", "head", "read", "list_folder", "changed_files", "is_ancestor", "pull"),
        *("was_called", "open_pulls", "recent_pulls", "reviews", "recent_comments", "comments"),
        *("permission", "in_team", "has_check", "workflow_run"),
    }
)
TALKS = frozenset({"upsert_comment", "react", "check"})
"""What Slipway says about what it did or did not do."""


@dataclass
class Running:
    """Slipway in operation, and everybody who sends to it."""

    world: World
    slipway: Slipway
    client: TestClient
    secrets: dict[str, str]
    sent: int = field(default=0)

    def github(self, event: str, payload: object, *, delivery: str = "", secret: str = "", **headers: str):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        key = secret or self.secrets["github"]
        named = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or self._id(),
            "X-Hub-Signature-256": "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest(),
        }
        return self.client.post("/webhooks/github", content=body, headers=named | headers)

    def mlflow(self, payload: object, *, delivery: str = "", secret: str = "", at: float | None = None):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        stamp, sent = str(int(time.time() if at is None else at)), delivery or self._id()
        key = (secret or self.secrets["mlflow"]).encode()
        mac = hmac.new(key, f"{sent}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "X-MLflow-Delivery-Id": sent,
            "X-MLflow-Timestamp": stamp,
            "X-MLflow-Signature": f"v1,{base64.b64encode(mac).decode()}",
        }
        return self.client.post("/webhooks/mlflow", content=body, headers=headers)

    def comment(self, author: str, body: str, **changes: Any) -> None:
        """A comment on the newest bump, and everything that follows from it."""
        self.github("issue_comment", self.said(author, body, **changes))
        self.world.drain()

    def said(self, author: str, body: str, **changes: Any) -> dict[str, Any]:
        """The payload of a comment; `changes` replace what is in it."""
        pull = self.world.newest().pull
        number = self.world.forge.comment(pull, author, body)
        payload = {
            "action": "created",
            "issue": {"number": pull, "pull_request": {}},
            "comment": {
                "id": number,
                "user": {"login": author, "type": "User"},
                "body": body,
                "created_at": self.world.clock.now().isoformat(),
                "html_url": "https://github.test/c",
            },
            "repository": {"full_name": REPOSITORY, "default_branch": "main"},
            "installation": {"id": 1},
            "sender": {"login": author, "type": "User"},
        }
        return payload | changes

    def count(self, table: str) -> int:
        with self.world.engine.connect() as connection:
            return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)

    def acts(self) -> list[str]:
        """What was done at the forge so far, beside reading and talking."""
        return [call for call in self.world.forge.calls if call not in READS | TALKS]

    def _id(self) -> str:
        self.sent += 1
        return f"delivery-{self.sent}"


@pytest.fixture
def running(engine, store, monkeypatch):
    """An application whose bump of version 2 is open."""
    world = World(engine, store)
    kinds = ("github", "old-github", "mlflow", "old-mlflow", "alertmanager", "argocd", "key", "database")
    made = {kind: f"{kind}-{secrets.token_hex(12)}" for kind in kinds}
    settings = Settings(
        github_app_id=1,
        github_private_key=made["key"],
        github_webhook_secret=f"{made['old-github']},{made['github']}",
        mlflow_tracking_uri="http://127.0.0.1:1",
        mlflow_webhook_secret=f"{made['old-mlflow']},{made['mlflow']}",
        alertmanager_secret=made["alertmanager"],
        argocd_webhook_secret=made["argocd"],
        database_url=f"postgresql://slipway:{made['database']}@127.0.0.1:1/slipway",
    )
    world.app.usage = dict
    world.alias("2")
    with ExitStack() as closing:
        slipway = wire(settings, engine, world.outside, closing)
        client = TestClient(slipway.application(work=False), raise_server_exceptions=False)
        yield Running(world, slipway, client, made)
