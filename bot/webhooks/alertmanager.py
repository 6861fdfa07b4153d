"""Alertmanager's webhook (version 4): outside signals that may fail a canary where a policy names the alert.

Alertmanager does not sign. It sends the secret itself, as `http_config.authorization` of its receiver says:
`Authorization: Bearer <secret>`. An alert's links and annotations are not read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.webhooks import signing
from bot.webhooks.errors import BadRequest
from bot.webhooks.reading import Fields, json_object, lower_case

VERSION = "4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of a group; `labels` hold its name too. `fingerprint` is the same while it fires."""

    name: str
    firing: bool
    labels: Mapping[str, str]
    starts_at: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsChanged:
    """A group of alerts began to fire, changed, or was resolved; also said again while it fires."""

    delivery: str
    alerts: tuple[Alert, ...]


def parse(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> AlertsChanged:
    """Check one delivery against any of the valid secrets and read it.

    A delivery has no id: its content is its id. Raises BadSignature or BadRequest, and nothing else.
    """
    signing.verify_bearer(lower_case(headers), secrets)
    payload = json_object(body)
    if payload.find("version") != VERSION:
        raise BadRequest(f"this is not version {VERSION} of Alertmanager's webhook")
    alerts = tuple(_alert(alert) for alert in payload.each("alerts"))
    return AlertsChanged(delivery=signing.content_id(body), alerts=alerts)


def _alert(alert: Fields) -> Alert:
    return Alert(
        name=alert.name("labels", "alertname"),
        firing=alert.name("status") == "firing",
        labels=alert.table("labels"),
        starts_at=alert.time("startsAt"),
        fingerprint=alert.name("fingerprint"),
    )
