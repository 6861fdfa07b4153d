"""How GitHub's GraphQL says no: an entry in `errors` with a `type`."""

from bot.sandbox.github.errors import Problem

TYPES = {401: "FORBIDDEN", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "STALE_DATA"}


class Failure(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def from_problem(problem: Problem) -> Failure:
    """The same refusal as REST gives, in GraphQL's words."""
    details = [
        entry.get("message") or f"{entry.get('field')} {entry.get('code')}" for entry in problem.errors or []
    ]
    return Failure(
        TYPES.get(problem.status, "UNPROCESSABLE"), "; ".join(map(str, details)) or problem.message
    )
