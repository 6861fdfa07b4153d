"""A real MLflow server in a process of its own, with an SQLite store, and its webhooks."""

import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from bot.sandbox.processes import Processes, Program, free_port, wait_until

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    # The receiver is on this machine, which MLflow does not allow by itself.
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    # How long the server remembers which webhooks there are; a new one is called after that.
    "MLFLOW_WEBHOOK_CACHE_TTL": "1",
    "GIT_PYTHON_REFRESH": "quiet",
}
EVENTS = ("model_version.created", "model_version_alias.created", "model_version_alias.deleted")


class MlflowServer:
    """Starts at once; `wait_ready` before use."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.program: Program = processes.start(
            "mlflow",
            [
                *(Path(sys.executable).with_name("mlflow"), "server", "--workers", "1"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
                *("--artifacts-destination", folder / "artifacts"),
            ],
            ENVIRONMENT,
        )

    def wait_ready(self, seconds: float = 180.0) -> None:
        wait_until(self._answers, seconds, "the start of MLflow", log=self.program.log)

    @cached_property
    def client(self) -> Any:
        """MLflow's own client."""
        from mlflow import MlflowClient  # noqa: PLC0415 - takes three seconds, spent while the server starts

        return MlflowClient(self.url)

    def register_webhook(self, url: str, secret: str) -> None:
        """Let the registry tell `url` what happens, signed with `secret`."""
        self.client.create_webhook("slipway", url, [*EVENTS], secret=secret)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False
