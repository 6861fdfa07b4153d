"""A world in which all is well: GitHub's stand-in, a real MLflow, Prometheus and PostgreSQL, Argo CD's answers."""

import base64
import gc
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from mlflow import MlflowClient
from sqlalchemy import text
from typer.testing import CliRunner

from bot.adapters.database.connection import libpq_url
from bot.cli import app as slipway
from bot.domain import app_rights
from bot.sandbox import argocd_api, prometheus
from bot.sandbox.github import AppKeys, GitHubServer
from bot.sandbox.mlflow_server import MlflowServer
from bot.sandbox.processes import Processes, wait_until
from bot.sandbox.server import Server

PUBLIC = "http://127.0.0.1:9"
GITHUB_HOOK = f"{PUBLIC}/webhooks/github"
CONFIGURATION = """\
version: 1
models:
  fraud:
    storage: "models:/{model}/{version}"
    environments:
      production:
        targets: [{file: prod.yaml, pointer: /uri}]
        argocd: fraud-production
        policy: baseline
        alias: champion
        slo:
          preset: fastapi
          selector: 'version="{version}"'
          errors: {objective: 99%}
          latency: {threshold: 500ms, objective: 95%}
"""
EXPOSED = """\
# TYPE http_requests_total counter
http_requests_total{version="1",status="2xx",handler="/predict"} 20
# TYPE http_request_duration_highr_seconds histogram
http_request_duration_highr_seconds_bucket{version="1",le="0.5"} 19
http_request_duration_highr_seconds_bucket{version="1",le="+Inf"} 20
http_request_duration_highr_seconds_sum{version="1"} 3
http_request_duration_highr_seconds_count{version="1"} 20
"""
TOKEN = "a token of Argo CD"


@dataclass
class Applications:
    """What Argo CD has."""

    documents: dict[str, Any] = field(default_factory=dict)

    def names(self):
        return sorted(self.documents)

    def application(self, name):
        return self.documents.get(name)

    def refresh(self):
        raise AssertionError("the doctor reads only")


@pytest.fixture(scope="session")
def processes(tmp_path_factory) -> Iterator[Processes]:
    with Processes(tmp_path_factory.mktemp("programs")) as programs:
        yield programs


@pytest.fixture(scope="session")
def mlflow_server(processes, tmp_path_factory) -> MlflowServer:
    server = MlflowServer(processes, tmp_path_factory.mktemp("mlflow"))
    server.wait_ready(150)
    server.client.create_registered_model("fraud")
    return server


@pytest.fixture(scope="session")
def metrics_url(processes, tmp_path_factory) -> Iterator[str]:
    """Prometheus, scraping one service; the embedded store where the program is absent."""
    exposition = FastAPI()
    exposition.get("/metrics", response_class=PlainTextResponse)(lambda: EXPOSED)
    service = Server(exposition, "service")
    folder = tmp_path_factory.mktemp("prometheus")
    targets = folder / "targets.json"
    targets.write_text(json.dumps([{"targets": [service.url.removeprefix("http://")], "labels": {}}]))
    server = prometheus.start(processes, folder / "server", targets)
    query = f"{server.url}/api/v1/query"

    def scraped() -> bool:
        answer = httpx.get(query, params={"query": "http_requests_total"}, trust_env=False).json()
        return bool(answer["data"]["result"])

    wait_until(scraped, 30, "the first scrape")
    yield server.url
    server.close()
    service.close()


