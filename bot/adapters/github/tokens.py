"""Installation tokens: each for one repository, with no more rights than Slipway uses.

A token is remembered only after GitHub has taken it once: a fresh one may not have reached all of GitHub yet.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from github import Auth, GithubException
from github.Requester import Requester

from bot.adapters.github.errors import translate
from bot.ports import Refused

USED: Mapping[str, str] = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "checks": "write",
    "deployments": "write",
    "issues": "write",
    "members": "read",
    "actions": "write",
}
"""All that Slipway ever uses. The App asks for less: members and actions only where they are wanted."""
LEVELS = ("read", "write", "admin")
MARGIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at:%H:%M})"

    @property
    def fresh(self) -> bool:
        return datetime.now(UTC) + MARGIN < self.expires_at


Key = tuple[int, str | None]
"""An installation, and `owner/name` of the one repository that a token opens; None: all, to list them."""


class Tokens:
    """The tokens of all installations, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._proven: dict[Key, Token] = {}
        self._rights: dict[int, Mapping[str, str]] = {}

    def proven(self, key: Key) -> Token | None:
        with self._lock:
            token = self._proven.get(key)
        return token if token is not None and token.fresh else None

    def prove(self, key: Key, token: Token) -> None:
        """GitHub has taken this token: it is worth remembering."""
        with self._lock:
            self._proven[key] = token

    def forget(self, key: Key) -> None:
        """GitHub no longer takes it: it was revoked, or the installation's rights changed."""
        with self._lock:
            self._proven.pop(key, None)
            self._rights.pop(key[0], None)

    def issue(self, key: Key, app: Requester) -> Token:
        """Ask for a token as the App. One request; two where the App holds rights that are not used.

        Raises what `errors.translate` gives: NotFound where the App is no longer installed.
        """
        installation, repository = key
        names = None if repository is None else [repository.partition("/")[2]]
        known = self._rights.get(installation)
        try:
            return self._ask(app, installation, names, known)
        except Refused:
            if known is None:
                raise
            self.forget(key)  # the rights were taken away meanwhile
            return self._ask(app, installation, names, None)

    def _ask(
        self, app: Requester, installation: int, names: Sequence[str] | None, rights: Mapping[str, str] | None
    ) -> Token:
        body = {"repositories": names, "permissions": rights}
        try:
            _, answer = app.requestJsonAndCheck(
                "POST",
                f"/app/installations/{installation}/access_tokens",
                input={name: value for name, value in body.items() if value},
            )
        except GithubException as error:
            raise translate(error) from None
        granted = answer.get("permissions") or {}
        needed = _least(granted)
        if granted and needed != granted:
            return self._ask(app, installation, names, needed)
        with self._lock:
            self._rights[installation] = needed
        return Token(answer["token"], datetime.fromisoformat(answer["expires_at"]).astimezone(UTC))


def _least(granted: Mapping[str, str]) -> dict[str, str]:
    return {
        name: min(level, USED[name], key=LEVELS.index)
        for name, level in granted.items()
        if name in USED and level in LEVELS
    }


class InstallationAuth(Auth.Auth):
    """A token as PyGithub wants it; what it shows of itself is never the token."""

    def __init__(self) -> None:
        self.current: Token | None = None

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        assert self.current is not None, "the client fetches a token before each request"
        return self.current.value

    @property
    def _masked_token(self) -> str:
        return "(removed)"
