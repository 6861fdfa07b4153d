"""A real docker-registry for tests, started with whatever `auth:` section it should have. No fake either."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

START_SECONDS = 60


@pytest.fixture(scope="module")
def start_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start docker-registry with this `auth:` section; returns its host and port. `.kill` and `.again` by host."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not on PATH")
    running: dict[str, subprocess.Popen[bytes]] = {}
    configurations: dict[str, Path] = {}

    def start(auth: str = "") -> str:
        folder = tmp_path_factory.mktemp("registry")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = folder / "config.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n{auth}"
        )
        host = f"127.0.0.1:{port}"
        configurations[host] = config
        again(host)
        return host

    def again(host: str) -> None:
        running[host] = subprocess.Popen(
            [program, "serve", configurations[host]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://{host}/v2/", timeout=1)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("docker-registry did not start")

    def kill(host: str) -> None:
        running[host].kill()
        running[host].wait(timeout=10)

    start.kill, start.again = kill, again
    yield start
    for process in running.values():
        process.terminate()
        process.wait(timeout=10)
