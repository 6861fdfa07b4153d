"""How bunched bad requests are, and how many a baseline has: learned from its own recent past.

Independent requests scatter like a binomial. Real ones come in bunches: one slow upstream, one retrying
client. What is learned here is `rho`, the correlation within a bunch: n requests then tell as much as
n / (1 + (n−1)·rho) independent ones. What follows the load is no bunching (see `bot.analysis.load`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from bot.analysis.load import LoadCurve, load_curve
from bot.analysis.windows import Count

_PRIOR_RHO = 0.02
_MOST_PRIOR_CV2 = 2.0
"""Where history says nothing: services whose errors come in bunches that last for minutes are common."""
_PRIOR_SPREAD = 0.5
"""The prior's standard deviation over its mean: how far history must be from it to be believed."""
_MAX_CV2 = 4.0
_BLOCKS = (1, 2, 4, 8, 16)
_FEWEST_BLOCKS = 6


@dataclass(frozen=True, slots=True)
class Past:
    """What the baseline's history says of one SLO.

    `ratio`: bad requests over requests, None without requests; `typical`: the same without the worst
    tenth of the windows; `upper`: what the ratio hardly exceeds (two standard errors up); `cv2`: squared
    coefficient of variation of the ratio between windows, beyond what chance alone and the load bring;
    `windows`: how many windows with requests there were; `load`: how the load moves the ratio, None where
    it does not.
    """

    ratio: float | None
    typical: float
    upper: float
    cv2: float
    windows: int
    load: LoadCurve | None = None

    def rho(self, allowed: float) -> float:
        """The correlation within a bunch at a bad ratio of `allowed`."""
        return self.cv2 * allowed / (1.0 - allowed)

    def state(self) -> dict[str, Any]:
        """What must be kept so that history need not be learned again."""
        return {
            "ratio": self.ratio,
            "typical": self.typical,
            "upper": self.upper,
            "cv2": self.cv2,
            "windows": self.windows,
            "load": self.load.state() if self.load is not None else None,
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The past that said `state`."""
        past = cls(**state)
        if past.load is None:
            return past
        return replace(past, load=LoadCurve.restore(state["load"]))


def prior_cv2(allowed: float) -> float:
    """`cv2` where nothing is known, for a ratio of which `allowed` is accepted."""
    return min(_MOST_PRIOR_CV2, _PRIOR_RHO * (1.0 - allowed) / allowed)


def past(counts: Sequence[Count], allowed: float) -> Past:
    """What a history of window counts (oldest first) says, for a ratio of which `allowed` is accepted."""
    counts = [count for count in counts if count.total > 0 and count.fault() is None]
    total = sum(count.total for count in counts)
    if not counts or total <= 0:
        return Past(ratio=None, typical=0.0, upper=1.0, cv2=prior_cv2(allowed), windows=0)
    ratio = sum(count.bad for count in counts) / total
    curve = load_curve(counts)
    expected = [curve.shifted(ratio, count.total) if curve is not None else ratio for count in counts]
    cv2 = _posterior_cv2(counts, expected, ratio, allowed)
    deff = 1.0 + cv2 * total / len(counts) * ratio
    spread = math.sqrt(max(ratio, 1.0 / total) * deff / total)
    return Past(
        ratio=ratio,
        typical=_typical(counts),
        upper=min(1.0, ratio + 2.0 * spread + 1.0 / total),
        cv2=cv2,
        windows=len(counts),
        load=curve,
    )


def _typical(counts: Sequence[Count]) -> float:
    best = sorted(counts, key=lambda count: count.bad / count.total)[: math.ceil(0.9 * len(counts))]
    return sum(count.bad for count in best) / sum(count.total for count in best)


def _posterior_cv2(counts: Sequence[Count], expected: Sequence[float], ratio: float, allowed: float) -> float:
    """The largest over several block lengths, because bunches may last longer than a window, of the mean
    of what the blocks' excess variance says and of the prior, each weighted by how well it is known.
    `expected`: the ratio to expect in each window.
    """
    mean_total = sum(count.total for count in counts) / len(counts)
    # A ratio far below what is allowed says little of the scatter at the allowed ratio: a floor.
    level = min(max(ratio, allowed / 10.0), 0.99)
    # The excess of a block of m windows, per request of ONE window, is cv² times odds.
    unit = (1 - level) / level / max(1.0, mean_total)
    mean = prior_cv2(allowed)
    spread = _PRIOR_SPREAD * mean
    best = 0.0
    for length in _BLOCKS:
        blocks = len(counts) // length
        if blocks < _FEWEST_BLOCKS and length > 1:
            break
        excess = [
            _excess(counts[k : k + length], expected[k : k + length], level)
            for k in range(0, blocks * length, length)
        ]
        learned = max(0.0, sum(_winsorised(excess)) / blocks) * unit
        # The variance of a Poisson count's squared deviation over its mean is 2 + 1/mean.
        noise = math.sqrt((2.0 + 1.0 / max(mean_total * length * level, 0.05)) / blocks) * unit
        weight = spread**2 / (spread**2 + noise**2)
        best = max(best, weight * learned + (1.0 - weight) * mean)
    return min(best, _MAX_CV2)


def _excess(counts: Sequence[Count], expected: Sequence[float], level: float) -> float:
    """A block's squared deviation beyond what chance alone brings, over what chance brings."""
    pairs = list(zip(counts, expected, strict=True))
    deviation = sum(count.bad - count.total * ratio for count, ratio in pairs)
    chance = sum(count.total * ratio * (1 - ratio) for count, ratio in pairs)
    return (deviation**2 - chance) / (sum(count.total for count in counts) * level * (1 - level))


def _winsorised(values: Sequence[float]) -> list[float]:
    """The largest value pulled down to the second largest: one outage is not how a service scatters."""
    ordered = sorted(values)
    if len(ordered) > _FEWEST_BLOCKS:
        ordered[-1] = ordered[-2]
    return ordered
