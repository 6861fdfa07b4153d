"""What a canary concluded, and the evidence that a person reads and a program replays.

The order of outcomes is written once, in `Outcome`; combining several SLOs is `worst`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a canary ended, from best to worst. Only `FAILED` reverts."""

    PASSED = "passed"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"
    SOURCE_DOWN = "source_down"
    FAILED = "failed"


_SEVERITY = {outcome: severity for severity, outcome in enumerate(Outcome)}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that decides when several SLOs were judged."""
    return max(outcomes, key=_SEVERITY.__getitem__)


@dataclass(frozen=True, slots=True)
class SloEvidence:
    """What one SLO showed over the whole watch.

    `ratio` and `interval` are fractions of bad requests (0 to 1); `evidence` is E over time as
    (seconds since the watch began, E) pairs; `threshold` is the E at which the SLO fails.
    """

    slo: str
    objective: str
    query: str
    outcome: Outcome
    reason: str
    total: float
    bad: float
    ratio: float | None
    interval: tuple[float, float] | None
    threshold: float
    evidence: tuple[tuple[float, float], ...] = ()
    baseline_ratio: float | None = None
    decides: bool = True
    """False for what is only shown or warned of: it never changes the verdict's outcome."""
    value: float | None = None
    """A gauge's last value; where it was beyond its limit for too long, the one furthest beyond."""
    warns: bool = False
    """True for a gauge that is beyond its limit and may only warn."""

    @property
    def is_gauge(self) -> bool:
        """Whether this was one value at a time and not a ratio of requests; then there is no evidence."""
        return self.threshold <= 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion of a canary; `digest` is the SHA-256 over the windows and settings it came from."""

    outcome: Outcome
    reason: str
    slos: tuple[SloEvidence, ...]
    started_at: datetime
    decided_at: datetime
    digest: str
    notes: tuple[str, ...] = ()
    """What was odd about the data (gaps, NaN, counters that ran backwards), one sentence each."""
