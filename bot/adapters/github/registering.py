"""The last step of GitHub's App manifest flow: a code becomes an App's id, key and webhook secret."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from bot.adapters.github.errors import SYSTEM, sentence
from bot.ports import NotFound, Refused, Unavailable

TIMEOUT_SECONDS = 10.0
_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Registered:
    """A new App; its secrets never show in a repr."""

    id: int
    slug: str
    page: str
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


def look(api: str) -> None:
    """See that GitHub's API is there, before an App is made whose key could not be fetched.

    What it answers does not matter, as long as it is the API that answers: a server may want to know first
    who asks. Raises Refused or Unavailable.
    """
    try:
        answer = httpx.get(f"{api.rstrip('/')}/meta", timeout=TIMEOUT_SECONDS)
        found = answer.json()
    except httpx.HTTPError as error:
        raise Unavailable(SYSTEM, f"no answer from {api} ({type(error).__name__})") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(SYSTEM, f"{api} does not answer like GitHub's API; https://HOST/api/v3 would be one")


def convert(api: str, code: str) -> Registered:
    """Exchange a code, which works once and within the hour.

    Raises NotFound where it was used or is too old, Refused for no sensible answer, Unavailable.
    """
    if not _CODE.fullmatch(code):
        raise Refused(SYSTEM, "this is no code of the manifest flow")
    url = f"{api.rstrip('/')}/app-manifests/{quote(code)}/conversions"
    try:
        answer = httpx.post(url, headers={"Accept": "application/vnd.github+json"}, timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Unavailable(SYSTEM, f"no answer from {api} ({type(error).__name__})") from None
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise NotFound(SYSTEM, "the code was used before or is older than an hour")
    try:
        data = answer.json()
    except ValueError:
        raise Refused(SYSTEM, f"{api} does not answer like GitHub's API") from None
    if answer.is_server_error:
        raise Unavailable(SYSTEM, f"answered {answer.status_code}")
    if not answer.is_success:
        raise Refused(SYSTEM, sentence(data) or f"answered {answer.status_code}")
    try:
        return Registered(
            id=int(data["id"]),
            slug=str(data["slug"]),
            page=str(data["html_url"]),
            private_key=_text(data["pem"]),
            webhook_secret=_text(data["webhook_secret"]),
        )
    except (KeyError, TypeError, ValueError):
        # The answer holds the key: nothing of it is repeated.
        raise Refused(SYSTEM, "the answer lacks the App's id, key or webhook secret") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value
