"""Slipway itself, as a process of its own: `slipway serve` with the settings of a real installation."""

import secrets
import sys
from pathlib import Path

import httpx

from bot.sandbox.github import AppKeys
from bot.sandbox.processes import Processes, Program, free_port, wait_until


class SlipwayProcess:
    """Knows its address before it is started, because webhooks must be registered with it."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._processes = processes
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.github_secret = secrets.token_hex(24)
        self.mlflow_secret = secrets.token_hex(24)
        self.program: Program | None = None
        self.environment: dict[str, str] = {}
        processes.watch_over(folder)

    def configure(
        self,
        *,
        app: AppKeys,
        github_url: str,
        mlflow_url: str,
        prometheus_url: str,
        argocd_url: str,
        argocd_token: str,
    ) -> None:
        """Settle the settings: addresses and secrets of the systems around it."""
        key = self._folder / "app.pem"
        key.touch(mode=0o600)
        key.write_text(app.private_key_pem)
        self.environment = {
            "SLIPWAY_DATA_DIR": str(self._folder),
            "SLIPWAY_HOST": "127.0.0.1",
            "SLIPWAY_PORT": str(self._port),
            "SLIPWAY_PUBLIC_URL": self.url,
            "SLIPWAY_GITHUB_APP_ID": str(app.id),
            "SLIPWAY_GITHUB_PRIVATE_KEY_FILE": str(key),
            "SLIPWAY_GITHUB_WEBHOOK_SECRET": self.github_secret,
            "SLIPWAY_GITHUB_BASE_URL": github_url,
            "SLIPWAY_MLFLOW_TRACKING_URI": mlflow_url,
            "SLIPWAY_MLFLOW_WEBHOOK_SECRET": self.mlflow_secret,
            "SLIPWAY_PROMETHEUS_URL": prometheus_url,
            "SLIPWAY_ARGOCD_URL": argocd_url,
            "SLIPWAY_ARGOCD_TOKEN": argocd_token,
        }

    def start(self) -> None:
        command: list[str | Path] = [Path(sys.executable).with_name("slipway"), "serve"]
        self.program = self._processes.start("slipway", command, self.environment)

    def stop(self) -> None:
        if self.program is not None:
            self._processes.stop(self.program)
            self.program = None

    def kill(self) -> None:
        """SIGKILL, as a machine that loses power would."""
        assert self.program is not None
        self._processes.stop(self.program, grace=None)
        self.program = None

    def wait_ready(self, seconds: float = 180.0) -> None:
        assert self.program is not None
        wait_until(self._answers, seconds, "the start of Slipway", log=self.program.log)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).is_success
        except httpx.HTTPError:
            return False
