"""From answers of the metrics server to windows, with the little that must be kept between two looks.

    reader = CanaryReader(slo, names, Span(since=live_at, interval=15), born_after=merged_at)
    loop:   answers = {ask.text: series for ask in reader.asks(now)}
            for window in reader.ingest(answers, now): watch.observe(window)

Nothing is sent from here: an `Ask` says what to read. `state()` is plain JSON; samples that were taken in
before may be read again, so that a restart loses and doubles nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.analysis.buckets import Choice, share, without_le
from bot.analysis.counters import Counters, Targets
from bot.analysis.native import NativeBounds
from bot.analysis.objectives import GaugeLimit, Objective
from bot.analysis.queries import RAW, Query, Role, Side, objectives, queries
from bot.analysis.windows import NOTHING, Count, Window
from bot.domain.series import Series
from bot.domain.slo import Slo

_LOOK_BACK = 300.0
"""Seconds before the start that are read for reference values."""
_OVERLAP = 60.0
"""Seconds that are read again at each look: samples may arrive late."""
_STALE = 300.0
"""Seconds without a sample after which a series is missing."""
_STRETCH = 4.0
"""PromQL that counts is asked once in this many intervals, over just that time."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to read now: raw samples in (start, end], or an instant query at `end`."""

    text: str
    raw: bool
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Span:
    """Where reading begins (unix seconds), and the usual time between two looks (seconds)."""

    since: float
    interval: float


@dataclass(slots=True)
class _Pool:
    """Counts by (side, slo) in one piece of time."""

    total: dict[tuple[Side, str], float] = field(default_factory=dict)
    bad: dict[tuple[Side, str], float] = field(default_factory=dict)


