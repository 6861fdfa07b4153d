"""Looking at MLflow's webhooks, and at who Slipway is to it: reading only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import requests
from mlflow import MlflowClient
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from bot.adapters.mlflow.calls import apply_limits, refusal, translated
from bot.domain.inspection import RegistryUser, WebhookSeen
from bot.ports import Forbidden

_SECONDS = 5.0
_OK = 200
_KEPT_FROM_US = (400, 403, 404)
"""Also where a version of MLflow has the path and wants to be asked otherwise."""


class MlflowInspection:
    """Reads what `slipway doctor` asks of the tracking server at `uri`."""

    def __init__(self, uri: str) -> None:
        apply_limits()
        self._uri = uri.rstrip("/")

    def user(self, models: Iterable[str]) -> RegistryUser | None:
        """Who Slipway is, and its right to each model; None where the server asks nobody who they are."""
        found = self._get("/api/2.0/mlflow/users/current", {})
        user = found.get("user") if found is not None else None
        if not isinstance(user, Mapping):
            return None
        name = str(user.get("username"))
        levels = {model: level for model in models if (level := self._level(name, model))}
        return RegistryUser(name, admin=user.get("is_admin") is True, levels=levels)

    def _level(self, user: str, model: str) -> str | None:
        asked = {"username": user, "resource_type": "registered_model", "resource_id": model}
        found = self._get("/api/3.0/mlflow/users/permissions/get", asked)
        level = found.get("permission") if found is not None else None
        return level if isinstance(level, str) else None

    def open_to_all(self) -> bool:
        """Whether the registry answers without any credentials."""
        with requests.Session() as session, translated("the registered models"):
            session.trust_env = False  # a .netrc would lend its credentials
            answer = session.get(
                f"{self._uri}/api/2.0/mlflow/registered-models/search",
                params={"max_results": 1},
                timeout=_SECONDS,
                allow_redirects=False,
            )
        return answer.status_code == _OK

    def webhooks(self) -> Sequence[WebhookSeen] | None:
        """All webhooks; None where only an administrator may list them."""
        client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        found: list[WebhookSeen] = []
        token: str | None = None
        try:
            while True:
                with translated("its webhooks"):
                    page = client.list_webhooks(max_results=100, page_token=token)
                found += [_seen(webhook) for webhook in page]
                token = page.token
                if not token:
                    return found
        except Forbidden:
            return None

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any] | None:
        """The JSON object at a path; None where the server has no such path or keeps it from us."""
        with translated("who we are"):
            answer = http_request(
                host_creds=get_default_host_creds(self._uri), endpoint=path, method="GET", params=dict(query)
            )
        if answer.status_code in _KEPT_FROM_US:
            return None
        if answer.status_code != _OK:
            raise refusal(answer.status_code, "who we are", answer.text)
        try:
            data = answer.json()
        except ValueError:
            return None
        return data if isinstance(data, Mapping) else None


def _seen(webhook: Any) -> WebhookSeen:
    return WebhookSeen(
        name=str(webhook.name),
        url=str(webhook.url),
        events=frozenset(str(event) for event in webhook.events),
        active=str(webhook.status) == "ACTIVE",
    )
