"""Alertmanager and Argo CD do not sign: they carry a secret, or have no route at all."""

import pytest
from fastapi.testclient import TestClient

from bot.web import webhooks
from bot.web.app import create_app

FIRING = {
    "version": "4",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "ModelErrorsHigh", "model": "fraud"},
            "startsAt": "2026-11-21T12:00:00Z",
            "fingerprint": "a1",
        }
    ],
}
SENT = [("alertmanager", FIRING), ("argocd", {"application": "fraud-production"})]


@pytest.mark.parametrize(("path", "payload"), SENT)
def test_a_delivery_with_the_secret_is_remembered(senders, path, payload):
    """202, and a row."""
    assert senders.bearing(path, payload).status_code == 202
    assert senders.stored() == 1


@pytest.mark.parametrize(("path", "payload"), SENT)
def test_a_delivery_with_another_secret_is_401_and_stores_nothing(senders, path, payload):
    """Nobody else fails a canary."""
    assert senders.bearing(path, payload, "wrong").status_code == 401
    assert senders.stored() == 0


@pytest.mark.parametrize("path", ["alertmanager", "argocd"])
def test_what_is_none_of_theirs_is_400(senders, path):
    """The secret alone is not enough."""
    assert senders.bearing(path, {"version": "3"}).status_code == 400
    assert senders.stored() == 0


def test_the_same_alerts_are_remembered_once_and_each_hint_by_itself(senders):
    """Content is an alert group's id; a hint has none."""
    for path, payload in SENT * 2:
        senders.bearing(path, payload)
    assert senders.stored() == 3


@pytest.mark.parametrize(("path", "payload"), SENT)
def test_without_a_secret_there_is_no_such_route(store, path, payload):
    """What nobody set up is 404, not open."""
    client = TestClient(create_app([webhooks.router(store, github_secrets=("x",), mlflow_secrets=("x",))]))
    answer = client.post(f"/webhooks/{path}", json=payload, headers={"Authorization": "Bearer x"})
    assert answer.status_code == 404
