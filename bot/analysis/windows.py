"""What a watch is fed: counts of requests over a stretch of time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Count:
    """Requests in a window: `total` of them, `bad` among them. Not a rate: increments."""

    total: float
    bad: float

    def fault(self) -> str | None:
        """Why this cannot be a count; None when it can."""
        if not (math.isfinite(self.total) and math.isfinite(self.bad)):
            return f"a count that is no finite number ({self.bad} of {self.total})"
        if self.total < 0 or self.bad < 0:
            return f"a negative count ({self.bad:g} of {self.total:g})"
        if self.bad > self.total:
            return f"more bad requests than requests ({self.bad:g} of {self.total:g})"
        return None

    def __add__(self, other: "Count") -> "Count":
        return Count(self.total + other.total, self.bad + other.bad)


NOTHING = Count(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Window:
    """One look: what happened up to `at` since the window before.

    `at`: unix seconds, the window's end. `candidate` and `baseline`: counts by the SLO's name; a name
    that is absent means that its series are missing (not: no requests, which is `Count(0, 0)`).
    `baseline` holds only what ran side by side with the candidate. `gauges`: values by gauge name.
    `seconds`: the window's length; None means since the window before.
    """

    at: float
    candidate: Mapping[str, Count] = field(default_factory=dict)
    baseline: Mapping[str, Count] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The window as plain JSON; `from_json` reads it back."""
        plain: dict[str, Any] = {"at": self.at}
        for side, counts in (("candidate", self.candidate), ("baseline", self.baseline)):
            if counts:
                plain[side] = {slo: [count.total, count.bad] for slo, count in counts.items()}
        if self.gauges:
            plain["gauges"] = dict(self.gauges)
        if self.seconds is not None:
            plain["seconds"] = self.seconds
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote. Raises KeyError or TypeError on anything else."""
        return cls(
            at=plain["at"],
            candidate={slo: Count(*count) for slo, count in plain.get("candidate", {}).items()},
            baseline={slo: Count(*count) for slo, count in plain.get("baseline", {}).items()},
            gauges=dict(plain.get("gauges", {})),
            seconds=plain.get("seconds"),
        )