@dataclass
class World:
    """Everything that the doctor looks at; a test breaks parts of it."""

    github: GitHubServer
    keys: AppKeys
    repository: str
    mlflow: MlflowClient
    applications: Applications
    settings: dict[str, str]
    monkeypatch: pytest.MonkeyPatch
    configuration: str = CONFIGURATION

    def owner(self, verb: str, path: str, body: object = None) -> Any:
        """What an owner of the repository does in its settings or its files."""
        token = self.github.create_user("owner")
        self.github.add_collaborator(self.repository, "owner", "admin")
        url = f"{self.github.api_url}/repos/{self.repository}/{path}"
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.request(verb, url, json=body, headers=headers, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def protect(self, checks: list[str]) -> None:
        rules = dict.fromkeys(("required_pull_request_reviews", "enforce_admins", "restrictions"))
        wanted = {"required_status_checks": {"strict": False, "contexts": checks}}
        self.owner("PUT", "branches/main/protection", rules | wanted)

    def configure(self, text: str) -> None:
        """Another slipway.yaml on the default branch."""
        kept = self.owner("GET", "contents/slipway.yaml")["sha"]
        content = base64.b64encode(text.encode()).decode()
        self.owner("PUT", "contents/slipway.yaml", {"message": "Change", "content": content, "sha": kept})

    def examine(self) -> tuple[int, list[dict[str, str]], str]:
        """Exit code, findings, and everything that was printed."""
        for name, value in self.settings.items():
            self.monkeypatch.setenv(name, value)
        done = CliRunner().invoke(slipway, ["doctor", "--json"])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.stdout)["findings"], done.output

    def bad(self) -> dict[str, list[str]]:
        """Area → the sentences that are not ok."""
        told: dict[str, list[str]] = {}
        for each in self.examine()[1]:
            if each["level"] != "ok":
                told.setdefault(each["area"], []).append(each["sentence"])
        return told


@pytest.fixture
def world(tmp_path, monkeypatch, engine, mlflow_server, metrics_url) -> Iterator[World]:
    github = GitHubServer(tmp_path / "github")
    github.start()
    repository = "acme/gitops"
    github.create_repository(
        repository,
        {"slipway.yaml": CONFIGURATION.encode(), "prod.yaml": b"uri: models:/fraud/1\n"},
    )
    github.create_repository("acme/notes", {"README.md": b"No models here.\n"})
    keys = github.create_app("slipway", permissions=dict(app_rights.PERMISSIONS), events=app_rights.EVENTS)
    github.install(keys, [repository, "acme/notes"])
    github.set_webhook(keys, GITHUB_HOOK, "one secret")
    for webhook in mlflow_server.client.list_webhooks():
        mlflow_server.client.delete_webhook(webhook.webhook_id)
    mlflow_server.register_webhook(f"{PUBLIC}/webhooks/mlflow", "another secret")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO deliveries (source, id, event) VALUES ('mlflow', 'a', '{}')"))
    followed = {"repoURL": f"{github.url}/{repository}.git", "targetRevision": "HEAD"}
    document = {
        "metadata": {"name": "fraud-production"},
        "spec": {"source": followed, "syncPolicy": {"automated": {}}},
    }
    applications = Applications({"fraud-production": document})
    argocd = Server(argocd_api.build(applications, TOKEN), "argocd")
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    settings = {
        "SLIPWAY_GITHUB_APP_ID": str(keys.id),
        "SLIPWAY_GITHUB_PRIVATE_KEY": keys.private_key_pem,
        "SLIPWAY_GITHUB_WEBHOOK_SECRET": "one secret",
        "SLIPWAY_GITHUB_BASE_URL": github.api_url,
        "SLIPWAY_MLFLOW_TRACKING_URI": mlflow_server.url,
        "SLIPWAY_MLFLOW_WEBHOOK_SECRET": "another secret",
        "SLIPWAY_DATABASE_URL": libpq_url(engine),
        "SLIPWAY_PROMETHEUS_URL": metrics_url,
        "SLIPWAY_PUBLIC_URL": PUBLIC,
        "SLIPWAY_ARGOCD_URL": argocd.url,
        "SLIPWAY_ARGOCD_TOKEN": TOKEN,
    }
    world = World(github, keys, repository, mlflow_server.client, applications, settings, monkeypatch)
    world.protect(["slipway / gates"])
    yield world
    argocd.close()
    github.stop()
    gc.collect()
