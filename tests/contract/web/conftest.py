"""The web application as it runs, on a real PostgreSQL, with secrets made for the test."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from bot.adapters.database.figures import Figures
from bot.adapters.database.store import PostgresStore, healthy
from bot.web import health, metrics, webhooks
from bot.web.app import create_app


@dataclass
class Senders:
    """GitHub and MLflow, as far as they sign and send."""

    client: TestClient
    engine: Engine
    github_secret: str
    mlflow_secret: str
    bearer: str = ""
    sent: int = 0
    ids: list[str] = field(default_factory=list)

    def github(self, payload: object, event: str = "issue_comment", **headers: str):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signature = hmac.new(self.github_secret.encode(), body, hashlib.sha256).hexdigest()
        named = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": self._id(),
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        return self.client.post("/webhooks/github", content=body, headers={**named, **headers})

    def mlflow(self, payload: object, *, at: float | None = None, **headers: str):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        delivery, stamp = self._id(), str(int(at if at is not None else time.time()))
        mac = hmac.new(self.mlflow_secret.encode(), f"{delivery}.{stamp}.".encode() + body, hashlib.sha256)
        named = {
            "Content-Type": "application/json",
            "X-MLflow-Delivery-Id": delivery,
            "X-MLflow-Timestamp": stamp,
            "X-MLflow-Signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
        }
        return self.client.post("/webhooks/mlflow", content=body, headers={**named, **headers})

    def bearing(self, path: str, payload: object, secret: str | None = None):
        headers = {"Authorization": f"Bearer {self.bearer if secret is None else secret}"}
        return self.client.post(f"/webhooks/{path}", json=payload, headers=headers)

    def stored(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM deliveries"))

    def _id(self) -> str:
        self.sent += 1
        return f"delivery-{self.sent}"


@pytest.fixture
def senders(engine: Engine, store: PostgresStore) -> Senders:
    github, mlflow, old, bearer = (secrets.token_hex(16) for _ in range(4))
    figures = Figures(engine)
    app = create_app(
        [
            webhooks.router(
                store,
                github_secrets=(old, github),
                mlflow_secrets=(old, mlflow),
                alertmanager_secrets=(old, bearer),
                argocd_secrets=(old, bearer),
            ),
            health.router(lambda: healthy(engine)),
            metrics.router(metrics.RowCollector(figures)),
        ]
    )
    return Senders(TestClient(app), engine, github, mlflow, bearer)
