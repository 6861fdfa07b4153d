"""Which bucket of a histogram stands for a latency threshold."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """The bound to use, None when none will do; the sentence says what a person should know."""

    bound: float | None
    sentence: str | None = None


def without_le(labels: Mapping[str, str]) -> str:
    """Which histogram a bucket belongs to: its labels but `le`."""
    return repr(sorted((name, value) for name, value in labels.items() if name != "le"))


def choose_bounds(buckets: Sequence[Mapping[str, str]], threshold: float) -> dict[str, Choice]:
    """The choice for each histogram among these buckets, by `without_le`."""
    les: dict[str, list[str]] = {}
    for labels in buckets:
        les.setdefault(without_le(labels), []).append(labels.get("le", ""))
    return {histogram: choose_bound(found, threshold) for histogram, found in les.items()}


def choose_bound(les: Iterable[str], threshold: float) -> Choice:
    """The bound equal to `threshold`, else the next larger one, which forgives what lies between.

    `les` are the `le` labels as the server wrote them (`1`, `1.0`, `+Inf`); all but numbers are passed over.
    """
    bounds = sorted({bound for le in les if (bound := _number(le)) is not None})
    if not bounds:
        return Choice(None)
    finite = [bound for bound in bounds if math.isfinite(bound)]
    if math.inf not in bounds:
        return Choice(None, "the histogram has no +Inf bucket, so that requests cannot be counted")
    for bound in finite:
        if math.isclose(bound, threshold, rel_tol=1e-9):
            return Choice(bound)
        if bound > threshold:
            return Choice(bound, f"{threshold:g} is no bucket bound; the next one, {bound:g}, is used")
    if not finite:
        return Choice(None, "the histogram has only a +Inf bucket, so that no request is known to be fast")
    return Choice(
        None, f"{threshold:g} is above the largest bucket bound, {finite[-1]:g}: slow requests cannot be told"
    )


def _number(le: str) -> float | None:
    try:
        bound = float(le)
    except ValueError:
        return None
    return None if math.isnan(bound) else bound
