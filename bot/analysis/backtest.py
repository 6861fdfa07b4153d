"""What a policy would have done over a past that is known: false alarms, and how soon it sees harm.

The past is replayed as if a new version had come every so often. As it was, it tells how often a healthy
service would have been reverted; with bad requests added, how fast a regression would have been caught.
"""

import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.analysis.canary import Watch
from bot.analysis.objectives import Objective, percent
from bot.analysis.settings import Settings
from bot.analysis.windows import NOTHING, Count, Window
from bot.domain.verdict import Outcome

TIMES = (2.0, 5.0, 20.0)
"""Injected regressions, as multiples of what an SLO allows."""
_HISTORY = 3600.0
_MOST_STARTS = 1000
_MOST_INJECTED = 100
_MANY = 100


@dataclass(frozen=True, slots=True)
class Past:
    """What one SLO counted over all of the past."""

    slo: str
    objective: str
    total: float
    bad: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A start (unix seconds) from which the past as it was would have been reverted `after` seconds."""

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
    def median(self) -> float | None:
        """Seconds until half of the caught ones were caught; None where none was."""
        return statistics.median(self.delays) if self.delays else None

    @property
    def slowest(self) -> float | None:
        """Seconds until the last of the caught ones was caught; None where none was."""
        return max(self.delays, default=None)


@dataclass(frozen=True, slots=True)
class Backtest:
    """The answer over `starts` starts, one `every` so many seconds; `outcomes` counts how the past as it was
    would have ended. The last starts may have too little past after them to end at all.
    """

    past: tuple[Past, ...]
    starts: int
    every: float
    alarms: tuple[Alarm, ...]
    outcomes: tuple[tuple[Outcome, int], ...]
    catches: tuple[Catch, ...]

    @property
    def sentence(self) -> str:
        """The line that a person reads first."""
        if self.starts == 0:
            return "There is not enough past: a watch needs an hour before it and its bake time after it."
        reverted = f"{len(self.alarms)} would have been reverted ({percent(len(self.alarms) / self.starts)})"
        return f"{self.starts} starts in the past as it was: {reverted}."


def backtest(
    slos: Sequence[Objective],
    windows: Sequence[Window],
    settings: Settings,
    *,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> Backtest:
    """`windows`: the service's past, oldest first. The injections are drawn with `seed`. `progress` is told
    the part that is done, 0 to 1, now and then.
    """
    chance = random.Random(seed)  # noqa: S311 - simulates, protects nothing
    every = _spacing(windows, settings)
    starts = list(_starts(windows, settings, every))
    some = starts[:: max(1, math.ceil(len(starts) / _MOST_INJECTED))]
    injections = [(slo, min(times * slo.allowed, 1.0)) for slo in slos for times in TIMES]
    done, all_plays = 0, max(1, len(starts) + len(injections) * len(some))
    alarms, ended = [], dict.fromkeys(Outcome, 0)
    for history, future in starts:
        verdict = _play(slos, history, future, settings)
        done += 1
        progress(done / all_plays)
        if verdict is None:
            continue
        outcome, after, reason = verdict
        ended[outcome] += 1
        if outcome is Outcome.FAILED:
            alarms.append(Alarm(future[0].at, after, reason))
    catches = []
    for slo, ratio in injections:
        delays = []
        for history, future in some:
            worse = [_worsened(window, slo.name, ratio, chance) for window in future]
            end = _play(slos, history, worse, settings)
            done += 1
            progress(done / all_plays)
            if end is not None and end[0] is Outcome.FAILED:
                delays.append(end[1])
        catches.append(Catch(slo.name, ratio, len(some), tuple(delays)))
    outcomes = tuple((outcome, count) for outcome, count in ended.items() if count)
    past = tuple(_past(slo, windows) for slo in slos)
    return Backtest(past, len(starts), every, tuple(alarms), outcomes, tuple(catches))


def _past(slo: Objective, windows: Sequence[Window]) -> Past:
    counts = (window.candidate.get(slo.name, NOTHING) for window in windows)
    whole = sum((count for count in counts if count.fault() is None), NOTHING)
    return Past(slo.name, slo.sentence, whole.total, whole.bad)


def _spacing(windows: Sequence[Window], settings: Settings) -> float:
    """One bake time, so that every moment is watched once; more where the past is very long."""
    length = windows[-1].at - windows[0].at if windows else 0.0
    return max(settings.bake, length / _MOST_STARTS)


def _starts(
    windows: Sequence[Window], settings: Settings, every: float
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
        start += every


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
