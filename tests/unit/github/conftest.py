"""An App whose requests are answered from a script, without a network."""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.adapters.github import GitHubApp

RIGHTS = {"contents": "write", "metadata": "read"}


@dataclass
class Script:
    """What GitHub answers next; tokens and the App's name are answered by themselves."""

    answers: deque[Any] = field(default_factory=deque)
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    tokens: int = 0
    answers_tokens: bool = False
    rights: dict[str, str] = field(default_factory=lambda: dict(RIGHTS))

    def then(self, status: int, body: Any = None, **headers: str) -> None:
        self.answers.append(
            (status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        )

    def fail(self, error: Exception) -> None:
        self.answers.append(error)

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        self.sent.append(request)
        if request.url.endswith("/app"):
            return answer(200, {"slug": "slipway"}, {})
        if request.url.endswith("/access_tokens") and not self.answers_tokens:
            self.tokens += 1
            expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            asked = json.loads(request.body).get("permissions")
            token = {"token": f"ghs_secret{self.tokens}", "expires_at": expires}
            return answer(201, token | {"permissions": asked or self.rights}, {})
        following = self.answers.popleft()
        if isinstance(following, Exception):
            raise following
        response = answer(*following)
        response.request, response.url = request, request.url
        return response


def answer(status: int, body: Any, headers: dict[str, str]) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers)
    response._content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    return response


@pytest.fixture
def script(monkeypatch) -> Script:
    script = Script()

    def send(_adapter, request, **_options):
        return script.send(request)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    return script


@pytest.fixture(scope="session")
def private_key() -> str:
    """A key made for this run only."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def app(script, private_key) -> GitHubApp:
    return GitHubApp(7, private_key, "https://github.test/api/v3")


@pytest.fixture
def forge(app):
    return app.forge(1, "octo/gitops")
