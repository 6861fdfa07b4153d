"""The numbers of evidence and gates: `make bench-evidence`.

Gates: 1,000 different expressions over the facts of one promotion (30 metrics, 30 parameters, 20 columns),
in this process and in the limited child process; the issue allows 100 ms.
Evidence: candidate and baseline of one pull request from a real MLflow server (SQLite, one worker) on this
machine, 20 times; the issue allows 12 requests and 2 s.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import requests

from bot.adapters.cel import LimitedEvaluator
from bot.adapters.mlflow import MlflowRegistry
from bot.domain.comparison import compare
from bot.domain.evidence import Column, Metric, Signature, VersionEvidence
from bot.domain.facts import Facts, for_expressions
from bot.domain.gates import evaluate
from bot.domain.policy import ExpressionGate, Policy

TRAIN = Path(__file__).parents[2] / "tests" / "contract" / "mlflow" / "train.py"


def version(number):
    return VersionEvidence(
        model="fraud-detector",
        version=str(number),
        url="",
        metrics=tuple(Metric(f"accuracy_{n}", 0.9 + number / 1000, "holdout", "d4") for n in range(30)),
        parameters={f"parameter_{n}": str(n * number) for n in range(30)},
        signature=Signature(tuple(Column(f"column_{n}", "double") for n in range(20)), ()),
    )


def facts():
    return Facts("fraud-detector", "production", compare(version(3), version(2)), datetime.now(UTC))


def gates():
    rules = [
        f"candidate.metrics.accuracy_{n % 30} >= baseline.metrics.accuracy_{n % 30} - 0.{n:04d}"
        for n in range(1000)
    ]
    policy = Policy(gates=tuple(ExpressionGate(id=f"g{n}", expression=rule) for n, rule in enumerate(rules)))
    observed = facts()
    print(f"1,000 gates, first time, compiled too: {timed(lambda: evaluate(policy, observed)) * 1000:.1f} ms")
    with LimitedEvaluator() as limited:
        report("1,000 gates, in this process", lambda: evaluate(policy, observed))
        report("1,000 gates, limited child", lambda: evaluate(policy, observed, limited))
    report("facts of one promotion", lambda: for_expressions(observed, policy))


def report(name, call):
    call()
    took = [timed(call) * 1000 for _ in range(20)]
    print(f"{name}: median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms")


def evidence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
        command += ["--artifacts-destination", f"{folder}/artifacts"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        quiet["env"] = os.environ | settings
        server = subprocess.Popen(command, start_new_session=True, **quiet)
        try:
            wait(address)
            subprocess.run([sys.executable, str(TRAIN), address], check=True, **quiet)
            measure(MlflowRegistry(address))
        finally:
            os.killpg(server.pid, 15)
            server.wait(20)


def measure(registry):
    sent = []
    send = requests.Session.send

    def counted(self, request, **how):
        sent.append(request.url)
        return send(self, request, **how)

    requests.Session.send = counted

    def pull_request():
        compare(registry.evidence("fraud-detector", "2"), registry.evidence("fraud-detector", "1"))

    report("evidence of one pull request", pull_request)
    print(f"requests for it: {len(sent) / 21:.0f}")


def wait(address):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit("the MLflow server did not start")


def timed(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    gates()
    evidence()
