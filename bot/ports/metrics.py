"""What measures: Prometheus and what speaks its API."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.series import Series


class Metrics(Protocol):
    """A server that speaks Prometheus' HTTP API."""

    def raw(self, selector: str, start: float, end: float) -> Sequence[Series]:
        """The raw samples of a selector in (start, end], unix seconds. Empty: no such series.
        Raises Unavailable when the server is away, Refused when the query is wrong.
        """

    def instant(self, query: str, at: float) -> Sequence[Series]:
        """An instant query: one sample a series."""
