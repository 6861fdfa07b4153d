"""Scraped samples in memory: series of (unix seconds, value), asked by plain selectors.

Staleness as in Prometheus: an instant selector answers with the newest sample of the last five
minutes, unless the series has ended: it was absent from a later scrape, or its target is gone.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.sandbox.selectors import Selector

LOOKBACK_SECONDS = 300.0
RETENTION_SECONDS = 3600.0

Labels = frozenset[tuple[str, str]]
Sample = tuple[float, float]


@dataclass(slots=True)
class _Series:
    samples: deque[Sample] = field(default_factory=deque)
    ended: list[float] = field(default_factory=list)


class SampleStore:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._series: dict[Labels, _Series] = {}
        self._lock = threading.Lock()

    def add(self, at: float, values: Mapping[Labels, float]) -> None:
        """One sample for each of these series."""
        with self._lock:
            for labels, value in values.items():
                samples = self._series.setdefault(labels, _Series()).samples
                samples.append((at, value))
                while samples[0][0] < at - RETENTION_SECONDS:
                    samples.popleft()

    def end(self, at: float, series: Iterable[Labels]) -> None:
        """These series were not there any more at this time."""
        with self._lock:
            for labels in series:
                if labels in self._series:
                    self._series[labels].ended.append(at)

    def range(self, selector: Selector, start: float, end: float) -> dict[Labels, list[Sample]]:
        """The samples of each matching series in (start, end]."""
        with self._lock:
            found = {
                labels: [sample for sample in series.samples if start < sample[0] <= end]
                for labels, series in self._series.items()
                if selector.matches(dict(labels))
            }
        return {labels: samples for labels, samples in found.items() if samples}

    def instant(self, selector: Selector, at: float) -> dict[Labels, Sample]:
        """The newest sample of each matching series that has not ended before `at`."""
        newest = {
            labels: samples[-1] for labels, samples in self.range(selector, at - LOOKBACK_SECONDS, at).items()
        }
        with self._lock:
            return {
                labels: (at, value)
                for labels, (seen, value) in newest.items()
                if not any(seen < ended <= at for ended in self._series[labels].ended)
            }
