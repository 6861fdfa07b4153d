"""One hypothesis about one ratio, fed windows of any length: they are pooled into cells of one interval.

Pooling is what makes the evidence the same however the scrapes were cut: it depends on a cell's counts,
not on how many windows brought them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.analysis.evidence import Evidence, Prior


@dataclass(slots=True)
class _Cell:
    """The open cell of one test: pooled counts, and its length in intervals."""

    total: float = 0.0
    bad: float = 0.0
    length: float = 0.0


@dataclass(slots=True)
class Trial:
    """Evidence with the cell that is still open; `index` is the number of that cell."""

    evidence: Evidence
    prior: Prior
    interval: float
    cell: _Cell = field(default_factory=_Cell)
    index: int = 0
    allowed: float = 0.0

    def observe(self, index: int, total: float, bad: float, allowed: float, length: float) -> None:
        """Pool these counts into cell `index`; an earlier cell is settled first."""
        if index > self.index:
            self._settle()
            self.index = index
        if total > 0:
            # A null ratio that differs inside one cell is averaged over its requests.
            pooled = self.cell.total + total
            self.allowed = (self.allowed * self.cell.total + allowed * total) / pooled
            self.cell.total, self.cell.bad = pooled, self.cell.bad + bad
        self.cell.length += length

    def value(self) -> float:
        """E now."""
        cell = self.cell
        return self.evidence.look(cell.total, cell.bad, self.allowed, cell.length, self._weight())

    def _settle(self) -> None:
        cell = self.cell
        self.evidence.settle(cell.total, cell.bad, self.allowed, cell.length, self._weight())
        self.cell, self.allowed = _Cell(), 0.0

    def _weight(self) -> float:
        return max(0.0, self.prior.given((self.index + 1) * self.interval) - self.evidence.given)

    def state(self) -> dict[str, Any]:
        """What must be kept to go on later."""
        cell = self.cell
        return {
            "evidence": self.evidence.state(),
            "cell": [cell.total, cell.bad, cell.length],
            "index": self.index,
            "allowed": self.allowed,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        self.evidence.restore(state["evidence"])
        self.cell = _Cell(*state["cell"])
        self.index = state["index"]
        self.allowed = state["allowed"]
