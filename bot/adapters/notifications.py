"""Outbound webhooks: chats that take Slack's incoming webhooks, and programs that take signed JSON.

`webhook` signs as Slipway's own receivers want to be signed to: `X-Slipway-Signature` is `v1=` and the hex
HMAC-SHA256, keyed with the secret, of `{X-Slipway-Delivery}.{X-Slipway-Timestamp}.` and the raw body. The
delivery's id is the same each time, so that a receiver can tell a repetition.
"""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import httpx

from bot import __version__
from bot.domain.notification import Notice
from bot.messages import notification
from bot.ports import NotFound, Refused, Unavailable

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write whole addresses, which are secrets

_TIMEOUT = httpx.Timeout(5.0)
_LATER = frozenset({408, 425, 429})
"""Statuses below 500 that mean "not now"."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where notices go; `url` and `secret` are secrets, and stay out of a repr."""

    kind: Literal["slack", "webhook"]
    url: str
    secret: str = ""

    def __repr__(self) -> str:
        return f"Target({self.kind})"


class HttpNotifier:
    """Sends notices over HTTP, each in one request; it follows no redirect. Close it when done."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._targets = targets
        self._client = httpx.Client(timeout=_TIMEOUT, headers={"User-Agent": f"slipway/{__version__}"})

    @property
    def targets(self) -> frozenset[str]:
        return frozenset(self._targets)

    def send(self, target: str, notice: Notice) -> None:
        known = self._targets.get(target)
        system = f"the notification target {target}"
        if known is None:
            raise NotFound(system, "it has no address in the settings")
        body, headers = _message(known, notice)
        try:
            answer = self._client.post(known.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The error's own text may repeat the address, which is a secret.
            raise Unavailable(system, f"no answer ({type(error).__name__})") from None
        if answer.is_success:
            return
        if answer.status_code in _LATER or answer.is_server_error:
            raise Unavailable(system, f"it answered {answer.status_code}", _wait(answer))
        raise Refused(system, f"it answered {answer.status_code}")

    def close(self) -> None:
        self._client.close()


def _message(target: Target, notice: Notice) -> tuple[bytes, dict[str, str]]:
    headers = {"Content-Type": "application/json"}
    if target.kind == "slack":
        return json.dumps({"text": notification.sentence(notice)}).encode(), headers
    body = json.dumps(notification.document(notice), ensure_ascii=False).encode()
    stamp = str(int(time.time()))
    signed = hmac.new(target.secret.encode(), f"{notice.id}.{stamp}.".encode() + body, hashlib.sha256)
    headers |= {
        "X-Slipway-Delivery": notice.id,
        "X-Slipway-Timestamp": stamp,
        "X-Slipway-Signature": f"v1={signed.hexdigest()}",
    }
    return body, headers


def _wait(answer: httpx.Response) -> float | None:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else None
