"""Real metrics servers with history: Prometheus and VictoriaMetrics, each filled with the same series."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

Samples = Sequence[tuple[float, float]]
History = Mapping[str, Samples]
"""`name{label="value"}` → samples as (unix seconds, value)."""


@dataclass(frozen=True)
class Server:
    kind: str
    url: str


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} took more than {seconds} s")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except OSError:
        return False


@contextmanager
def running(command: Sequence[str], log: Path, health: str) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: process.poll() is not None or answers(health), command[0])
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def openmetrics(history: History) -> str:
    """OpenMetrics text wants each family in one piece and the samples of a series in order."""
    lines = [
        f"{series} {value} {at:.3f}"
        for series in sorted(history, key=lambda series: (series.partition("{")[0], series))
        for at, value in history[series]
    ]
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def prometheus(folder: Path, history: History, *flags: str, config: str = "") -> Iterator[Server]:
    text, data = folder / "history.txt", folder / "data"
    text.write_text(openmetrics(history))
    if history:
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
        subprocess.run(command, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text(config)
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "prometheus.log", f"{url}/-/ready"):
        yield Server("prometheus", url)


@contextmanager
def victoria(folder: Path, history: History) -> Iterator[Server]:
    port = free_port()
    command = [
        "victoria-metrics",
        f"-storageDataPath={folder / 'victoria'}",
        "-retentionPeriod=100y",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-memory.allowedBytes=128MB",
    ]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "victoria.log", f"{url}/health"):
        lines = [
            f"{series} {value} {round(at * 1000)}"
            for series, samples in history.items()
            for at, value in samples
        ]
        body = "\n".join([*lines, ""]).encode()
        urllib.request.urlopen(f"{url}/api/v1/import/prometheus", data=body, timeout=10).close()
        urllib.request.urlopen(f"{url}/internal/force_flush", timeout=10).close()
        yield Server("victoria-metrics", url)


Start = Callable[[History], Server]


@pytest.fixture
def start_prometheus(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a Prometheus with a history and flags of its own."""
    with ExitStack() as servers:
        yield lambda history, *flags: servers.enter_context(prometheus(tmp_path, history, *flags))


@pytest.fixture
def native_prometheus(tmp_path: Path) -> Iterator[Server]:
    """An empty Prometheus that takes native histograms by remote write."""
    flags = ("--enable-feature=native-histograms", "--web.enable-remote-write-receiver")
    with prometheus(tmp_path, {}, *flags) as server:
        yield server


@pytest.fixture(
    params=[
        pytest.param("prometheus", marks=pytest.mark.real("prometheus", "promtool")),
        pytest.param("victoria-metrics", marks=pytest.mark.real("victoria-metrics")),
    ],
    scope="module",
)
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a server of either kind with a history; all are stopped at the end."""
    with ExitStack() as servers:

        def begin(history: History) -> Server:
            make = prometheus if request.param == "prometheus" else victoria
            return servers.enter_context(make(tmp_path_factory.mktemp("metrics"), history))

        yield begin
