"""Raw counter samples → increments, with what is remembered between two looks.

The rules, for each series by itself (differences first, sums after):

    a value drops                                    the process began again: count from zero
    a series new on a target that was scraped before  its first value is an increment: count from zero
    a series of a target born after the merge         the same
    any other first sample                            only a reference
    NaN, infinite or negative, or not newer           no sample
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.series import Series

_OF_TARGET = ("cluster", "namespace", "job", "instance", "pod", "container")


@dataclass(frozen=True, slots=True)
class Increment:
    """What a series grew by, up to `at` (unix seconds)."""

    at: float
    labels: Mapping[str, str]
    amount: float


@dataclass(slots=True)
class Targets:
    """When each scraped target was first seen; `born_after`: a target first seen later counts from zero."""

    born_after: float | None
    first_seen: dict[str, float] = field(default_factory=dict)

    def note(self, answers: Iterable[Sequence[Series]]) -> None:
        """Learn of the targets in these answers, before their increments are taken."""
        for answer in answers:
            for series in answer:
                if series.samples:
                    key = _target(series.labels)
                    at = series.samples[0][0]
                    self.first_seen[key] = min(at, self.first_seen.get(key, at))

    def counts_from_zero(self, labels: Mapping[str, str], at: float) -> bool:
        """Whether a series of this target whose first sample is at `at` began at zero."""
        first = self.first_seen.get(_target(labels), at)
        return first < at or (self.born_after is not None and first > self.born_after)


@dataclass(slots=True)
class Counters:
    """The series of one selector: the last sample of each, by its labels."""

    last: dict[str, tuple[float, float]] = field(default_factory=dict)

    def ingest(self, answer: Sequence[Series], targets: Targets) -> tuple[list[Increment], set[str]]:
        """The increments in these samples, and what was odd about them. Samples that were taken in
        before may come again.
        """
        increments: list[Increment] = []
        oddities: set[str] = set()
        for series in answer:
            key, seen = _key(series), None
            for at, value in series.samples:
                if at == seen:
                    oddities.add("two samples at the same moment: the first one counts")
                seen = at
                if not math.isfinite(value) or value < 0:
                    what = "negative" if math.isfinite(value) else str(value)
                    oddities.add(f"a counter was {what}: that sample was left out")
                    continue
                before = self.last.get(key)
                if before is not None and at <= before[0]:
                    continue
                self.last[key] = (at, value)
                if before is None:
                    amount = value if targets.counts_from_zero(series.labels, at) else 0.0
                else:
                    amount = value - before[1] if value >= before[1] else value
                    if value < before[1]:
                        oddities.add("a counter fell, as one does that starts again: it counts from zero")
                if amount > 0:
                    increments.append(Increment(at, series.labels, amount))
        return increments, oddities

    def rebase(self, series: Series) -> None:
        """Take these samples as what was known before: what the series counts has changed, not how much."""
        before = self.last.get(_key(series))
        if before is not None:
            known = [sample for sample in series.samples if sample[0] <= before[0]]
            self.last[_key(series)] = (known or series.samples)[-1 if known else 0]

    def newest(self) -> float | None:
        """The time of the newest sample of any series."""
        return max((at for at, _ in self.last.values()), default=None)

    def state(self) -> dict[str, Any]:
        """What must be kept to go on later."""
        return {key: list(sample) for key, sample in self.last.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        self.last = {key: (at, value) for key, (at, value) in state.items()}


def _key(series: Series) -> str:
    return json.dumps(sorted(series.labels.items()), separators=(",", ":"))


def _target(labels: Mapping[str, str]) -> str:
    return "\x1f".join(labels.get(name, "") for name in _OF_TARGET)
