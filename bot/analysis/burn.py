"""The second, slower alarm: how fast the error budget burns, over a long and a short stretch at once.

The pairs are those that site reliability engineers use for a 30-day budget (14.4 times the even pace
for an hour spends 2% of it, 6 times for six hours spends 5%): both stretches of a pair must be over
its factor, the long one against chance, the short one so that the alarm ends with the trouble.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.analysis.windows import Count


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds of the long and the short stretch, and the factor of the even pace."""

    long: float
    short: float
    factor: float


PAIRS = (Pair(3600.0, 300.0, 14.4), Pair(21600.0, 1800.0, 6.0))
_COVERED = 0.5
"""The part of a long stretch that must have been watched before it says anything."""
_ENOUGH_BAD = 20


@dataclass(slots=True)
class BurnAlarm:
    """Counts of the recent past in buckets of a minute, oldest first, as [minute, total, bad]."""

    allowed: float
    minutes: list[list[float]] = field(default_factory=list)

    def observe(self, elapsed: float, count: Count) -> None:
        """Take the counts of a window that ended `elapsed` seconds after the watch began."""
        minute = elapsed // 60
        if not self.minutes or self.minutes[-1][0] != minute:
            self.minutes.append([minute, 0.0, 0.0])
        self.minutes[-1][1] += count.total
        self.minutes[-1][2] += count.bad
        oldest = minute - max(pair.long for pair in PAIRS) / 60
        while self.minutes[0][0] < oldest:
            del self.minutes[0]

    def burning(self, elapsed: float) -> Pair | None:
        """The pair whose both stretches burn too fast; None when all is well."""
        for pair in PAIRS:
            limit = pair.factor * self.allowed
            if limit >= 1.0 or elapsed < pair.long * _COVERED:
                continue
            stretches = [self._since(elapsed - seconds) for seconds in (pair.long, pair.short)]
            if all(count.bad >= _ENOUGH_BAD and count.bad > limit * count.total for count in stretches):
                return pair
        return None

    def _since(self, elapsed: float) -> Count:
        rows = [row for row in self.minutes if row[0] * 60 >= elapsed - 60]
        return Count(sum(row[1] for row in rows), sum(row[2] for row in rows))

    def state(self) -> list[list[float]]:
        """What must be kept to go on later."""
        return [list(row) for row in self.minutes]

    def restore(self, state: Sequence[Sequence[float]]) -> None:
        """Go on from what `state` said."""
        self.minutes = [list(row) for row in state]
