"""A series of raw samples, as a metrics server holds it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Histogram:
    """One sample of a native histogram: all observations so far, and how many of them lie in each bucket.

    `buckets`: (lower bound, upper bound, observations), not cumulative; only those that hold any.
    """

    count: float
    buckets: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: labels and raw samples as (unix seconds, value), oldest first.

    `histograms` are the samples of a native histogram, which has no plain ones.
    """

    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]
    histograms: tuple[tuple[float, Histogram], ...] = ()
