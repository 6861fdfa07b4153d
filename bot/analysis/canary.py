"""The watch over a candidate: windows in, a verdict out, as early as the evidence is really there.

    watch = Watch(slos, history)
    for window in windows:
        verdict = watch.observe(window)
        if verdict is not None:
            break

Pure and restartable: no clock, no I/O; time is what the windows say. `state()` is plain JSON, and a
watch restored from it goes on as if nothing had been.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from bot.analysis.dispersion import Past
from bot.analysis.gauges import GaugeWatch
from bot.analysis.objectives import GaugeLimit, Objective
from bot.analysis.ratio import Look, RatioWatch
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.slo import OnBreach
from bot.domain.verdict import Outcome, SloEvidence, Verdict, worst

_MOST_NOTES = 10
_STATE = 3
"""The version of what `state()` says; an older one weighed its evidence otherwise."""
_LONGEST_STEP = 4.0
"""The bake clock credits a window with at most this many intervals: what nobody saw is not baked."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a watch is. Times in seconds; `left` until the bake is over, pauses not counted."""

    started_at: float | None
    elapsed: float
    left: float
    extended: bool
    waiting: str | None
    """Why the bake clock does not run: no request yet, or the metrics server is away."""
    slos: tuple[SloEvidence, ...]
    notes: tuple[str, ...]


