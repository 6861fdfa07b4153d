"""Where in GitHub a forge works: one repository, reached by one client."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.adapters.github.answers import Recent
from bot.adapters.github.client import Client
from bot.adapters.github.errors import SYSTEM
from bot.ports import Refused


@dataclass(frozen=True, slots=True)
class Place:
    """A repository `owner/name` and the login under which the App speaks there."""

    client: Client
    owner: str
    name: str
    bot_login: str
    written: Recent[tuple[object, ...], Any] = field(default_factory=Recent)

    @property
    def repository(self) -> str:
        return f"{self.owner}/{self.name}"

    def url(self, *parts: str | int) -> str:
        """A path of the API below this repository. Raises Refused for a part that would lead elsewhere."""
        path = "/".join(str(part) for part in parts)
        return f"/repos/{quote(self.owner)}/{quote(self.name)}" + (f"/{quote(inside(path))}" if path else "")


def segment(name: str) -> str:
    """A login or a team's slug as one step of a path, whatever is in it."""
    return inside(quote(name, safe=""))


def marked(marker: str, body: str) -> str:
    """The body with its marker, by which it is found again."""
    return body if marker in body else f"{marker}\n{body}"


def is_by(place: Place, user: Any) -> bool:
    """Whether a record's `user` is this App's bot."""
    return isinstance(user, dict) and str(user.get("login")).casefold() == place.bot_login.casefold()


def inside(path: str) -> str:
    """A path that stays where it begins: HTTP clients resolve `..` before they send.

    Raises Refused for any other.
    """
    if any(step in ("", ".", "..") for step in path.split("/")):
        raise Refused(SYSTEM, f"{path!r} is no path inside a repository")
    return path
