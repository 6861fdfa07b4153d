"""Lets MLflow tell Slipway what happens in the registry; does nothing where it already does.

Reads MLFLOW_TRACKING_URI (and what else MLflow itself reads), WEBHOOK_URL and WEBHOOK_SECRET. A webhook of
the same name with another address or other events is replaced; after a change of the secret alone, delete
it in MLflow.
"""

import os
import sys

from mlflow import MlflowClient

NAME = "slipway"
EVENTS = (
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt_version.created",
    "prompt_alias.created",
    "prompt_alias.deleted",
)


def main() -> None:
    client = MlflowClient()
    url = os.environ["WEBHOOK_URL"]
    for webhook in client.list_webhooks(max_results=100):
        if webhook.name != NAME:
            continue
        if webhook.url == url and {str(event) for event in webhook.events} == set(EVENTS):
            sys.stdout.write(f"{NAME} is told at {url} already\n")
            return
        client.delete_webhook(webhook.webhook_id)
    client.create_webhook(NAME, url, [*EVENTS], secret=os.environ["WEBHOOK_SECRET"])
    sys.stdout.write(f"{NAME} is told at {url} from now on\n")


if __name__ == "__main__":
    main()
