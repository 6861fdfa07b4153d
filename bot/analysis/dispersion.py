"""How bunched bad requests are, and how many a baseline has: learned from its own recent past.

Independent requests scatter like a binomial. Real ones come in bunches: one slow upstream, one retrying
client. What is learned here is `rho`, the correlation within a bunch: n requests then tell as much as
n / (1 + (n−1)·rho) independent ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.analysis.windows import Count

PRIOR_CV2 = 0.05
"""Squared coefficient of variation of a bad ratio where nothing is known."""
_PRIOR_WINDOWS = 12.0
_MAX_CV2 = 4.0
_BLOCKS = (1, 2, 4, 8)
_FEWEST_BLOCKS = 6


@dataclass(frozen=True, slots=True)
class Past:
    """What the baseline's history says of one SLO.

    `ratio`: bad requests over requests, None without requests; `typical`: the same without the worst
    tenth of the windows; `upper`: what the ratio hardly exceeds (two standard errors up); `cv2`: squared
    coefficient of variation of the ratio between windows, beyond what chance alone brings; `windows`:
    how many windows with requests there were.
    """

    ratio: float | None
    typical: float
    upper: float
    cv2: float
    windows: int

    def rho(self, allowed: float) -> float:
        """The correlation within a bunch at a bad ratio of `allowed`."""
        return self.cv2 * allowed / (1.0 - allowed)


def past(counts: Sequence[Count], allowed: float) -> Past:
    """What a history of window counts (oldest first) says, for a ratio of which `allowed` is accepted."""
    counts = [count for count in counts if count.total > 0 and count.fault() is None]
    total = sum(count.total for count in counts)
    if not counts or total <= 0:
        return Past(ratio=None, typical=0.0, upper=1.0, cv2=PRIOR_CV2, windows=0)
    ratio = sum(count.bad for count in counts) / total
    cv2 = _shrunk_cv2(counts, ratio, allowed)
    deff = 1.0 + cv2 * total / len(counts) * ratio
    spread = math.sqrt(max(ratio, 1.0 / total) * deff / total)
    return Past(
        ratio=ratio,
        typical=_typical(counts),
        upper=min(1.0, ratio + 2.0 * spread + 1.0 / total),
        cv2=cv2,
        windows=len(counts),
    )


def _typical(counts: Sequence[Count]) -> float:
    best = sorted(counts, key=lambda count: count.bad / count.total)[: math.ceil(0.9 * len(counts))]
    return sum(count.bad for count in best) / sum(count.total for count in best)


def _shrunk_cv2(counts: Sequence[Count], ratio: float, allowed: float) -> float:
    """The largest excess variance over several block lengths (bunches may last longer than a window),
    each per request of one window, shrunk by how little it rests on towards the prior, or towards what the
    shorter blocks told where that is less.
    """
    mean_total = sum(count.total for count in counts) / len(counts)
    # A ratio far below what is allowed says little of the scatter at the allowed ratio: a floor.
    level = min(max(ratio, allowed / 10.0), 0.99)
    learned, best = PRIOR_CV2, 0.0
    for length in _BLOCKS:
        blocks = [
            _sum(counts[start : start + length]) for start in range(0, len(counts) - length + 1, length)
        ]
        if len(blocks) < _FEWEST_BLOCKS and length > 1:
            break
        excess = [
            ((block.bad - block.total * ratio) ** 2 - block.total * ratio * (1 - ratio))
            / (block.total * level * (1 - level))
            for block in blocks
        ]
        mean = sum(_winsorised(excess)) / len(excess)
        # The excess of a block of m windows, per request of ONE window, is cv² times odds.
        cv2 = max(0.0, mean) / max(1.0, mean_total) * (1 - level) / level
        # The variance of a Poisson count's squared deviation over its mean is 2 + 1/mean.
        noise = 1.0 + 0.5 / max(mean_total * length * level, 0.05)
        weight = len(blocks) / (len(blocks) + _PRIOR_WINDOWS * noise)
        learned = weight * cv2 + (1 - weight) * min(learned, PRIOR_CV2)
        best = max(best, learned)
    return min(best, _MAX_CV2)


def _winsorised(values: Sequence[float]) -> list[float]:
    """The largest value pulled down to the second largest: one outage is not how a service scatters."""
    ordered = sorted(values)
    if len(ordered) > _FEWEST_BLOCKS:
        ordered[-1] = ordered[-2]
    return ordered


def _sum(counts: Sequence[Count]) -> Count:
    return Count(sum(count.total for count in counts), sum(count.bad for count in counts))
