"""A series of raw samples, as a metrics server holds it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """One series: labels and raw samples as (unix seconds, value), oldest first."""

    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]
