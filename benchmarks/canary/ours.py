"""Slipway's watch over simulated traces, through the entry point that everybody uses."""

import numpy as np
from generator import ALLOWED, WINDOW, Array, Scenario, Traces

from bot.analysis.canary import Watch
from bot.analysis.objectives import Objective
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

SLOS = (
    Objective("errors", 1 - ALLOWED["errors"]),
    Objective("latency", 1 - ALLOWED["latency"], slow_start=True),
)


def windows(traces: Traces, run: int) -> list[Window]:
    """One run's windows; a lost scrape is no window."""
    found = []
    for k in np.flatnonzero(traces.seen):
        candidate = _counts(traces.total, traces.bad, run, k)
        beside = (
            {} if traces.beside_total is None else _counts(traces.beside_total, traces.beside_bad, run, k)
        )
        found.append(Window(at=(k + 1) * WINDOW, candidate=candidate, baseline=beside))
    return found


def history(traces: Traces, run: int) -> list[Window]:
    """One run's hour before."""
    length = traces.history_total.shape[1]
    return [
        Window(
            at=(k + 1 - length) * WINDOW, candidate=_counts(traces.history_total, traces.history_bad, run, k)
        )
        for k in range(length)
    ]


def _counts(total: Array, bad: dict[str, Array], run: int, k: int) -> dict[str, Count]:
    return {slo: Count(float(total[run, k]), float(bad[slo][run, k])) for slo in ALLOWED}


def decide(traces: Traces, settings: Settings | None = None) -> Array:
    """For each run the window in which the watch failed; −1: it did not."""
    firsts = np.full(len(traces.total), -1)
    for run in range(len(firsts)):
        watch = Watch(SLOS, history(traces, run), settings)
        for window in windows(traces, run):
            verdict = watch.observe(window)
            if verdict is not None:
                if verdict.outcome is Outcome.FAILED:
                    firsts[run] = round(window.at / WINDOW) - 1
                break
    return firsts


def bound(scenario: Scenario, traces: Traces, alpha: float) -> float:
    """Seconds after its beginning in which no test of this level can be expected to see a regression:
    until the expected log likelihood ratio of truth against the accepted ratio adds up to ln(1/α).
    """
    rate = traces.rate.mean(axis=0)
    best = np.inf
    for slo, allowed in ALLOWED.items():
        p = np.clip(traces.true[slo], 1e-12, 1 - 1e-12)
        kl = np.where(p > allowed, p * np.log(p / allowed) + (1 - p) * np.log((1 - p) / (1 - allowed)), 0.0)
        start = int(max(begins(scenario, traces), 0.0) // WINDOW)
        gained = np.cumsum((kl * rate)[start:])
        needed = np.log(1 / alpha)
        if gained[-1] >= needed:
            k = int(np.argmax(gained >= needed))
            before = gained[k - 1] if k else 0.0
            best = min(best, (k + (needed - before) / (gained[k] - before)) * WINDOW)
    return float(best)


def begins(scenario: Scenario, traces: Traces) -> float:
    """When the regression begins: where a bad ratio first passes what is accepted, in seconds."""
    if scenario.start or scenario.ramp:
        over = np.zeros(traces.total.shape[1], bool)
        for slo, allowed in ALLOWED.items():
            over |= traces.true[slo] > allowed
        return float(np.argmax(over)) * WINDOW
    return 0.0
