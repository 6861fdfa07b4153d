"""Real metrics servers with history: Prometheus and VictoriaMetrics, each filled with the same series."""

import base64
import ctypes
import socket
import ssl
import subprocess
import time
import urllib.parse
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


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} took more than {seconds} s")


def answers(url: str) -> bool:
    """Whether somebody is there; over TLS, whose certificate nobody here trusts, that is all one can tell."""
    try:
        if url.startswith("https:"):
            address = urllib.parse.urlsplit(url)
            socket.create_connection((address.hostname, address.port), timeout=1).close()
            return True
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
def prometheus(
    folder: Path, history: History, *flags: str, config: str = "", scheme: str = "http"
) -> Iterator[Server]:
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
    url = f"{scheme}://127.0.0.1:{port}"
    with running(command, folder / "prometheus.log", f"{url}/-/ready"):
        yield Server("prometheus", url)


@contextmanager
def victoria(
    folder: Path,
    history: History,
    *flags: str,
    scheme: str = "http",
    context: ssl.SSLContext | None = None,
) -> Iterator[Server]:
    port = free_port()
    command = [
        "victoria-metrics",
        f"-storageDataPath={folder / 'victoria'}",
        "-retentionPeriod=100y",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-memory.allowedBytes=128MB",
        *flags,
    ]
    url = f"{scheme}://127.0.0.1:{port}"
    with running(command, folder / "victoria.log", f"{url}/health"):
        lines = [
            f"{series} {value} {round(at * 1000)}"
            for series, samples in history.items()
            for at, value in samples
        ]
        body = "\n".join([*lines, ""]).encode()
        credentials = {"Authorization": f"Basic {base64.b64encode(b'user:pass').decode()}"} if context else {}
        for path, data in (("/api/v1/import/prometheus", body), ("/internal/force_flush", b"")):
            asked = urllib.request.Request(f"{url}{path}", data=data, headers=credentials)
            urllib.request.urlopen(asked, timeout=10, context=context).close()
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


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate authority with one server and one client certificate, made for this test."""
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=test authority", "-days", "2", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for name in ("server", "client"):
        openssl(tmp_path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")  # fmt: skip
        (tmp_path / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl(tmp_path, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")  # fmt: skip
    return tmp_path


def openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


@contextmanager
def secured_prometheus(folder: Path, certificates: Path, history: History) -> Iterator[Server]:
    """Asks for a client certificate, and for a user and password."""
    hashed = ctypes.CDLL("libcrypt.so.1")
    hashed.crypt.restype = ctypes.c_char_p
    web = folder / "web.yml"
    web.write_text(
        f"tls_server_config: {{cert_file: {certificates}/server.pem, key_file: {certificates}/server.key, "
        f"client_ca_file: {certificates}/ca.pem, client_auth_type: RequireAndVerifyClientCert}}\n"
        f"basic_auth_users: {{user: {hashed.crypt(b'pass', b'$2b$04$' + b'a' * 22).decode()}}}\n"
    )
    with prometheus(folder, history, f"--web.config.file={web}", scheme="https") as server:
        yield server


@contextmanager
def secured_victoria(folder: Path, certificates: Path, history: History) -> Iterator[Server]:
    """Asks for a user and password over TLS; client certificates are not in its free edition."""
    flags = (
        "-httpAuth.username=user",
        "-httpAuth.password=pass",
        "-tls",
        f"-tlsCertFile={certificates}/server.pem",
        f"-tlsKeyFile={certificates}/server.key",
    )
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    with victoria(folder, history, *flags, scheme="https", context=context) as server:
        yield server


@pytest.fixture(
    params=[
        pytest.param(
            secured_prometheus, marks=pytest.mark.real("prometheus", "promtool", "openssl"), id="prometheus"
        ),
        pytest.param(
            secured_victoria, marks=pytest.mark.real("victoria-metrics", "openssl"), id="victoria-metrics"
        ),
    ]
)
def secured(
    request: pytest.FixtureRequest, tmp_path: Path, authority: Path
) -> Iterator[Callable[[History], Server]]:
    """Starts a server that lets nobody in without credentials."""
    with ExitStack() as servers:
        yield lambda history: servers.enter_context(request.param(tmp_path, authority, history))