class CanaryReader:
    """Reads for one environment's SLOs. `names` fills the placeholders; `born_after` (the merge): targets
    first seen later count from zero.
    """

    def __init__(
        self, slo: Slo, names: Mapping[str, str], span: Span, *, born_after: float | None = None
    ) -> None:
        self.slos: tuple[Objective | GaugeLimit, ...] = objectives(slo, names)
        self._queries = queries(slo, names, stretch=_STRETCH * span.interval)
        self._span = span
        self._last = span.since
        self._asked_promql = span.since
        self._targets = Targets(born_after)
        self._counters = {query.text: Counters() for query in self._queries if query.role in RAW}
        self._native = NativeBounds()
        self._without_bound: set[str] = set()
        self._owed: dict[tuple[Side, str], float] = {}
        self.notes: list[str] = []

    @property
    def counted(self) -> frozenset[str]:
        """The SLOs that are read as raw counters and nothing else: their past can be read as well."""
        return frozenset(query.slo for query in self._queries) - {
            query.slo for query in self._queries if query.role not in RAW
        }

    def asks(self, now: float) -> list[Ask]:
        """What to read at `now`."""
        start = self._span.since - _LOOK_BACK if self._last == self._span.since else self._last - _OVERLAP
        due = self._promql_is_due(now)
        asks = {
            query.text: Ask(query.text, query.role in RAW, start, now)
            for query in self._queries
            if query.role in RAW or query.role is Role.GAUGE or due
        }
        return list(asks.values())

    def ingest(self, answers: Mapping[str, Sequence[Series]], now: float) -> list[Window]:
        """The windows since the last look, by the answers to `asks(now)`, keyed by their text. After a
        pause there are several, each about an interval long.
        """
        if now <= self._last:
            return []
        pieces = max(1, round((now - self._last) / self._span.interval))
        length = (now - self._last) / pieces
        pools = [_Pool() for _ in range(pieces)]
        answers, choices = self._unfolded(answers)
        self._targets.note(answers.values())
        present: set[tuple[Side, str]] = set()
        gauges: dict[str, float] = {}
        for query in self._queries:
            answer = answers.get(query.text)
            if answer is None:
                continue
            if query.role is Role.GAUGE:
                value = self._one_value(query, answer)
                if value is not None:
                    gauges[query.slo] = value
            elif query.role in RAW:
                self._pool_raw(query, answer, choices.get(query.text, {}), pools, length)
                if self._is_present(query, now):
                    present.add((query.side, query.slo))
            else:
                self._pool_promql(query, answer, pools[-1], present)
        windows = [
            self._window(pool, self._last + (number + 1) * length, length, present)
            for number, pool in enumerate(pools)
        ]
        if gauges:
            final = windows[-1]
            windows[-1] = Window(
                final.at, final.candidate, final.baseline, gauges=gauges, seconds=final.seconds
            )
        if self._promql_is_due(now):
            self._asked_promql = now
        self._last = now
        return windows

    def _promql_is_due(self, now: float) -> bool:
        return now - self._asked_promql >= _STRETCH * self._span.interval * 0.99

    def _unfolded(
        self, answers: Mapping[str, Sequence[Series]]
    ) -> tuple[dict[str, Sequence[Series]], dict[str, Mapping[str, Choice]]]:
        """The answers with every histogram as buckets, and the bound of each histogram by its query."""
        unfolded, choices = dict(answers), dict[str, Mapping[str, Choice]]()
        for query in self._queries:
            if query.role is Role.BUCKET and query.text in answers:
                assert query.threshold is not None
                counters = self._counters[query.text]
                unfolded[query.text], choices[query.text] = self._native.unfold(
                    answers[query.text], query.threshold, counters
                )
        return unfolded, choices

    def _pool_raw(
        self,
        query: Query,
        answer: Sequence[Series],
        choices: Mapping[str, Choice],
        pools: Sequence[_Pool],
        length: float,
    ) -> None:
        increments, oddities = self._counters[query.text].ingest(answer, self._targets)
        for oddity in sorted(oddities):
            self._note(f"{query.slo}: {oddity}")
        key = (query.side, query.slo)
        bounds = self._bounds(query, choices)
        for increment in increments:
            if increment.at <= self._span.since:
                continue
            number = math.ceil((increment.at - self._last) / length) - 1
            pool = pools[min(max(number, 0), len(pools) - 1)]
            if query.role is Role.TOTAL:
                pool.total[key] = pool.total.get(key, 0.0) + increment.amount
            elif query.role is Role.BAD:
                pool.bad[key] = pool.bad.get(key, 0.0) + increment.amount
            elif (bound := bounds.get(without_le(increment.labels))) is not None:
                total, bad = share(increment.labels, bound, increment.amount)
                pool.total[key] = pool.total.get(key, 0.0) + total
                pool.bad[key] = pool.bad.get(key, 0.0) + bad

    def _bounds(self, query: Query, choices: Mapping[str, Choice]) -> Mapping[str, float]:
        """The bound to use of each histogram; versions may differ in their buckets."""
        for choice in choices.values():
            if choice.sentence is not None:
                self._note(f"{query.slo}: {choice.sentence}")
        bounds = {key: choice.bound for key, choice in choices.items() if choice.bound is not None}
        if bounds:
            self._without_bound.discard(query.text)
        elif choices:
            self._without_bound.add(query.text)
        return bounds

    def _pool_promql(
        self, query: Query, answer: Sequence[Series], pool: _Pool, present: set[tuple[Side, str]]
    ) -> None:
        value = self._one_value(query, answer)
        if value is None or value < 0:
            return
        key = (query.side, query.slo)
        if query.role is Role.TOTAL_NOW:
            pool.total[key] = value
            present.add(key)
        else:
            pool.bad[key] = value

    def _one_value(self, query: Query, answer: Sequence[Series]) -> float | None:
        if len(answer) > 1:
            self._note(f"{query.slo}: {len(answer)} series where one was expected; it counts as no value")
            return None
        if not answer or not answer[0].samples:
            return None
        value = answer[0].samples[-1][1]
        if not math.isfinite(value):
            self._note(f"{query.slo}: the query gave {value}; it counts as no value")
            return None
        return value

    def _is_present(self, query: Query, now: float) -> bool:
        if query.role is Role.BAD or query.text in self._without_bound:
            return False
        newest = self._counters[query.text].newest()
        return newest is not None and newest > now - _STALE

    def _window(self, pool: _Pool, at: float, length: float, present: set[tuple[Side, str]]) -> Window:
        sides: dict[Side, dict[str, Count]] = {Side.CANDIDATE: {}, Side.BASELINE: {}}
        for side, slo in sorted(present | set(pool.total)):
            key = (side, slo)
            total = pool.total.get(key, 0.0)
            # Two selectors are read one after the other: what is bad may be seen before its request is.
            bad = pool.bad.get(key, 0.0) + self._owed.pop(key, 0.0)
            if bad > total:
                self._owed[key] = bad - total
            sides[side][slo] = Count(total, min(bad, total)) if total > 0 else NOTHING
        return Window(at=at, candidate=sides[Side.CANDIDATE], baseline=sides[Side.BASELINE], seconds=length)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs beside what the reader was made from; plain JSON."""
        return {
            "last": self._last,
            "asked_promql": self._asked_promql,
            "first_seen": dict(self._targets.first_seen),
            "counters": {text: counters.state() for text, counters in self._counters.items()},
            "native": dict(self._native.used),
            "without_bound": sorted(self._without_bound),
            "owed": [[side.value, slo, amount] for (side, slo), amount in self._owed.items()],
            "notes": list(self.notes),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said. Raises KeyError where it belongs to other SLOs."""
        self._last = state["last"]
        self._asked_promql = state["asked_promql"]
        self._targets.first_seen = dict(state["first_seen"])
        for text, counters in self._counters.items():
            counters.restore(state["counters"][text])
        self._native = NativeBounds(dict(state["native"]))
        self._without_bound = set(state["without_bound"])
        self._owed = {(Side(side), slo): amount for side, slo, amount in state["owed"]}
        self.notes = list(state["notes"])


def history_reader(
    slo: Slo, names: Mapping[str, str], *, until: float, length: float, interval: float
) -> CanaryReader:
    """A reader for the baseline's own past: `length` seconds that end at `until` (the merge). Ask and
    ingest it once, with `now=until`. The baseline's version stands for `{version}`.
    """
    then = {**names, "version": names.get("baseline", names.get("version", ""))}
    return CanaryReader(slo, then, Span(since=until - length, interval=interval))
