"""Alertmanager's groups of alerts, taken only with the secret."""

import copy
import json
from datetime import UTC, datetime

import pytest

from bot.webhooks import alertmanager
from bot.webhooks.errors import BadRequest, BadSignature
from bot.webhooks.reading import Fields

GROUP = {
    "version": "4",
    "groupKey": '{}:{alertname="FraudLatency"}',
    "status": "firing",
    "receiver": "slipway",
    "commonLabels": {"alertname": "FraudLatency"},
    "externalURL": "http://alertmanager.test",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "FraudLatency", "model": "fraud-detector"},
            "annotations": {"summary": "slow"},
            "startsAt": "2026-01-02T03:04:05.123Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.test/graph",
            "fingerprint": "c0ffee",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "FraudErrors"},
            "startsAt": "2026-01-02T03:00:00Z",
            "fingerprint": "decaf",
        },
    ],
}
BEARER = {"Authorization": "Bearer secret of the receiver"}


def parse(payload, headers=BEARER, secrets=("secret of the receiver",)):
    return alertmanager.parse(headers, json.dumps(payload).encode(), secrets)


def test_alerts_are_read_with_their_labels():
    """Name, whether it fires, labels, since when."""
    event = parse(GROUP)

    assert event.alerts[0] == alertmanager.Alert(
        name="FraudLatency",
        firing=True,
        labels={"alertname": "FraudLatency", "model": "fraud-detector"},
        starts_at=datetime(2026, 1, 2, 3, 4, 5, 123000, tzinfo=UTC),
        fingerprint="c0ffee",
    )
    assert not event.alerts[1].firing


def test_the_same_content_is_the_same_delivery():
    """Alertmanager's retries carry no id of their own."""
    assert parse(GROUP).delivery == parse(GROUP).delivery
    assert parse(GROUP).delivery != parse({**GROUP, "status": "resolved"}).delivery


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({}, ("s",)),
        ({"Authorization": "Basic s"}, ("s",)),
        ({"Authorization": "Bearer wrong"}, ("s",)),
        ({"Authorization": "Bearer \ud800"}, ("s",)),
        ({"Authorization": "Bearer "}, ("",)),
        ({"Authorization": "Bearer"}, ()),
    ],
)
def test_without_the_secret_nothing_is_read(headers, secrets):
    """A missing, wrong or empty secret lets nobody in."""
    with pytest.raises(BadSignature):
        parse(GROUP, headers, secrets)


def test_either_secret_is_taken_while_they_rotate():
    """Two valid secrets."""
    assert parse(GROUP, secrets=("next", "secret of the receiver"))


@pytest.mark.parametrize(
    "change",
    [
        lambda group: group.update(version="3"),
        lambda group: group.update(alerts={}),
        lambda group: group["alerts"][0].pop("status"),
        lambda group: group["alerts"][0].update(labels=None),
        lambda group: group["alerts"][0]["labels"].update(model=3),
        lambda group: group["alerts"][0].update(startsAt="soon"),
    ],
)
def test_another_shape_is_refused(change):
    """A BadRequest, whatever the shape."""
    group = copy.deepcopy(GROUP)
    change(group)

    with pytest.raises(BadRequest):
        parse(group)


def test_labels_may_be_absent_altogether():
    """A table that is null is empty; only what is named must be there."""
    assert Fields({"labels": None}).table("labels") == {}
