"""One thread's way to GitHub's API for one installation: PyGithub's requester with its defaults put right.

What is changed, and why: PyGithub waits between requests and may sleep until a limit resets (a worker would
hang; we say `Unavailable` and come back), repeats POST after a 5xx (we look before we create), takes any text
and any redirect for an answer, and prints bodies, tokens included, at level DEBUG.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from github import Auth, GithubException
from github.Requester import Requester
from urllib3.util import Retry

from bot import __version__
from bot.adapters.github.answers import Kept, Recent
from bot.adapters.github.budget import Budget, Cost, cost
from bot.adapters.github.connection import REDIRECTS, Connection
from bot.adapters.github.errors import SYSTEM, seconds_to_wait, translate
from bot.adapters.github.tokens import InstallationAuth, Key, Tokens
from bot.ports import OutsideError, Refused, Unavailable

Response = tuple[int, Mapping[str, Any], Any]
"""Status, headers in lower case, JSON."""
PAGE = 100
UNCHANGED = 304
REFUSALS = 400
"""From this status on an answer is a no."""
MOST_PAGES = 50
TIMEOUT_SECONDS = 10

logging.getLogger("github.Requester").setLevel(logging.INFO)

# One more try where nothing can have happened: no connection was made, or a question was not answered.
# urllib3 would sleep for a `retry-after`, whatever the status list says.
_RETRY = Retry(
    total=1,
    status=0,
    redirect=0,
    backoff_factor=0,
    allowed_methods=frozenset({"GET"}),
    status_forcelist=(),
    respect_retry_after_header=False,
)


def requester(base_url: str, auth: Auth.Auth) -> Requester:
    """PyGithub's requester for one thread."""
    return Requester(
        auth=auth,
        base_url=base_url.rstrip("/"),
        timeout=TIMEOUT_SECONDS,
        user_agent=f"slipway/{__version__}",
        per_page=PAGE,
        verify=True,
        retry=_RETRY,
        pool_size=1,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


@dataclass(frozen=True, slots=True)
class Shared:
    """What all threads of one process share."""

    base_url: str
    app_auth: Auth.AppAuth
    tokens: Tokens = field(default_factory=Tokens)
    answers: Recent[tuple[Key, str], Kept] = field(default_factory=Recent)
    written: Recent[tuple[object, ...], Any] = field(default_factory=Recent)
    """Ids of what was just made: a listing that is asked right after may not show it yet."""
    budgets: dict[int, Budget] = field(default_factory=dict)
    without_graphql: set[int] = field(default_factory=set)
    """Installations whose server has no GraphQL, or not what we need of it."""

    def __repr__(self) -> str:
        return f"Shared(base_url={self.base_url!r})"

    def budget(self, installation: int) -> Budget:
        host = urlsplit(self.base_url).hostname or ""
        counted = host == "api.github.com" or host.endswith(".ghe.com")
        return self.budgets.setdefault(installation, Budget(counted=counted))


class NotJson(Unavailable):
    """A page where an answer should be: a proxy's, or that of a server which does not have this."""


class Client:
    """Requests as one installation (`key`), or as the App itself where `key` is None. For one thread."""

    def __init__(self, shared: Shared, key: Key | None) -> None:
        self._shared = shared
        self._key = key
        self._app = requester(shared.base_url, shared.app_auth)
        self._auth = InstallationAuth()
        self._requester = self._app if key is None else requester(shared.base_url, self._auth)
        self._connection: Any = Connection(
            shared.base_url, retry=_RETRY, pool_size=1, timeout=TIMEOUT_SECONDS, verify=True
        )
        self._budget = shared.budget(0 if key is None else key[0])

    def __repr__(self) -> str:
        return f"Client({self._key})"

    # The verbs.
    def get(self, path: str, **query: Any) -> Any:
        """The answer to a question; an unchanged one comes from memory."""
        return self._remembered(path, query).data

    def _remembered(self, path: str, query: Mapping[str, Any]) -> Kept:
        key = (self._key or (0, None), f"{path}?{sorted(query.items())}")
        kept = self._shared.answers.get(key)
        status, headers, data = self._request("GET", path, query=query, etag=kept.etag if kept else None)
        if status == UNCHANGED and kept is not None:
            return kept
        fresh = Kept(str(headers.get("etag", "")), data, str(headers.get("link", "")))
        if fresh.etag:
            self._shared.answers.keep(key, fresh)
        return fresh

    def get_large(self, path: str, **query: Any) -> Any:
        """The answer to a question that is too large to remember and seldom asked twice."""
        return self._request("GET", path, query=query)[2]

    def pages(self, path: str, within: str | None = None, **query: Any) -> Iterator[Mapping[str, Any]]:
        """All entries of a listing; `within` names the key that holds them where the answer is an object.

        The server's link alone says whether there is a next page: a listing by cursor does not know page
        numbers, and would answer its last page for ever. Of the link only the query is taken.
        """
        following: dict[str, Any] | None = {**query, "per_page": PAGE}
        for _ in range(MOST_PAGES):
            if following is None:
                return
            answer = self._remembered(path, following)
            entries = answer.data if within is None else answer.data[within]
            yield from entries
            following = _next_page(answer.link, following)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._request("POST", path, body=body)[2]

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._request("PATCH", path, body=body)[2]

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._request("PUT", path, body=body)[2]

    def delete(self, path: str) -> None:
        self._request("DELETE", path)

    # GraphQL.
    @property
    def has_graphql(self) -> bool:
        return self._key is not None and self._key[0] not in self._shared.without_graphql

    def graphql(self, document: str, variables: Mapping[str, Any]) -> Any:
        """The `data` of a GraphQL answer without errors. Raises Refused with GitHub's sentence otherwise."""
        price = Cost(points=5, creation=True) if "mutation" in document else Cost(points=1)
        try:
            _, _, answer = self._request(
                "POST",
                self._requester.graphql_url,
                body={"query": document, "variables": variables},
                price=price,
            )
        except Refused:
            self._no_graphql()
            raise
        except NotJson:
            self._no_graphql()
            raise Refused(SYSTEM, "this is no GraphQL") from None
        data = answer.get("data") if isinstance(answer, dict) else None
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if isinstance(data, dict) and not errors:
            return data
        errors = errors or [{"message": "this is no GraphQL"}]
        if any(error.get("type") == "RATE_LIMITED" for error in errors):
            self._budget.close(seconds_to_wait({}))
            raise Unavailable(SYSTEM, "the GraphQL rate limit is spent", retry_after=seconds_to_wait({}))
        if not isinstance(data, dict):
            self._no_graphql()  # the document does not fit the server's schema
        raise Refused(SYSTEM, "; ".join(str(error.get("message")) for error in errors)[:300])

    def _no_graphql(self) -> None:
        assert self._key is not None, "only installations speak GraphQL"
        self._shared.without_graphql.add(self._key[0])

    # How a request goes.
    def _request(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        etag: str | None = None,
        price: Cost | None = None,
    ) -> Response:
        self._budget.spend(price or cost(verb, path))
        proven = self._take_token()
        try:
            return self._send(verb, path, query, body, etag)
        except GithubException as error:
            if error.status != 401 or self._key is None:  # noqa: PLR2004  # only 401 speaks of the token
                raise self._refusal(error) from None
        # A remembered token may have been revoked; a fresh one may not be known everywhere yet.
        self._shared.tokens.forget(self._key)
        if not proven:
            raise Unavailable(SYSTEM, "the new token is not known yet", retry_after=1)
        self._take_token()
        try:
            return self._send(verb, path, query, body, etag)
        except GithubException as error:
            raise self._refusal(error) from None

    def _take_token(self) -> bool:
        """Have a token ready; whether it has worked before."""
        if self._key is None:
            return True
        known = self._shared.tokens.proven(self._key)
        try:
            self._auth.current = known or self._shared.tokens.issue(self._key, self._app)
        except requests.RequestException as error:
            raise _unreachable(error) from None
        return known is not None

    def _send(
        self,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        etag: str | None,
    ) -> Response:
        headers = {"Accept": "application/vnd.github+json"} | ({"If-None-Match": etag} if etag else {})
        try:
            status, told, text = self._requester.requestJson(
                verb, path, parameters=dict(query or {}), headers=headers, input=body, cnx=self._connection
            )
        except requests.RequestException as error:
            raise _unreachable(error) from None
        except RuntimeError:  # a redirect that is not followed
            raise Refused(SYSTEM, "the address leads to another server") from None
        self._budget.learn(status, told)
        data = _read(status, text)
        if status >= REFUSALS or status in REDIRECTS:
            raise self._requester.createException(status, told, data)
        if self._key is not None and self._auth.current is not None:
            self._shared.tokens.prove(self._key, self._auth.current)
        return status, told, data

    def _refusal(self, error: GithubException) -> OutsideError:
        refusal = translate(error)
        if isinstance(refusal, Unavailable) and refusal.retry_after and error.status < 500:  # noqa: PLR2004
            self._budget.close(refusal.retry_after)
        return refusal


def _read(status: int, text: str) -> Any:
    """The JSON of an answer. What a proxy says when something is wrong need not be any."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        if status >= REFUSALS:
            return None
        raise NotJson(SYSTEM, "the answer is not JSON") from None


def _next_page(link: str, query: Mapping[str, Any]) -> dict[str, Any] | None:
    """The query of the next page; None at the end."""
    links = requests.utils.parse_header_links(link)
    further = next((each["url"] for each in links if each.get("rel") == "next"), None)
    if further is None:
        return None
    return {**query, **dict(parse_qsl(urlsplit(further).query))}


def _unreachable(error: requests.RequestException) -> Unavailable:
    """Only the kind of trouble: requests' own text repeats whole addresses."""
    return Unavailable(SYSTEM, f"no answer ({type(error).__name__})")
