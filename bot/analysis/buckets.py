"""Which bucket of a histogram stands for a latency threshold.

Classic buckets count everything up to `le`. VictoriaMetrics' own client writes `vmrange="lower...upper"`
instead, which counts only what lies between, and only ranges that hold something.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BELOW = "below"
"""The `le` of a bucket made from a native histogram; which bound that is may change, the series stays."""
_RANGE = "vmrange"


@dataclass(frozen=True, slots=True)
class Choice:
    """The bound to use, None when none will do; the sentence says what a person should know."""

    bound: float | None
    sentence: str | None = None


def without_le(labels: Mapping[str, str]) -> str:
    """Which histogram a bucket belongs to: its labels but `le` and `vmrange`."""
    return repr(sorted((name, value) for name, value in labels.items() if name not in ("le", _RANGE)))


def passed_over(threshold: float, bound: float) -> str:
    """What a person should know where `bound` stands for `threshold`."""
    return f"{threshold:g} is no bucket bound; the next one, {bound:g}, is used"


def choose_bounds(buckets: Sequence[Mapping[str, str]], threshold: float) -> dict[str, Choice]:
    """The choice for each histogram among these buckets, by `without_le`."""
    les: dict[str, list[str]] = {}
    ranges: dict[str, list[tuple[float, float]]] = {}
    for labels in buckets:
        between = range_of(labels)
        if between is not None:
            ranges.setdefault(without_le(labels), []).append(between)
        else:
            les.setdefault(without_le(labels), []).append(labels.get("le", ""))
    return {
        **{histogram: choose_bound(found, threshold) for histogram, found in les.items()},
        **{histogram: choose_range(found, threshold) for histogram, found in ranges.items()},
    }


def choose_bound(les: Iterable[str], threshold: float) -> Choice:
    """The bound equal to `threshold`, else the next larger one, which forgives what lies between.

    `les` are the `le` labels as the server wrote them (`1`, `1.0`, `+Inf`); all but numbers are passed over.
    """
    bounds = sorted({bound for le in les if (bound := _number(le)) is not None})
    if not bounds:
        return Choice(None, "these series have no `le` label, so they are no histogram's buckets")
    finite = [bound for bound in bounds if math.isfinite(bound)]
    if math.inf not in bounds:
        return Choice(None, "the histogram has no +Inf bucket, so that requests cannot be counted")
    for bound in finite:
        if math.isclose(bound, threshold, rel_tol=1e-9):
            return Choice(bound)
        if bound > threshold:
            return Choice(bound, passed_over(threshold, bound))
    if not finite:
        return Choice(None, "the histogram has only a +Inf bucket, so that no request is known to be fast")
    return Choice(
        None, f"{threshold:g} is above the largest bucket bound, {finite[-1]:g}: slow requests cannot be told"
    )


def choose_range(ranges: Iterable[tuple[float, float]], threshold: float) -> Choice:
    """The upper bound of the range that `threshold` lies in; `threshold` itself where it lies in none."""
    over = [upper for lower, upper in ranges if lower < threshold < upper and not _same(upper, threshold)]
    bound = max(over, default=threshold)
    return Choice(bound) if _same(bound, threshold) else Choice(bound, passed_over(threshold, bound))


def range_of(labels: Mapping[str, str]) -> tuple[float, float] | None:
    """(lower, upper) of a `vmrange` bucket; None for every other series."""
    lower, dots, upper = labels.get(_RANGE, "").partition("...")
    numbers = (_number(lower), _number(upper))
    if not dots or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]


def share(labels: Mapping[str, str], bound: float, amount: float) -> tuple[float, float]:
    """What the growth of one bucket by `amount` adds to (all requests, slow ones).

    A classic `+Inf` bucket counts all, of which those up to `bound` are taken off again as fast.
    """
    between = range_of(labels)
    if between is not None:
        slow = between[0] > bound or _same(between[0], bound)
        return amount, amount if slow else 0.0
    le = labels.get("le", "")
    if _number(le) == math.inf:
        return amount, amount
    return 0.0, -amount if le == BELOW or _number(le) == bound else 0.0


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
