"""What is asked and told over plain HTTP: live services, and whoever wants notices."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.notification import Notice


@dataclass(frozen=True, slots=True)
class HttpAsk:
    """One HTTP request; `within` is the limit for all of it, in seconds. A body is JSON."""

    method: str
    url: str
    within: float
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What was answered; `cut`: the body went on, and only its beginning was read."""

    status: int
    body: bytes
    cut: bool = False


class Prober(Protocol):
    """Asks services over HTTP, by addresses of the configuration."""

    def ask(self, ask: HttpAsk) -> HttpAnswer:
        """Redirects are not followed. Raises Unavailable where no whole answer came in time."""


class Notifier(Protocol):
    """People and programs that are told what happened."""

    @property
    def targets(self) -> frozenset[str]:
        """The names under which somebody can be told."""

    def send(self, target: str, notice: Notice) -> None:
        """Tell it. Raises Unavailable where a later try may succeed, Refused where none will."""
