"""GitHub's answers that are no, in the words of `bot.ports`.

A message holds GitHub's own sentence, which names what was asked for and never a credential.
"""

import time
from collections.abc import Mapping
from typing import Any

from github import GithubException

from bot.ports import Conflict, Forbidden, NotFound, OutsideError, Refused, Unavailable

SYSTEM = "GitHub"
LONGEST_MESSAGE = 300
SECONDARY_LIMIT_WAIT = 60.0
"""GitHub asks for at least a minute where it names no time."""
LIMIT_WORDS = ("rate limit", "abuse detection", "try again later", "retry your request")


def translate(error: GithubException) -> OutsideError:
    """The error of ports that fits status, headers and body of an answer."""
    status, headers = error.status, error.headers or {}
    message = sentence(error.data) or f"answered {status}"
    if is_limit(status, headers, message):
        return Unavailable(SYSTEM, message, retry_after=seconds_to_wait(headers))
    if status >= 500:  # noqa: PLR2004  # every status from here on is the server's own trouble
        return Unavailable(SYSTEM, f"answered {status}", retry_after=_seconds(headers.get("retry-after")))
    match status:
        case 401:
            return Forbidden(SYSTEM, f"the credentials are not accepted: {message}")
        case 403:
            return Forbidden(SYSTEM, message)
        case 404:
            return NotFound(SYSTEM, message)
        case 409:
            return Conflict(SYSTEM, message)
        case _:
            return Refused(SYSTEM, message)


def sentence(data: Any) -> str:
    """GitHub's message with the details it lists below, in one line of at most 300 characters."""
    if not isinstance(data, dict):
        return ""
    details = data.get("errors") or ()
    parts = [data.get("message"), *(_detail(each) if isinstance(each, dict) else each for each in details)]
    text = "; ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
    return " ".join(text.split())[:LONGEST_MESSAGE]


def _detail(detail: Mapping[str, Any]) -> str:
    return detail.get("message") or " ".join(
        str(detail[key]) for key in ("resource", "field", "code") if detail.get(key)
    )


def is_limit(status: int, headers: Mapping[str, Any], message: str) -> bool:
    """Whether a refusal only means "later": a primary or a secondary rate limit."""
    if status == 429:  # noqa: PLR2004  # Too Many Requests
        return True
    if status != 403:  # noqa: PLR2004  # GitHub sends its limits as 403 too
        return False
    spent = str(headers.get("x-ratelimit-remaining")) == "0"
    return spent or "retry-after" in headers or any(word in message.lower() for word in LIMIT_WORDS)


def seconds_to_wait(headers: Mapping[str, Any]) -> float:
    """What `retry-after` says, else the time to the limit's reset, else a minute."""
    told = _seconds(headers.get("retry-after"))
    if told is not None:
        return told
    reset = _seconds(headers.get("x-ratelimit-reset"))
    if str(headers.get("x-ratelimit-remaining")) == "0" and reset is not None:
        return max(1.0, reset - time.time())
    return SECONDARY_LIMIT_WAIT


def _seconds(value: Any) -> float | None:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return None
