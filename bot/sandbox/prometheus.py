"""The metrics of the sandbox: the real Prometheus where it is on PATH, else the embedded store."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.sandbox import embedded_prometheus
from bot.sandbox.processes import Processes, free_port, wait_until
from bot.sandbox.sample_store import SampleStore
from bot.sandbox.scraper import Scraper
from bot.sandbox.server import Server

INTERVAL_SECONDS = 1.0
JOB = "models"


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server; `version` says which one it is."""

    url: str
    version: str
    close: Callable[[], None]


def start(processes: Processes, folder: Path, targets: Path, *, real: bool | None = None) -> Prometheus:
    """Start scraping the targets of a file. `real`: insist on the binary, or on the embedded store."""
    if real is None:
        real = shutil.which("prometheus") is not None
    return _start_real(processes, folder, targets) if real else start_embedded(targets)


def _start_real(processes: Processes, folder: Path, targets: Path) -> Prometheus:
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML; one second is for a story that fits into minutes.
    interval = f"{INTERVAL_SECONDS:g}s"
    discovery = [{"files": [str(targets)], "refresh_interval": interval}]
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": interval, "scrape_timeout": interval},
                "scrape_configs": [{"job_name": JOB, "file_sd_configs": discovery}],
            }
        )
    )
    port = free_port()
    program = processes.start(
        "prometheus",
        [
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    )
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: _is_ready(url), 30, "the start of Prometheus", log=program.log)
    return Prometheus(url, f"prometheus {_version()}", lambda: processes.stop(program))


def start_embedded(targets: Path) -> Prometheus:
    store = SampleStore()
    scraper = Scraper(store, targets, INTERVAL_SECONDS, JOB)
    server = Server(embedded_prometheus.build(store), "embedded-prometheus")

    def close() -> None:
        server.close()
        scraper.close()

    return Prometheus(server.url, "embedded store (prometheus is not on PATH)", close)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _version() -> str:
    said = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\S+)", said.stdout + said.stderr)
    return found[1] if found else "unknown"
