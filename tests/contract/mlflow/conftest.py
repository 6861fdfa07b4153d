"""A real MLflow server for the session (SQLite, one worker), and the worlds both registries start from."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from bot.adapters import shipped
from bot.adapters.mlflow import MlflowRegistry
from bot.domain.evidence import Column, Dataset, Metric, Signature, VersionEvidence
from bot.ports import ModelRegistry
from tests.fakes.registry import FakeRegistry

STARTS_WITHIN = 90
# With what the template gives a server in a cluster: tests/contract/mlflow/test_register_webhook.py needs it.
_SETTINGS = shipped.folder("gitops-repo-template") / "platform" / "mlflow" / "settings.yaml"
ENVIRONMENT = os.environ | {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    **next(yaml.safe_load_all(_SETTINGS.read_text()))["data"],
}


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running tracking server."""
    pytest.importorskip("mlflow.server", reason="the extra `sandbox` is not installed")
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "server.log").open("wb")
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    server = subprocess.Popen(
        command, stdout=log, stderr=log, env=ENVIRONMENT, cwd=folder, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server, folder / "server.log")
        yield address
    finally:
        os.killpg(server.pid, 15)
        server.wait(20)
        log.close()


def _wait(address: str, server: subprocess.Popen[bytes], log) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the MLflow server did not start:\n{log.read_text()[-2000:]}")


@dataclass(frozen=True)
class World:
    """A registry with one model of two versions; `another` registers an empty-handed one."""

    registry: ModelRegistry
    model: str
    another: Callable[[], str]


SIGNATURE = Signature(
    inputs=(Column("amount", "double"), Column("country", "string", required=False)),
    outputs=(Column("#0", "tensor(int64, [-1])"),),
)


@pytest.fixture(scope="session")
def trained(mlflow_server: str) -> str:
    """A model in the real registry, with evaluations, data set, signature and input example."""
    script = Path(__file__).with_name("train.py")
    done = subprocess.run(
        [sys.executable, str(script), mlflow_server],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    return "fraud-detector"


def _fake() -> World:
    registry = FakeRegistry()
    for number, at in enumerate(("0.5", "1.5"), 1):
        tags = {"mlflow.source.git.commit": f"{number:040x}"}
        evidence = VersionEvidence(
            "",
            "",
            "",
            run_url="http://registry.example.test/#/experiments/1/runs/1",
            metrics=(
                Metric("accuracy", 0.9 + number / 100, "transactions", "d1"),
                Metric("duration_s", 12.0),
            ),
            parameters={"threshold": at},
            signature=SIGNATURE,
            datasets=(Dataset("transactions", "d1", "training"),),
            git_commit=f"{number:040x}",
            git_branch="main",
            flavors=("python_function",),
            python_version="3.11.7",
            libraries={"mlflow": "3.17.2"},
            size_bytes=100,
            licence="Apache-2.0" if number == 2 else None,
            input_example=True,
            trained_at=datetime.now(UTC),
            creator="maria",
            tools={"search": f"1.{number + 3}"},
        )
        license_tag = {"license": "Apache-2.0", "tool.search": "1.5"} if number == 2 else {}
        registry.add_version("fraud-detector", tags=license_tag, run_tags=tags, evidence=evidence)
        example = {"dataframe_split": {"columns": ["amount", "country"], "data": [[1.0, "ch"], [2.0, "at"]]}}
        files = {"serving_input_example.json": example, "slipway/expected_output.json": [2 - number, 1]}
        for path, content in files.items():
            registry.artifacts["fraud-detector", str(number), path] = json.dumps(content).encode()
    registry.set_alias("fraud-detector", "champion", "1")
    for number, (text, variables, tags) in enumerate(
        (
            ("Hello {{name}}.\nBe kind.", ("name",), {}),
            ("[system]\nBe kind.\n\n[user]\nI am {{name}}, {{age}}.", ("age", "name"), {"team": "support"}),
        ),
        1,
    ):
        signature = Signature(tuple(Column(name, "text") for name in variables), ())
        prompt = VersionEvidence("", "", "", signature=signature, prompt=text)
        source = f"prompts:/greeting/{number}"
        registry.add_version("greeting", source=source, tags=tags, evidence=prompt)
    registry.set_alias("greeting", "champion", "1")
    names = iter(range(1000))

    def another() -> str:
        name = f"another-{next(names)}"
        registry.add_version(name)
        return name

    return World(registry, "fraud-detector", another)


@pytest.fixture(params=["fake", "mlflow"])
def world(request: pytest.FixtureRequest) -> World:
    """The same world twice: in memory, and in a real MLflow server."""
    if request.param == "fake":
        return _fake()
    server = request.getfixturevalue("mlflow_server")
    model = request.getfixturevalue("trained")
    client = MlflowClient(server)

    def another() -> str:
        name = f"another-{time.monotonic_ns()}"
        client.create_registered_model(name)
        client.create_model_version(name, "s3://nowhere.example.test/model")
        return name

    return World(MlflowRegistry(server), model, another)


Answer = Callable[[str], tuple[int, dict[str, str], bytes]]


@pytest.fixture
def server():
    """Start a server that answers as told; returns its address and the paths that it was asked for."""
    started = []

    def start(answer: Answer) -> tuple[str, list[str]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                status, headers, body = answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                # Whoever was told to stop in the middle hangs up.
                with contextlib.suppress(ConnectionError):
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((serving, thread))
        return f"http://127.0.0.1:{serving.server_port}", asked

    yield start
    for serving, thread in started:
        serving.shutdown()
        serving.server_close()
        thread.join()
