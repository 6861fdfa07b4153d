"""Deliveries as their senders sign them."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

SECRET = "secret of the App"


def sign_github(body: bytes, secret: str = SECRET, **headers: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": "11111111-2222-3333-4444-555555555555",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    } | {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture
def github_delivery() -> Callable[[str, Any], tuple[Mapping[str, str], bytes]]:
    """Headers and body of a payload as GitHub would send it."""

    def delivery(event: str, payload: Any) -> tuple[Mapping[str, str], bytes]:
        body = json.dumps(payload).encode()
        return sign_github(body, X_GitHub_Event=event), body

    return delivery
