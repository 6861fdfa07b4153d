"""How the load itself moves a bad ratio: learned from the baseline's own recent past.

Many services answer more slowly when more is asked of them. Windows of a busy minute and of a quiet one
then scatter around different ratios, and comparing a candidate with one number for both sees a regression
late. What is learned here is a curve: the odds of a bad request are multiplied by (rate / usual rate)^slope.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

from bot.analysis.windows import Count

_FEWEST_WINDOWS = 48
_FEWEST_BAD = 20
_LIGHT, _HEAVY = 0.25, 0.98
"""Between these parts of the windows, by load, the slope is learned. Below the curve is flat, because
queues are: an idle server is not much quicker than one at ease.
"""
_BEYOND = math.log(2.0)
"""A heavier load than history knows is excused by the same curve, up to twice the heaviest known."""
_LEAST_SPREAD = 0.05
"""Standard deviation of the logarithm of the rate from which on load varies at all."""
_BLOCK = 8
"""Windows whose errors are added before they are squared: what is bunched counts once."""
_CERTAIN = 2.0
"""A slope of less than this many standard errors is none, and a larger one is shrunk accordingly."""
_STEPS = 8
_CONVERGED = 1e-6
_SINGULAR = 1e-9


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """Odds at a rate are the odds at the usual one times exp(slope·x − level), x the logarithm of the
    rate over `usual` (requests in one interval), kept between `lowest` and twice the rate at `highest`.
    """

    slope: float
    usual: float
    lowest: float
    highest: float
    level: float = 0.0

    def shifted(self, ratio: float, rate: float) -> float:
        """The bad ratio to expect at this rate (requests in one interval) where it is `ratio` overall."""
        if rate <= 0:
            return ratio
        factor = math.exp(self.slope * self.at(rate, self.highest + _BEYOND) - self.level)
        return ratio * factor / (1.0 - ratio + ratio * factor)

    def at(self, rate: float, highest: float) -> float:
        """Where on the curve this rate is, kept between `lowest` and `highest`."""
        return min(max(math.log(rate / self.usual), self.lowest), highest)

    def state(self) -> dict[str, float]:
        """What must be kept to go on later."""
        return asdict(self)

    @classmethod
    def restore(cls, state: Mapping[str, float]) -> Self:
        """The curve that said `state`."""
        return cls(**state)


def load_curve(counts: Sequence[Count]) -> LoadCurve | None:
    """A logistic regression of the bad ratio on the logarithm of the rate, over windows with requests; None
    where load does not plainly make it worse. Standard errors are those of clustered data (Liang and Zeger
    1986), and the slope is shrunk by them (James and Stein 1961).
    """
    bad = sum(count.bad for count in counts)
    total = sum(count.total for count in counts)
    if len(counts) < _FEWEST_WINDOWS or bad < _FEWEST_BAD or bad >= total:
        return None
    usual = total / len(counts)
    ordered = sorted(math.log(count.total / usual) for count in counts)
    light, heavy = (ordered[int(part * (len(ordered) - 1))] for part in (_LIGHT, _HEAVY))
    flat = LoadCurve(0.0, usual, light, heavy)
    loads = [flat.at(count.total, heavy) for count in counts]
    mean = sum(loads) / len(loads)
    if math.sqrt(sum((x - mean) ** 2 for x in loads) / len(loads)) < _LEAST_SPREAD:
        return None
    centre = math.log(bad / (total - bad))
    slope = _shrunk(counts, loads, *_fitted(counts, loads, centre))
    if slope <= 0:
        return None
    # The intercept that goes with the shrunk slope: expected and seen bad requests agree.
    intercept, _ = _fitted(counts, loads, centre, slope)
    return replace(flat, slope=slope, level=centre - intercept)


def _fitted(
    counts: Sequence[Count], loads: Sequence[float], intercept: float, slope: float | None = None
) -> tuple[float, float]:
    """Newton's method on (intercept, slope), or on the intercept alone where the slope is given."""
    free, slope = slope is None, slope or 0.0
    for _ in range(_STEPS):
        score, score_x, info, info_x, info_xx = 0.0, 0.0, _SINGULAR, 0.0, _SINGULAR
        for count, x in zip(counts, loads, strict=True):
            ratio = _expit(intercept + slope * x)
            error = count.bad - count.total * ratio
            weight = count.total * ratio * (1.0 - ratio)
            score, score_x = score + error, score_x + error * x
            info, info_x, info_xx = info + weight, info_x + weight * x, info_xx + weight * x * x
        if free:
            determinant = info * info_xx - info_x * info_x
            step = (info_xx * score - info_x * score_x) / determinant
            slope_step = (info * score_x - info_x * score) / determinant
        else:
            step, slope_step = score / info, 0.0
        intercept += min(max(step, -1.0), 1.0)
        slope += min(max(slope_step, -1.0), 1.0)
        if abs(step) + abs(slope_step) < _CONVERGED:
            break
    return intercept, slope


def _shrunk(counts: Sequence[Count], loads: Sequence[float], intercept: float, slope: float) -> float:
    """The slope, less what may be chance."""
    info, info_x, info_xx = _SINGULAR, 0.0, _SINGULAR
    blocks: list[list[float]] = []
    for k, (count, x) in enumerate(zip(counts, loads, strict=True)):
        ratio = _expit(intercept + slope * x)
        error = count.bad - count.total * ratio
        weight = count.total * ratio * (1.0 - ratio)
        info, info_x, info_xx = info + weight, info_x + weight * x, info_xx + weight * x * x
        if k % _BLOCK == 0:
            blocks.append([0.0, 0.0])
        blocks[-1][0] += error
        blocks[-1][1] += error * x
    determinant = info * info_xx - info_x * info_x
    robust = sum((info * by_x - info_x * plain) ** 2 for plain, by_x in blocks) / determinant**2
    variance = max(robust, info / determinant)
    if slope <= 0 or slope * slope <= _CERTAIN**2 * variance:
        return 0.0
    return slope * (1.0 - _CERTAIN**2 * variance / (slope * slope))


def _expit(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(logit, -50.0), 50.0)))
