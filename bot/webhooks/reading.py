"""Reading values from JSON that may have any shape.

A key that is absent, null or of another type raises `BadRequest` and names its path, never its value.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.webhooks.errors import BadRequest

MAX_ID = 2**63 - 1  # the largest integer that PostgreSQL's bigint holds
MAX_NAME = 1024
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by lower-case name, since HTTP does not tell case apart."""
    return {name.lower(): value for name, value in headers.items()}


def json_object(body: bytes) -> "Fields":
    """The body as a JSON object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON that can be read") from error
    if not isinstance(value, dict):
        raise BadRequest("the body is not a JSON object")
    return Fields(value)


class Fields:
    """A JSON object, read by paths of keys."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Fields(…)"

    def find(self, *path: str) -> Any:
        """The value at a path, or None where any step of it is missing."""
        value: Any = self._value
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def name(self, *path: str) -> str:
        """A name that identifies something: not empty, one line, and kept exactly as it came."""
        value = self.find(*path)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isprintable():
            raise BadRequest(f"{'.'.join(path)} is not a name")
        return value

    def optional_name(self, *path: str) -> str | None:
        return None if self.find(*path) is None else self.name(*path)

    def repository(self, *path: str) -> str:
        """`owner/name`, of nothing that could lead elsewhere in an address."""
        value = self.name(*path)
        if REPOSITORY.fullmatch(value) is None or {".", ".."} & set(value.split("/")):
            raise BadRequest(f"{'.'.join(path)} is not a repository")
        return value

    def optional_repository(self, *path: str) -> str | None:
        return None if self.find(*path) is None else self.repository(*path)

    def commit(self, *path: str) -> str:
        """A commit's full id in lower-case hexadecimal."""
        value = self.name(*path)
        if COMMIT.fullmatch(value) is None:
            raise BadRequest(f"{'.'.join(path)} is not a commit")
        return value

    def text(self, *path: str) -> str:
        """Text that people wrote; null is empty. What no database can store becomes U+FFFD."""
        value = self.find(*path)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise BadRequest(f"{'.'.join(path)} is not text")
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def number(self, *path: str) -> int:
        """A positive identifier. (In Python `true` is an int; here it is not.)"""
        value = self.find(*path)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_ID:
            raise BadRequest(f"{'.'.join(path)} is not an identifier")
        return value

    def optional_number(self, *path: str) -> int | None:
        return None if self.find(*path) is None else self.number(*path)

    def flag(self, *path: str) -> bool:
        """True only where the value is `true`."""
        return self.find(*path) is True

    def time(self, *path: str) -> datetime:
        """An ISO 8601 time with its offset, in UTC."""
        value = self.find(*path)
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadRequest(f"{'.'.join(path)} is not a time") from error

    def each(self, *path: str) -> Sequence["Fields"]:
        """The objects of a list; null is an empty list."""
        value = self.find(*path)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise BadRequest(f"{'.'.join(path)} is not a list of objects")
        return [Fields(entry) for entry in value]

    def table(self, *path: str) -> dict[str, str]:
        """An object of texts, such as labels; null is empty."""
        value = self.find(*path)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
            raise BadRequest(f"{'.'.join(path)} is not a table of texts")
        inner = Fields(value)
        return {key: inner.text(key) for key in value}

    def names(self, *path: str) -> tuple[str, ...]:
        """The strings of a list; null is an empty list."""
        value = self.find(*path)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise BadRequest(f"{'.'.join(path)} is not a list of names")
        return tuple(value)
