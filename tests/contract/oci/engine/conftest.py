"""A real Docker-compatible engine: podman, as root, with storage of its own and our registry as a plain one."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

STARTS_WITHIN = 90


@dataclass
class Engine:
    """A running engine; `host` is what `DOCKER_HOST` would be."""

    host: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


@pytest.fixture(scope="module")
def start_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Engine]]:
    """Start podman's service; the registry named is spoken to without TLS."""
    program = shutil.which("podman")
    if program is None:
        pytest.skip("podman is not on PATH")
    if os.geteuid() != 0:
        pytest.skip("podman builds without further setup as root only")
    running: list[Engine] = []

    def start(registry: str) -> Engine:
        folder: Path = tmp_path_factory.mktemp("podman")
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
        )
        (folder / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
        (folder / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        socket = folder / "podman.sock"
        environment = os.environ | {
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
            "TMPDIR": str(folder),
        }
        log = (folder / "podman.log").open("wb")
        process = subprocess.Popen(
            [program, "system", "service", "--time=0", f"unix://{socket}"],
            env=environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        engine = Engine(f"unix://{socket}", process)
        running.append(engine)
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline and process.poll() is None:
            if socket.exists():
                return engine
            time.sleep(0.05)
        pytest.fail(f"podman did not start: {(folder / 'podman.log').read_text()[-1000:]}")

    yield start
    for engine in running:
        engine.process.terminate()
        engine.process.wait(timeout=20)


@pytest.fixture(scope="module")
def engine(start_engine, open_registry) -> Engine:
    return start_engine(open_registry.host)
