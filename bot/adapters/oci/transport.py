"""Requests to registries: the challenge answered, tokens kept, answers capped."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from pydantic import SecretStr

from bot.adapters.oci.challenge import may_send_to, parse_challenge
from bot.ports import Forbidden, OutsideError, Refused, Unavailable

MAX_ANSWER_BYTES = 4_000_000
MAX_REDIRECTS = 3
DEFAULT_TOKEN_SECONDS = 60.0
BODY_SECONDS = 300.0
"""A registry that has taken a large blob checks all of it before it answers."""

_LONGEST_SENTENCE = 300


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
class Call:
    """One request to the registry `host` at `base`; `scopes` are the rights that it takes.

    `content` is called anew for each try. `sink` takes the body of a good answer piece by piece,
    uncapped: its owner counts.
    """

    method: str
    base: str
    host: str
    url: str
    scopes: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    content: Callable[[], Iterable[bytes]] | None = None
    sink: Callable[[bytes], object] | None = None


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
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    def sentence(self) -> str:
        """The status in words, with the registry's own sentence where it gives one."""
        phrase = httpx.codes.get_reason_phrase(self.status)
        errors = self.json().get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        own = " ".join(str(first.get("message") or first.get("code") or "").split())[:_LONGEST_SENTENCE]
        return f"{self.status} {phrase}".strip() + (f": {own}" if own else "")


class Transport:
    """Authenticated requests to any registry. Safe to use from several threads."""

    def __init__(self, client: httpx.Client, credentials: Mapping[str, Credentials]) -> None:
        self._client = client
        self._credentials = dict(credentials)
        self._given: dict[tuple[str, tuple[str, ...]], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def request(self, call: Call) -> Answer:
        """The registry's answer, asked once more with what its challenge asks for.

        Raises Unavailable for 429, 5xx and no answer, Forbidden for 401 and 403.
        """
        given = self._remembered(call)
        answer = self._send(call, given)
        # Without a right to ask for, nothing of ours goes there.
        if answer.status == httpx.codes.UNAUTHORIZED and call.scopes:
            answer = self._send(call, self._authorize(call, answer))
        answer = self._follow(call, answer)
        if answer.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise Forbidden(call.host, _no_right(call, answer))
        return answer

    def _follow(self, call: Call, answer: Answer) -> Answer:
        """Follow redirects of what is read, over HTTPS only and without credentials."""
        url = call.url
        for _ in range(MAX_REDIRECTS):
            reading = call.method in ("GET", "HEAD")
            if not reading or not httpx.codes.is_redirect(answer.status) or "Location" not in answer.headers:
                break
            url = urljoin(url, answer.headers["Location"])
            if urlsplit(url).scheme != "https":
                raise Refused(
                    call.host, "the registry redirects to a place that is not HTTPS; it was not asked"
                )
            answer = self._send(
                Call(call.method, call.base, call.host, url, (), call.headers, sink=call.sink), None
            )
        return answer

    def _authorize(self, call: Call, answer: Answer) -> str:
        challenge = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
        credentials = self._credentials.get(call.host)
        if challenge.scheme == "basic" and credentials is not None:
            return self._remember(call, credentials.basic(), DEFAULT_TOKEN_SECONDS)
        realm = challenge.parameters.get("realm", "")
        if challenge.scheme != "bearer" or not realm:
            raise Forbidden(
                call.host, f"the registry asks for credentials, and none are configured for {call.host}"
            )
        if not may_send_to(realm, call.base):
            raise Forbidden(
                call.host,
                "the registry names a token service that is neither HTTPS nor on its own host: not asked",
            )
        return self._fetch_token(call, realm, challenge.parameters.get("service"))

    def _fetch_token(self, call: Call, realm: str, service: str | None) -> str:
        host = call.host
        headers = {"Accept": "application/json"}
        if (credentials := self._credentials.get(host)) is not None:
            headers["Authorization"] = credentials.basic()
        asked = httpx.URL(realm).copy_merge_params({"scope": list(call.scopes)})
        if service:
            asked = asked.copy_merge_params({"service": service})
        answer = self._send(Call("GET", call.base, host, str(asked), (), headers), None)
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
        return self._remember(call, f"Bearer {token}", seconds)

    def _remember(self, call: Call, authorization: str, seconds: float) -> str:
        with self._lock:
            # Used for nine tenths of its life, so that none expires on the way.
            self._given[call.host, call.scopes] = (authorization, time.monotonic() + 0.9 * seconds)
        return authorization

    def _remembered(self, call: Call) -> str | None:
        with self._lock:
            authorization, expires = self._given.get((call.host, call.scopes), ("", 0.0))
        return authorization if time.monotonic() < expires else None

    def _send(self, call: Call, authorization: str | None) -> Answer:
        headers = dict(call.headers)
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            with self._client.stream(
                call.method,
                call.url,
                headers=headers,
                params=call.params or None,
                content=call.content() if call.content is not None else None,
                timeout=BODY_SECONDS if call.content is not None else httpx.USE_CLIENT_DEFAULT,
                follow_redirects=False,
            ) as response:
                answer = Answer(response.status_code, response.headers, _body(call, response))
        except httpx.InvalidURL:
            raise Refused(call.host, "the registry names an address that is none") from None
        except httpx.HTTPError as error:
            raise Unavailable(call.host, f"the registry does not answer ({type(error).__name__})") from None
        if answer.status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(answer.status):
            seconds = answer.headers.get("Retry-After", "")
            retry_after = float(seconds) if seconds.isdecimal() else None
            raise Unavailable(call.host, f"the registry answered {answer.sentence()}", retry_after)
        return answer


def unexpected(host: str, what: str, answer: Answer) -> OutsideError:
    """The error for an answer that is neither what was wanted nor told apart by `Transport`."""
    return Refused(host, f"{what}: the registry answered {answer.sentence()}")


def _body(call: Call, response: httpx.Response) -> bytes:
    if call.sink is not None and response.is_success:
        for chunk in response.iter_bytes():
            call.sink(chunk)
        return b""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise Refused(call.host, f"the registry's answer is over {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _no_right(call: Call, answer: Answer) -> str:
    scope = call.scopes[0].split(":") if call.scopes else ["", call.host, "pull"]
    right = "push to" if "push" in scope[-1] else "pull"
    return (
        f"no right to {right} {scope[1]}: check the credentials for {call.host} "
        f"(the registry answered {answer.sentence()})"
    )
