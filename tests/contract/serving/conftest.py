"""The reference serving image's program, with a real MLflow model that is as slow or as broken as it is asked to be."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.adapters import shipped
from bot.sandbox.processes import wait_until

STARTS_WITHIN = 120
WAITS = "a prediction waits"
MODEL = '''
import os
import time
import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema


class Model(mlflow.pyfunc.PythonModel):
    """Answers double of `x`, where `wait` is 1 once there is the file that GO names; breaks on negative x."""

    def predict(self, context, model_input: pd.DataFrame, params=None):
        if model_input["wait"].max() > 0:
            print("a prediction waits", flush=True)
            while not os.path.exists(os.environ["GO"]):
                time.sleep(0.01)
        if (model_input["x"] < 0).any():
            raise ValueError("x is negative")
        return model_input["x"] * 2


schema = Schema([ColSpec("double", "x"), ColSpec("double", "wait")])
mlflow.pyfunc.save_model(
    "model", python_model=Model(), pip_requirements=[], signature=ModelSignature(schema)
)
'''


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[bytes]
    client: httpx.Client
    log: Path
    go: Path
    """What waits is answered once this file is there."""

    def predict(self, x: float = 1.0, wait: float = 0.0) -> httpx.Response:
        return self.client.post("/predict", json={"dataframe_records": [{"x": x, "wait": wait}]})

    def waiting(self, predictions: int) -> None:
        """Return when so many predictions have begun to wait, counted from the start of the program."""
        wait_until(lambda: self.log.read_text().count(WAITS) == predictions, 60, WAITS, log=self.log)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder, saved with MLflow."""
    pytest.importorskip("mlflow.pyfunc", reason="the extra `sandbox` is not installed")
    folder = tmp_path_factory.mktemp("model")
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MODEL], cwd=folder, env=environment, check=True, timeout=120
    )
    return folder / "model"


@pytest.fixture(scope="session")
def serve(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Start the program as its image does, with further settings; all are stopped at the end."""
    with ExitStack() as started:

        def begin(**settings: str) -> Served:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            folder = tmp_path_factory.mktemp("serving")
            log, go = folder / "log", folder / "go"
            environment = os.environ | {
                "GO": str(go),
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MODEL_URI": str(model),
                "MODEL_NAME": "fraud-detector",
                "MODEL_VERSION": "3",
                **settings,
            }
            command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
            command += ["--app-dir", str(shipped.folder("gitops-repo-template") / "serving")]
            command += ["--timeout-graceful-shutdown", "20", "--no-access-log"]
            with log.open("wb") as out:
                process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
            started.callback(_stop, process)
            client = started.enter_context(
                httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
            )
            served = Served(process, client, log, go)
            _wait(served)
            return served

        yield begin


@pytest.fixture(scope="session")
def served(serve: Callable[..., Served]) -> Served:
    """One program that most tests share."""
    return serve(MAX_IN_FLIGHT="2", MAX_ROWS="5", MAX_BODY_BYTES="2000")


def _wait(served: Served) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and served.process.poll() is None:
        try:
            if served.client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{served.log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(10)


@pytest.fixture(scope="session")
def recorded() -> str:
    """A scrape of the program, as the tests of the template use it."""
    return (Path(__file__).parent.parent / "template" / "series" / "model-server.txt").read_text()
