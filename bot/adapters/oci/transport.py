"""Requests to registries: the challenge answered, tokens kept, answers capped."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from pydantic import SecretStr

from bot.adapters.oci.challenge import may_send_to, parse_challenge
from bot.ports import Forbidden, Refused, Unavailable

MAX_ANSWER_BYTES = 4_000_000
MAX_REDIRECTS = 3
DEFAULT_TOKEN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """User name and password for one registry host.

    ECR: `AWS` and what `aws ecr get-login-password` prints; GAR: `oauth2accesstoken` and an access token, or
    `_json_key` and the key; GHCR: any user name and a personal access token.
    """

    username: str
    password: SecretStr

    def basic(self) -> str:
        """The value of an `Authorization` header."""
        auth = httpx.BasicAuth(self.username, self.password.get_secret_value())
        request = next(auth.auth_flow(httpx.Request("GET", "https://registry.invalid")))
        return request.headers["Authorization"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registry answered, its body read up to the cap."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def ok(self) -> bool:
        return httpx.codes.is_success(self.status)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


class Transport:
    """Authenticated requests to any registry. Safe to use from several threads."""

    def __init__(self, client: httpx.Client, credentials: Mapping[str, Credentials]) -> None:
        self._client = client
        self._credentials = dict(credentials)
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def request(
        self, method: str, base: str, host: str, repository: str, rest: str, *, accept: str
    ) -> Answer:
        """`{base}/v2/{repository}/{rest}`, once more with what the registry's challenge asks for.

        Raises Unavailable for 429, 5xx and no answer, Forbidden for 401 and 403.
        """
        url = f"{base}/v2/{repository}/{rest}"
        scope = f"repository:{repository}:pull"
        headers = {"Accept": accept}
        if (token := self._cached_token(host, scope)) is not None:
            headers["Authorization"] = f"Bearer {token}"
        answer = self._send(method, url, host, headers)
        if answer.status == httpx.codes.UNAUTHORIZED:
            headers["Authorization"] = self._authorize(answer, host, base, scope)
            answer = self._send(method, url, host, headers)
        answer = self._follow(method, url, host, accept, answer)
        if answer.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise Forbidden(host, f"no right to pull {repository}: check the credentials for {host}")
        return answer

    def _follow(self, method: str, url: str, host: str, accept: str, answer: Answer) -> Answer:
        """Follow redirects, over HTTPS only and without credentials."""
        for _ in range(MAX_REDIRECTS):
            if not httpx.codes.is_redirect(answer.status) or "Location" not in answer.headers:
                break
            url = urljoin(url, answer.headers["Location"])
            if urlsplit(url).scheme != "https":
                raise Refused(host, "the registry redirects to a place that is not HTTPS; it was not asked")
            answer = self._send(method, url, host, {"Accept": accept})
        return answer

    def _authorize(self, answer: Answer, host: str, base: str, scope: str) -> str:
        challenge = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
        credentials = self._credentials.get(host)
        if challenge.scheme == "basic" and credentials is not None:
            return credentials.basic()
        realm = challenge.parameters.get("realm", "")
        if challenge.scheme != "bearer" or not realm:
            raise Forbidden(host, f"the registry asks for credentials, and none are configured for {host}")
        if not may_send_to(realm, base):
            raise Forbidden(
                host,
                "the registry names a token service that is neither HTTPS nor on its own host: not asked",
            )
        return f"Bearer {self._fetch_token(realm, challenge.parameters.get('service'), scope, host)}"

    def _fetch_token(self, realm: str, service: str | None, scope: str, host: str) -> str:
        headers = {"Accept": "application/json"}
        if (credentials := self._credentials.get(host)) is not None:
            headers["Authorization"] = credentials.basic()
        params = {"scope": scope} | ({"service": service} if service else {})
        answer = self._send("GET", realm, host, headers, params)
        if not answer.ok:
            raise Forbidden(
                host, f"the token service answered {answer.status}: check the credentials for {host}"
            )
        told = answer.json()
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Refused(host, "the token service's answer holds no token")
        lifetime = told.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int) and lifetime > 0 else DEFAULT_TOKEN_SECONDS
        with self._lock:
            # Used for nine tenths of its life, so that none expires on the way.
            self._tokens[host, scope] = (token, time.monotonic() + 0.9 * seconds)
        return token

    def _cached_token(self, host: str, scope: str) -> str | None:
        with self._lock:
            token, expires = self._tokens.get((host, scope), ("", 0.0))
        return token if time.monotonic() < expires else None

    def _send(
        self,
        method: str,
        url: str,
        host: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        try:
            with self._client.stream(
                method, url, headers=headers, params=params, follow_redirects=False
            ) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise Refused(host, f"the registry's answer is over {MAX_ANSWER_BYTES} bytes")
                answer = Answer(response.status_code, response.headers, bytes(body))
        except httpx.InvalidURL:
            raise Refused(host, "the registry names an address that is none") from None
        except httpx.HTTPError as error:
            raise Unavailable(host, f"the registry does not answer ({type(error).__name__})") from None
        if answer.status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(answer.status):
            seconds = answer.headers.get("Retry-After", "")
            retry_after = float(seconds) if seconds.isdecimal() else None
            raise Unavailable(host, f"the registry answered {answer.status}", retry_after)
        return answer
