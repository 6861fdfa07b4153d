"""What a policy would have done over a past that is known: false alarms, and how soon it sees harm.

The past is replayed as if a new version had come every so often. As it was, it tells how often a healthy
service would have been reverted; with bad requests added, how fast a regression would have been caught.
"""

import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.analysis.canary import Watch
from bot.analysis.objectives import Objective, percent
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

TIMES = (2.0, 5.0, 20.0)
"""Injected regressions, as multiples of what an SLO allows."""
_HISTORY = 3600.0
_EVERY = 3600.0
_MANY = 100


@dataclass(frozen=True, slots=True)
class Alarm:
    """A start from which the past as it was would have been reverted."""

    at: float
    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class Catch:
    """How an injected regression fared: `delays` in seconds, of those that were caught."""

    slo: str
    ratio: float
    starts: int
    delays: tuple[float, ...]

    @property
    def sentence(self) -> str:
        """The line that a person reads."""
        if not self.delays:
            return f"{self.slo} at {percent(self.ratio)}: never caught in {self.starts} starts"
        median, slowest = statistics.median(self.delays), max(self.delays)
        return (
            f"{self.slo} at {percent(self.ratio)}: caught in {len(self.delays)} of {self.starts} starts, "
            f"after {median:.0f} s in the median and {slowest:.0f} s at the slowest"
        )


@dataclass(frozen=True, slots=True)
class Backtest:
    """The answer over `starts` starts; `outcomes` counts how the past as it was would have ended."""

    starts: int
    alarms: tuple[Alarm, ...]
    outcomes: tuple[tuple[Outcome, int], ...]
    catches: tuple[Catch, ...]

    @property
    def sentence(self) -> str:
        """The line that a person reads first."""
        if self.starts == 0:
            return "There is not enough past: a watch needs an hour before it and its bake time after it."
        return f"{self.starts} starts in the past as it was: {len(self.alarms)} would have been reverted."


def backtest(
    slos: Sequence[Objective], windows: Sequence[Window], settings: Settings, *, seed: int = 0
) -> Backtest:
    """`windows`: the service's past, oldest first. The injections are drawn with `seed`."""
    chance = random.Random(seed)  # noqa: S311 - simulates, protects nothing
    starts = list(_starts(windows, settings))
    alarms, ended = [], dict.fromkeys(Outcome, 0)
    for history, future in starts:
        verdict = _play(slos, history, future, settings)
        if verdict is None:
            continue
        outcome, after, reason = verdict
        ended[outcome] += 1
        if outcome is Outcome.FAILED:
            alarms.append(Alarm(future[0].at, after, reason))
    catches = []
    for slo in slos:
        for ratio in (min(times * slo.allowed, 1.0) for times in TIMES):
            worse = [
                (history, [_worsened(window, slo.name, ratio, chance) for window in future])
                for history, future in starts
            ]
            ends = [_play(slos, history, future, settings) for history, future in worse]
            delays = tuple(end[1] for end in ends if end is not None and end[0] is Outcome.FAILED)
            catches.append(Catch(slo.name, ratio, len(starts), delays))
    outcomes = tuple((outcome, count) for outcome, count in ended.items() if count)
    return Backtest(len(starts), tuple(alarms), outcomes, tuple(catches))


def _starts(
    windows: Sequence[Window], settings: Settings
) -> Iterator[tuple[Sequence[Window], Sequence[Window]]]:
    """(an hour before, the longest watch after) for every start that the past has room for."""
    if not windows:
        return
    start, last = windows[0].at + _HISTORY, windows[-1].at
    low = high = end = 0
    while start + settings.bake <= last:
        while windows[low].at < start - _HISTORY:
            low += 1
        while windows[high].at < start:
            high += 1
        while end < len(windows) and windows[end].at <= start + settings.max_bake:
            end += 1
        yield windows[low:high], windows[high:end]
        start += _EVERY


def _play(
    slos: Sequence[Objective], history: Sequence[Window], future: Sequence[Window], settings: Settings
) -> tuple[Outcome, float, str] | None:
    watch = Watch(slos, history, settings)
    for window in future:
        verdict = watch.observe(window)
        if verdict is not None:
            return verdict.outcome, window.at - future[0].at, verdict.reason
    return None


def _worsened(window: Window, slo: str, ratio: float, chance: random.Random) -> Window:
    """The window with good requests turned bad, so that `ratio` of them are on average."""
    count = window.candidate.get(slo)
    if count is None or count.fault() is not None or count.total <= 0:
        return window
    bad = min(count.total, count.bad + _binomial(chance, round(count.total - count.bad), ratio))
    return Window(
        window.at,
        {**window.candidate, slo: Count(count.total, bad)},
        window.baseline,
        window.gauges,
        window.seconds,
    )


def _binomial(chance: random.Random, n: int, p: float) -> int:
    """Exact for few, by the normal law for many."""
    if n <= _MANY:
        return sum(chance.random() < p for _ in range(n))
    drawn = round(chance.gauss(n * p, math.sqrt(n * p * (1 - p))))
    return min(max(drawn, 0), n)
