"""The template's Job tells a real MLflow server where Slipway listens, once.

The server runs with the template's settings: without them it refuses plain HTTP and private addresses.
"""

import runpy

import pytest
from mlflow import MlflowClient

from bot.adapters import shipped
from bot.webhooks.mlflow import MODELS, PROMPTS

SCRIPT = shipped.folder("gitops-repo-template") / "platform" / "mlflow" / "register_webhook.py"


@pytest.fixture
def run(mlflow_server, monkeypatch, capsys):
    """Run the Job's script for an address; what it printed."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("WEBHOOK_SECRET", "not-a-real-secret")

    def once(url):
        monkeypatch.setenv("WEBHOOK_URL", url)
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out.strip()

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
