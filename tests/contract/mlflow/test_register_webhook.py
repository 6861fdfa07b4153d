"""The template's Job tells a real MLflow server where Slipway listens, once.

The server runs with the template's settings: without them it refuses plain HTTP and private addresses.
"""

import os
import subprocess
import sys

import pytest
from mlflow import MlflowClient

from bot.adapters import shipped
from bot.webhooks.mlflow import MODELS, PROMPTS

SCRIPT = shipped.folder("gitops-repo-template") / "platform" / "mlflow" / "register_webhook.py"


@pytest.fixture
def run(mlflow_server):
    """Run the Job's script for an address."""

    def once(url):
        environment = os.environ | {
            "MLFLOW_TRACKING_URI": mlflow_server,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_PYTHON_REFRESH": "quiet",
            "WEBHOOK_URL": url,
            "WEBHOOK_SECRET": "not-a-real-secret",
        }
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(SCRIPT)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return once


def test_a_webhook_is_registered_once_and_follows_its_address(run, mlflow_server):
    """The second run changes nothing; another address replaces the webhook; every event is one that Slipway reads."""
    client = MlflowClient(mlflow_server)
    try:
        first = run("http://127.0.0.1:1/webhooks/mlflow")
        (made,) = [one for one in client.list_webhooks(max_results=100) if one.name == "slipway"]
        second = run("http://127.0.0.1:1/webhooks/mlflow")
        (same,) = [one for one in client.list_webhooks(max_results=100) if one.name == "slipway"]
        run("http://127.0.0.1:2/webhooks/mlflow")
        (moved,) = [one for one in client.list_webhooks(max_results=100) if one.name == "slipway"]
    finally:
        for webhook in client.list_webhooks(max_results=100):
            if webhook.name == "slipway":
                client.delete_webhook(webhook.webhook_id)

    assert first == "slipway is told at http://127.0.0.1:1/webhooks/mlflow from now on"
    assert second == "slipway is told at http://127.0.0.1:1/webhooks/mlflow already"
    assert same.webhook_id == made.webhook_id
    assert moved.url == "http://127.0.0.1:2/webhooks/mlflow"
    assert {str(event).split(".")[0] for event in made.events} <= MODELS | PROMPTS
