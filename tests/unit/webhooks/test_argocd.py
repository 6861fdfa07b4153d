"""Argo CD's notifications are hints, taken only with the secret."""

import pytest

from bot.webhooks import argocd
from bot.webhooks.errors import BadRequest, BadSignature

BEARER = {"authorization": "bearer secret"}


def test_a_notification_names_the_application():
    """That is all it says; what happened is read from the API."""
    event = argocd.parse(BEARER, b'{"application": "fraud-detector-production", "x": 1}', ["secret"])

    assert event == argocd.ApplicationChanged(application="fraud-detector-production")


def test_a_notification_without_the_secret_is_refused():
    """Even a hint costs a request."""
    with pytest.raises(BadSignature):
        argocd.parse({}, b'{"application": "x"}', ["secret"])


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"application": ""}', b'{"application": 3}', b'{"application": null}']
)
def test_a_notification_of_nothing_is_refused(body):
    """No name, no hint."""
    with pytest.raises(BadRequest):
        argocd.parse(BEARER, body, ["secret"])
