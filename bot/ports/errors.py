"""Somebody else's trouble: the only errors that adapters raise."""


class OutsideError(Exception):
    """An outside system did not do what was asked; `system` names it, the message is for a person."""

    def __init__(self, system: str, message: str) -> None:
        super().__init__(message)
        self.system = system
        self.message = message

    def __str__(self) -> str:
        return f"{self.system}: {self.message}"


class Unavailable(OutsideError):
    """No answer, or a temporary one; `retry_after` is in seconds where the system told."""

    def __init__(self, system: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(system, message)
        self.retry_after = retry_after


class Refused(OutsideError):
    """A clear no."""


class NotFound(Refused):
    """What was named does not exist."""


class Forbidden(Refused):
    """The credentials lack a right."""


class Conflict(Refused):
    """The world moved between looking and acting."""
