"""A native histogram as a classic one with two buckets: all requests, and those up to one bound.

Nothing is interpolated: where the threshold lies inside a bucket, the bucket's upper bound stands for it.
A process may halve the resolution at any time; every bound of coarse buckets is one of the finer buckets
too, so the larger of two bounds fits both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.analysis.buckets import BELOW, Choice, choose_bounds, passed_over, without_le
from bot.analysis.counters import Counters
from bot.domain.series import Histogram, Series

_SAME = 1e-9


@dataclass(slots=True)
class NativeBounds:
    """The bound used for each native histogram that lies in the way of its threshold, by its labels."""

    used: dict[str, float] = field(default_factory=dict)

    def unfold(
        self, answer: Sequence[Series], threshold: float, counters: Counters
    ) -> tuple[list[Series], dict[str, Choice]]:
        """The answer with classic buckets in place of native histograms, and the bound of every histogram."""
        plain = [series for series in answer if not series.histograms]
        choices = choose_bounds([series.labels for series in plain], threshold)
        for series in answer:
            if not series.histograms:
                continue
            key = without_le(series.labels)
            before = self.used.get(key, threshold)
            bound = max(before, _bound(series, threshold))
            every, below = _buckets(series, bound)
            if before < bound < math.inf:
                self.used[key] = bound
                counters.rebase(below)
            choices[key] = _choice(bound, threshold)
            plain += (every, below)
        return plain, choices


def _bound(series: Series, threshold: float) -> float:
    """The upper bound of the widest bucket that the threshold lies in; the threshold where it is in none."""
    over = (
        upper
        for _, histogram in series.histograms
        for lower, upper, _ in histogram.buckets
        if lower < threshold * (1 - _SAME) and upper > threshold * (1 + _SAME)
    )
    return max(over, default=threshold)


def _choice(bound: float, threshold: float) -> Choice:
    if math.isinf(bound):
        sentence = f"{threshold:g} is above the largest bucket bound: slow requests cannot be told"
        return Choice(None, sentence)
    if bound > threshold:
        return Choice(bound, passed_over(threshold, bound))
    return Choice(bound)


def _buckets(series: Series, bound: float) -> tuple[Series, Series]:
    every = tuple((at, histogram.count) for at, histogram in series.histograms)
    below = tuple((at, _up_to(histogram, bound)) for at, histogram in series.histograms)
    return Series({**series.labels, "le": "+Inf"}, every), Series({**series.labels, "le": BELOW}, below)


def _up_to(histogram: Histogram, bound: float) -> float:
    return sum(count for _, upper, count in histogram.buckets if upper <= bound * (1 + _SAME))
