"""How GitHub says no: a status and a JSON body of a fixed shape."""

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class Problem(Exception):
    """A refusal; `body` is what the client reads, `headers` go with it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        said: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            said["errors"] = self.errors
        return said | {"documentation_url": DOCUMENTATION, "status": str(self.status)}


def not_found(what: str = "Not Found") -> Problem:
    return Problem(404, what)


def forbidden(message: str) -> Problem:
    return Problem(403, message)


def unauthorized(message: str = "Bad credentials") -> Problem:
    return Problem(401, message)


def invalid(resource: str, field: str, code: str = "invalid", message: str | None = None) -> Problem:
    """422 with one entry; `code`: missing, missing_field, invalid, already_exists or custom."""
    entry = {"resource": resource, "field": field, "code": code}
    if message is not None:
        entry["message"] = message
    return Problem(422, "Validation Failed", errors=[entry])


def custom(resource: str, message: str) -> Problem:
    """422 whose one entry is a sentence."""
    entry = {"resource": resource, "code": "custom", "message": message}
    return Problem(422, "Validation Failed", errors=[entry])


def unprocessable(message: str) -> Problem:
    """422 that is only a sentence, as the git endpoints answer."""
    return Problem(422, message)
