"""A gauge is in breach when it stays beyond its limit for long enough without a break."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.analysis.objectives import GaugeLimit
from bot.domain.slo import OnBreach
from bot.domain.verdict import Outcome, SloEvidence


@dataclass(slots=True)
class GaugeWatch:
    """One gauge over time. A look without a value neither breaks nor prolongs a breach."""

    limit: GaugeLimit
    beyond_since: float | None = None
    last: float | None = None
    worst: float | None = None
    looks: int = 0
    broken: bool = False

    def observe(self, at: float, value: float | None) -> None:
        """Take the value at `at` (unix seconds); NaN and infinities are no value."""
        if value is None or not math.isfinite(value):
            return
        self.looks += 1
        self.last = value
        if not self.limit.breached_by(value):
            self.beyond_since = None
            return
        if self.worst is None or abs(value) > abs(self.worst):
            self.worst = value
        if self.beyond_since is None:
            self.beyond_since = at
        if at - self.beyond_since >= self.limit.hold:
            self.broken = True

    @property
    def reason(self) -> str:
        """What it did, for a person."""
        if self.last is None:
            return f"{self.limit.name} had no value."
        if self.broken:
            return f"{self.limit.name} was {self.worst:g}, beyond its limit ({self.limit.sentence})."
        return f"{self.limit.name} is {self.last:g}, within its limit ({self.limit.sentence})."

    def shown(self) -> SloEvidence:
        """Everything about it for a verdict. A gauge without values decides only when it may fail."""
        fails = self.limit.on_breach is OnBreach.FAIL
        outcome = Outcome.PASSED
        if self.broken:
            outcome = Outcome.FAILED
        elif self.looks == 0:
            outcome = Outcome.NO_DATA
        return SloEvidence(
            slo=self.limit.name,
            objective=self.limit.sentence,
            query=self.limit.query,
            outcome=outcome,
            reason=self.reason,
            total=float(self.looks),
            bad=0.0,
            ratio=None,
            interval=None,
            threshold=0.0,
            decides=fails,
            value=self.worst if self.broken else self.last,
            warns=self.broken and self.limit.on_breach is OnBreach.WARN,
        )

    def state(self) -> dict[str, Any]:
        """What must be kept to go on later."""
        return {
            "beyond_since": self.beyond_since,
            "last": self.last,
            "worst": self.worst,
            "looks": self.looks,
            "broken": self.broken,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        self.beyond_since = state["beyond_since"]
        self.last = state["last"]
        self.worst = state["worst"]
        self.looks = state["looks"]
        self.broken = state["broken"]
