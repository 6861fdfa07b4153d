"""Evidence that a bad ratio is above what is allowed, valid whenever it is looked at.

A test martingale, fed cell by cell (a cell is one `interval` of time). For alternatives q whose odds are
multiples of the allowed odds, the log likelihood ratio of a cell with n requests, b of them bad, is

    lr = [b·ln(q/p0) + (n−b)·ln((1−q)/(1−p0))] / deff          deff = 1 + (n−1)·rho·min(m, 2)

`deff` is the design effect of cluster sampling (Kish 1965): bad requests come in bunches, so that n of
them tell less than n independent ones, and the less the higher the ratio (m is the alternative's
multiple): a storm of a few minutes looks like an alternative well above p0. No alternative takes more bad
requests from a cell than it would bring itself in three standard deviations, so that a blip does not
speak for "slightly worse"; and `lr` is capped above, so that no short blip can fail a candidate by
itself, and capped lower where a cell holds more requests than bunches. Restarts (a prior over the time at
which a regression began) let evidence begin at any moment:

    S_q ← (S_q + π)·e^lr          E = weighted mean of S_q + the restart weight not yet given out

Where the load moves the ratio, p0 is what the curve makes of it at the cell's load, and a cell that kept
what is allowed at any load brings nothing. All of this only makes E smaller on average, so that E stays
below 1/α for ever with a chance of at least 1 − α while the bad ratio is p0 or less (Ville 1939), as far
as `rho` and the curve are known.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.analysis.load import LoadCurve

ALTERNATIVES = (
    (1.15, 0.15),
    (1.35, 0.40),
    (1.7, 0.20),
    (2.3, 0.10),
    (3.5, 0.06),
    (6.0, 0.04),
    (12.0, 0.03),
    (30.0, 0.02),
)
"""The alternatives as multiples of the allowed odds, from just above to plainly down, with their weights:
those that take long to tell weigh most, those that are told in a few cells anyhow can do with little.
"""
_LOGS = tuple(math.log(multiple) for multiple, _ in ALTERNATIVES)
_WEIGHTS = tuple(weight for _, weight in ALTERNATIVES)

CAP = 1 / 4
"""A single cell brings at most this part of what fails a candidate."""
WARM_CAP = 1 / 30
"""The same in the warm-up, where what is bad may well be only the start, and fade slowly."""
CHANGED_WARM_CAP = 1 / 10
"""The same for "worse than the baseline was", which never fails a candidate by itself."""
DOWN_CAP = 1 / 3
"""The same for a service that is plainly down: four cells are enough."""
BUNCHED_CAP = 1 / 3
"""Where bunching outweighs chance, that part of the cap is left: a cell then tells of one bunch, not of its
many requests, and a bunch may be larger than any that an hour of history had.
"""
_UNSEEN_RHO = 0.001
"""The correlation within a bunch that no history rules out, for that cap."""
_PLAINLY_DOWN = 0.75
"""More bad requests than this are no bunch."""
_LONG_CELL = 2.0
"""A cell of several intervals (after a gap in the scrapes) counts for at most this many."""
_LARGEST = 1e100
_WIDER = 2.0
"""The design effect grows with an alternative's multiple up to here."""
_WIDTH = 3.0
"""Standard deviations above what an alternative brings by itself that a cell may count for it."""


@dataclass(frozen=True, slots=True)
class Prior:
    """When a regression begins, as weights that sum to one.

    `start` is given at time zero, the rest after the warm-up until `horizon`, densest at the beginning: a
    weight over time t proportional to 1/(t + `scale`), because what a new version breaks, it mostly
    breaks early. Times in seconds.
    """

    warm_up: float
    horizon: float
    scale: float
    start: float = 0.5

    def given(self, elapsed: float) -> float:
        """The weight given out until `elapsed` seconds after the first request."""
        if elapsed <= self.warm_up:
            return self.start
        span = max(self.horizon - self.warm_up, self.scale)
        passed = min(elapsed - self.warm_up, span)
        return self.start + (1.0 - self.start) * math.log1p(passed / self.scale) / math.log1p(
            span / self.scale
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts of one cell, the ratio `allowed` in it, its `length` in intervals, the part of what fails a
    candidate that it may bring at most, and its `load`: requests to all that serve.
    """

    total: float = 0.0
    bad: float = 0.0
    allowed: float = 0.0
    length: float = 0.0
    cap: float = CAP
    load: float = 0.0


@dataclass(slots=True)
class Evidence:
    """E of one ratio over time. `bar` is ln(1/α); `rho` the correlation within a bunch of requests;
    `curve` how the load moves the ratio; `lenient`: a cell that kept what is allowed at any load brings
    nothing, though it be more than the curve expects; `wary`: a cell of few bunches brings less.
    """

    bar: float
    rho: float
    curve: LoadCurve | None = None
    lenient: bool = False
    wary: bool = False
    sums: list[float] = field(default_factory=lambda: [0.0] * len(ALTERNATIVES))
    given: float = 0.0

    def value(self, sums: Sequence[float], weight: float) -> float:
        """E with these sums, where of the restart weight `weight` more than before is given out."""
        return math.fsum(map(operator.mul, _WEIGHTS, sums)) + max(0.0, 1.0 - self.given - weight)

    def settle(self, sums: list[float], weight: float) -> None:
        """Take what `after` gave for a cell in for good."""
        self.sums = sums
        self.given += weight

    def after(self, cell: Cell, weight: float) -> list[float]:
        """The sums with this cell, at whose start the restart `weight` falls; nothing is kept."""
        if cell.total <= 0:
            return [sum_ + weight for sum_ in self.sums]
        clustered = max(0.0, cell.total - 1.0) * self.rho
        cap = self.bar * cell.cap * min(max(1.0, cell.length), _LONG_CELL)
        if self.wary and cell.bad <= _PLAINLY_DOWN * cell.total:
            bunched = max(1.0, clustered, cell.total * _UNSEEN_RHO)
            cap *= BUNCHED_CAP + (1.0 - BUNCHED_CAP) / bunched
        allowed = cell.allowed
        if self.curve is not None and cell.length > 0:
            allowed = self.curve.shifted(allowed, cell.load / cell.length)
        if self.lenient and cell.bad <= cell.allowed * cell.total:
            cap = 0.0
        sums = []
        for (multiple, _), log, sum_ in zip(ALTERNATIVES, _LOGS, self.sums, strict=True):
            deff = 1.0 + clustered * min(multiple, _WIDER)
            # With odds(q) = m·odds(p0): (1−q)/(1−p0) = 1/(1 + p0·(m−1)), and q/p0 = m times that.
            shrink = 1.0 + allowed * (multiple - 1.0)
            brought = cell.total * allowed * multiple / shrink
            most = brought + _WIDTH * math.sqrt(brought * deff) + 1.0
            gain = (min(cell.bad, most) * log - cell.total * math.log(shrink)) / deff
            sums.append(min((sum_ + weight) * math.exp(min(gain, cap)), _LARGEST))
        return sums

    def state(self) -> dict[str, Any]:
        """What must be kept to go on later."""
        return {"sums": list(self.sums), "given": self.given}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        self.sums = [float(sum_) for sum_ in state["sums"]]
        self.given = float(state["given"])