class Watch:
    """The watch over one candidate.

    `slos`: `Objective`s (ratios) and `GaugeLimit`s. `history`: windows of the baseline's own recent past,
    oldest first, its counts on either side; empty where there is none. `settings`: see `Settings`.
    """

    def __init__(
        self,
        slos: Sequence[Objective | GaugeLimit],
        history: Sequence[Window] = (),
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        objectives = [slo for slo in slos if isinstance(slo, Objective)]
        limits = [slo for slo in slos if isinstance(slo, GaugeLimit)]
        if len({slo.name for slo in slos}) != len(slos) or not slos:
            raise ValueError("a watch needs at least one SLO, each with a name of its own")
        tests = len(objectives) + sum(objective.max_regression is not None for objective in objectives)
        self._ratios = [
            RatioWatch.of(
                objective,
                [
                    window.candidate[objective.name]
                    for window in history
                    if objective.name in window.candidate
                ],
                self.settings,
                self.settings.alpha / tests,
            )
            for objective in objectives
        ]
        self._gauges = [GaugeWatch(limit) for limit in limits]
        self._begun: float | None = None
        self._origin: float | None = None
        self._last: float | None = None
        self._elapsed = 0.0
        self._extension = 0.0
        self._down_since: float | None = None
        self._notes: list[str] = []
        self._learned_from = len(history)
        self._digest = _chain("", {"settings": asdict(self.settings), "slos": [asdict(slo) for slo in slos]})
        for window in history:
            self._digest = _chain(self._digest, window.to_json())
        self._verdict: Verdict | None = None

    def observe(self, window: Window) -> Verdict | None:
        """Take in one window; the verdict as soon as there is one, and the same one ever after.

        A window that does not end later than the one before is ignored with a note, and so is every count
        that is none (NaN, infinite, negative, more bad than all).
        """
        if self._verdict is not None:
            return self._verdict
        if self._last is not None and window.at <= self._last:
            self.note(f"a window that ended at {window.at:g} came after one of {self._last:g}: ignored")
            return None
        self._digest = _chain(self._digest, window.to_json())
        self._down_since = None
        step = self._step(window)
        self._last = window.at
        if self._begun is None:
            self._begun = window.at
        candidate = self._sound(window.candidate)
        if self._origin is None:
            # Gauges alone tell of no requests: then there is none to wait for.
            if self._ratios and not any(count.total > 0 for count in candidate.values()):
                return self._still_waiting(window.at)
            # The watch starts at the first request served by the candidate.
            self._origin = window.at
        self._elapsed += min(step, _LONGEST_STEP * self.settings.interval)
        baseline = self._sound(window.baseline)
        index = round((window.at - self._origin) / self.settings.interval)
        for ratio in self._ratios:
            name = ratio.objective.name
            ratio.observe(
                Look(
                    index=index,
                    elapsed=window.at - self._origin + self.settings.interval,
                    length=step / self.settings.interval,
                    candidate=candidate.get(name),
                    baseline=baseline.get(name),
                )
            )
        for gauge in self._gauges:
            gauge.observe(window.at, window.gauges.get(gauge.limit.name))
        return self._decide(window.at)

    def source_down(self, at: float, reason: str) -> Verdict | None:
        """The metrics server gave no answer at `at`: the bake clock waits. After `source_down_limit`
        without one the verdict is `source_down`; it never is `failed`.
        """
        if self._verdict is not None:
            return self._verdict
        if self._down_since is None:
            self._down_since = at
            self.note(f"the metrics server gave no answer: {reason}")
        if at - self._down_since >= self.settings.source_down_limit:
            minutes = (at - self._down_since) / 60
            return self.conclude(
                Outcome.SOURCE_DOWN,
                at,
                f"The metrics server has been away for {minutes:.0f} minutes: {reason}",
            )
        return None

    def conclude(self, outcome: Outcome, at: float, reason: str) -> Verdict:
        """End the watch by a decision from outside (a person, an alert that the policy names)."""
        if self._verdict is None:
            self._verdict = self._close(outcome, at, reason)
        return self._verdict

    def extend(self, seconds: float) -> None:
        """Watch longer, as a person asked."""
        self._extension += seconds

    def progress(self) -> Progress:
        """The interim evidence, for a status comment."""
        waiting = None
        if self._down_since is not None:
            waiting = "the metrics server is away"
        elif self._origin is None:
            waiting = "no request has reached the candidate yet"
        bake = self.settings.bake + self._extension
        return Progress(
            started_at=self._origin,
            elapsed=self._elapsed,
            left=max(0.0, (bake if self._elapsed < bake else self._longest) - self._elapsed),
            extended=self._elapsed >= bake,
            waiting=waiting,
            slos=self._shown(),
            notes=tuple(self._notes),
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the settings, the history and every window taken in so far."""
        return self._digest

    @property
    def _longest(self) -> float:
        return self.settings.max_bake + self._extension

    def _step(self, window: Window) -> float:
        if window.seconds is not None and window.seconds > 0:
            return window.seconds
        if self._last is None:
            return self.settings.interval
        return window.at - self._last

    def _sound(self, counts: Mapping[str, Count]) -> dict[str, Count]:
        sound = {}
        for slo, count in counts.items():
            fault = count.fault()
            if fault is None:
                sound[slo] = count
            else:
                self.note(f"{slo}: {fault}: ignored")
        return sound

    def note(self, note: str) -> None:
        """Keep a sentence about the data for the verdict; the first ten different ones are kept."""
        if len(self._notes) < _MOST_NOTES and note not in self._notes:
            self._notes.append(note)

    def _still_waiting(self, at: float) -> Verdict | None:
        assert self._begun is not None
        if at - self._begun < self._longest:
            return None
        outcome = worst(ratio.settled() for ratio in self._ratios)
        why = f": {'; '.join(self._sentences(outcome))}" if outcome is Outcome.NO_DATA else ""
        return self.conclude(outcome, at, f"No request reached the candidate{why}.")

    def _decide(self, at: float) -> Verdict | None:
        failures = [reason for ratio in self._ratios if (reason := ratio.failure()) is not None]
        failures += [
            gauge.reason.rstrip(".")
            for gauge in self._gauges
            if gauge.broken and gauge.limit.on_breach is OnBreach.FAIL
        ]
        if failures:
            return self.conclude(Outcome.FAILED, at, f"{'; '.join(failures)}.")
        if self._elapsed < self.settings.bake + self._extension:
            return None
        outcome = worst([Outcome.PASSED, *(slo.outcome for slo in self._shown() if slo.decides)])
        if outcome is Outcome.PASSED:
            seen = "; ".join(self._sentences()) or "nothing that was watched may fail a candidate"
            return self.conclude(outcome, at, f"{seen}.")
        if self._elapsed < self._longest:
            return None
        return self.conclude(outcome, at, f"{'; '.join(self._sentences(outcome))}.")

    def _sentences(self, outcome: Outcome | None = None) -> list[str]:
        return [
            slo.reason.rstrip(".")
            for slo in self._shown()
            if slo.decides and (outcome is None or slo.outcome is outcome)
        ]

    def _shown(self) -> tuple[SloEvidence, ...]:
        return (*(ratio.shown() for ratio in self._ratios), *(gauge.shown() for gauge in self._gauges))

    def _close(self, outcome: Outcome, at: float, reason: str) -> Verdict:
        begun = self._origin if self._origin is not None else self._begun
        return Verdict(
            outcome=outcome,
            reason=reason[:1].upper() + reason[1:],
            slos=self._shown(),
            started_at=datetime.fromtimestamp(begun if begun is not None else at, UTC),
            decided_at=datetime.fromtimestamp(at, UTC),
            digest=self._digest,
            notes=tuple(self._notes),
        )

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs beside what the watch was made from; plain JSON."""
        return {
            "version": _STATE,
            "learned_from": self._learned_from,
            "ratios": {ratio.objective.name: ratio.state() for ratio in self._ratios},
            "gauges": {gauge.limit.name: gauge.state() for gauge in self._gauges},
            "begun": self._begun,
            "origin": self._origin,
            "last": self._last,
            "elapsed": self._elapsed,
            "extension": self._extension,
            "down_since": self._down_since,
            "notes": list(self._notes),
            "digest": self._digest,
        }

    @classmethod
    def restore(
        cls,
        slos: Sequence[Objective | GaugeLimit],
        history: Sequence[Window],
        settings: Settings | None,
        state: Mapping[str, Any],
    ) -> Self:
        """The watch as it was when `state()` was taken. A decided watch needs no restoring: keep its
        verdict. What the history taught is part of the state: it is learned again only where the state was
        taken without it. A state of an older version is not gone on with: the watch begins anew, and says
        so. Raises KeyError where the state belongs to other SLOs.
        """
        if state.get("version") != _STATE:
            watch = cls(slos, history, settings)
            watch.note("the watch began anew: what was stored of it is of another version of Slipway")
            return watch
        learned = state["learned_from"] == len(history)
        watch = cls(slos, () if learned else history, settings)
        if learned:
            watch._learned_from = len(history)
            watch._ratios = [
                RatioWatch.knowing(
                    Past.restore(state["ratios"][ratio.objective.name]["learned"]),
                    ratio.objective,
                    ratio.settings,
                    ratio.alpha,
                )
                for ratio in watch._ratios
            ]
        for ratio in watch._ratios:
            ratio.restore(state["ratios"][ratio.objective.name])
        for gauge in watch._gauges:
            gauge.restore(state["gauges"][gauge.limit.name])
        watch._begun = state["begun"]
        watch._origin = state["origin"]
        watch._last = state["last"]
        watch._elapsed = state["elapsed"]
        watch._extension = state["extension"]
        watch._down_since = state["down_since"]
        watch._notes = list(state["notes"])
        watch._digest = state["digest"]
        return watch


def _chain(digest: str, plain: Mapping[str, Any]) -> str:
    """SHA-256 over what came before and this piece, so that it can go on after a restart."""
    text = json.dumps(_floats(plain), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{digest}{text}".encode()).hexdigest()


def _floats(plain: Any) -> Any:
    """Every number a float: a store may have turned 15 into 15.0, or back."""
    if isinstance(plain, Mapping):
        return {key: _floats(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_floats(value) for value in plain]
    return float(plain) if isinstance(plain, int) and not isinstance(plain, bool) else plain
