"""One hypothesis about one ratio, fed windows of any length: they are pooled into cells of one interval.

Pooling is what makes the evidence the same however the scrapes were cut: it depends on a cell's counts,
not on how many windows brought them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.analysis.evidence import CAP, WARM_CAP, Cell, Evidence, Prior
from bot.analysis.windows import Count


@dataclass(slots=True)
class Trial:
    """Evidence with the cell that is still open; `index` is the number of that cell."""

    evidence: Evidence
    prior: Prior
    interval: float
    cap: float = CAP
    warm_cap: float = WARM_CAP
    cell: Cell = field(default_factory=Cell)
    index: int = 0
    after: tuple[list[float], float] | None = None
    """The evidence with the open cell, and the restart weight that falls on it, once asked for."""

    def observe(self, index: int, count: Count, allowed: float, length: float, load: float = 0.0) -> None:
        """Pool these counts, of which the ratio `allowed` may be bad, into cell `index`; an earlier cell
        is settled first. `load`: requests to all that serve.
        """
        if index > self.index:
            self.evidence.settle(*self._after())
            self.index, self.cell = index, Cell()
        total = self.cell.total + count.total
        # A null ratio that differs inside one cell is averaged over its requests.
        mean = (self.cell.allowed * self.cell.total + allowed * count.total) / total if total > 0 else 0.0
        warm = (index + 1) * self.interval > self.prior.warm_up
        self.cell = Cell(
            total,
            self.cell.bad + count.bad,
            mean,
            self.cell.length + length,
            self.cap if warm else self.warm_cap,
            self.cell.load + load,
        )
        self.after = None

    def value(self) -> float:
        """E now."""
        return self.evidence.value(*self._after())

    def exceeds(self, ease: float = 1.0) -> bool:
        """Whether E is what this trial's level asks for; `ease` divides what is asked."""
        return self.value() * ease >= math.exp(self.evidence.bar)

    def _after(self) -> tuple[list[float], float]:
        if self.after is None:
            due = self.prior.given((self.index + 1) * self.interval) - self.evidence.given
            weight = max(0.0, due)
            self.after = self.evidence.after(self.cell, weight), weight
        return self.after

    def state(self) -> dict[str, Any]:
        """What must be kept to go on later."""
        cell = self.cell
        return {
            "evidence": self.evidence.state(),
            "cell": [cell.total, cell.bad, cell.allowed, cell.length, cell.cap, cell.load],
            "index": self.index,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        self.evidence.restore(state["evidence"])
        self.cell = Cell(*state["cell"])
        self.index = state["index"]
        self.after = None
