"""Other canary tools' ways to decide, over the same traces, each with the settings worth trying.

A decider answers, for every run, the window in which it fails the candidate (−1: never). The first
setting of each is what its documentation recommends or shows; the others are the sweep. Where a tool
works on a latency quantile, "the quantile is over the threshold" is the same as "more than the accepted
part is slower", so that all work on the same counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from generator import ALLOWED, WINDOW, Array, Traces

Decide = Callable[[Traces], Array]


@dataclass(frozen=True)
class Decider:
    """One tool with one setting."""

    tool: str
    setting: str
    decide: Decide
    recommended: bool = False


def _sums(counts: Array, windows: int) -> Array:
    """Sums over the last `windows` windows, fewer at the beginning."""
    total = np.cumsum(counts, axis=1, dtype=float)
    before = np.zeros_like(total)
    before[:, windows:] = total[:, :-windows] if windows < counts.shape[1] else 0
    return total - before


def _ratio(bad: Array, total: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, bad / total, np.nan)


def _first(failed: Array) -> Array:
    return np.where(failed.any(axis=1), failed.argmax(axis=1), -1)


def _either(first: list[Array]) -> Array:
    never = np.iinfo(int).max
    stacked = np.stack([np.where(f < 0, never, f) for f in first]).min(axis=0)
    return np.where(stacked == never, -1, stacked)


def _every(windows: int, delay: int, length: int) -> Array:
    """The windows at which a tool looks."""
    looks = np.zeros(length, bool)
    looks[delay + windows - 1 :: windows] = True
    return looks


def argo(interval: int, span: int, limit: int, times: float, *, delay: int, errors: int) -> Decide:
    """Argo Rollouts' AnalysisRun: aborts with more than `limit` failed measurements, or more than
    `errors` measurements in a row without an answer.
    """

    def decide(traces: Traces) -> Array:
        looks = _every(interval, delay, traces.total.shape[1])
        firsts = []
        for slo, allowed in ALLOWED.items():
            ratio = _ratio(_sums(traces.bad[slo], span), _sums(traces.total, span))
            unseen = ~traces.seen & looks
            failures = np.cumsum((ratio > times * allowed) & looks & traces.seen, axis=1) > limit
            row = np.zeros(len(unseen), bool)
            lost = 0
            for k in np.flatnonzero(looks):
                lost = lost + 1 if unseen[k] else 0
                row[k] = lost > errors
            firsts.append(_first(failures | row[None, :]))
        return _either(firsts)

    return decide


def flagger(interval: int, threshold: int, times: float) -> Decide:
    """Flagger: rolls back after `threshold` failed checks; no data is a failed check."""

    def decide(traces: Traces) -> Array:
        looks = _every(interval, 0, traces.total.shape[1])
        total = _sums(traces.total, interval)
        failed = np.zeros_like(total, bool)
        for slo, allowed in ALLOWED.items():
            ratio = _ratio(_sums(traces.bad[slo], interval), total)
            failed |= (ratio > times * allowed) | np.isnan(ratio)
        return _first(np.cumsum((failed | ~traces.seen) & looks, axis=1) >= threshold)

    return decide


def kayenta(every: int, least: float, confidence_z: float) -> Decide:
    """Kayenta's judge: a Mann–Whitney test of the canary's points (one a minute) against the baseline's,
    as many; "High" with a mean at least `least` times as large fails.
    """

    def decide(traces: Traces) -> Array:
        minute = 4
        length = traces.total.shape[1]
        firsts = []
        for slo in ALLOWED:
            experiment = _points(traces.bad[slo], traces.total, minute)
            if traces.beside_total is not None:
                control = _points(traces.beside_bad[slo], traces.beside_total, minute)
            elif traces.history_total.shape[1] >= minute:
                control = _points(traces.history_bad[slo], traces.history_total, minute)
            else:
                control = np.zeros_like(experiment)
            failed = np.zeros((len(experiment), length), bool)
            for end in range(every, experiment.shape[1] + 1, every):
                a, b = experiment[:, :end], control[:, -end:]
                high = _mann_whitney(a, b) > confidence_z
                with np.errstate(all="ignore"):
                    high &= np.nan_to_num(a).mean(axis=1) > least * np.nan_to_num(b).mean(axis=1)
                failed[:, end * minute - 1] = high
            firsts.append(_first(failed))
        return _either(firsts)

    return decide


def _points(bad: Array, total: Array, minute: int) -> Array:
    windows = total.shape[1] // minute * minute
    shape = (total.shape[0], windows // minute, minute)
    return np.nan_to_num(
        _ratio(bad[:, :windows].reshape(shape).sum(2), total[:, :windows].reshape(shape).sum(2))
    )


def _mann_whitney(a: Array, b: Array) -> Array:
    """The z score of the rank sum of `a` against `b`, row by row; ties count half."""
    n, m = a.shape[1], b.shape[1]
    if m == 0:
        return np.zeros(len(a))
    u = (a[:, :, None] > b[:, None, :]).sum((1, 2)) + 0.5 * (a[:, :, None] == b[:, None, :]).sum((1, 2))
    both = np.sort(np.concatenate([a, b], axis=1), axis=1)
    ties = np.zeros(len(a))
    run = np.ones(len(a))
    for k in range(1, n + m):
        same = both[:, k] == both[:, k - 1]
        ties += np.where(same, 0, run**3 - run)
        run = np.where(same, run + 1, 1)
    ties += run**3 - run
    size = n + m
    sigma = np.sqrt(np.maximum(n * m / 12 * (size + 1 - ties / (size * (size - 1))), 1e-12))
    return (u - n * m / 2 - 0.5) / sigma


def burn(pairs: tuple[tuple[int, int, float], ...], least: int) -> Decide:
    """Multi-window burn rates; windows in minutes, history included, as the alerting rule sees it."""

    def decide(traces: Traces) -> Array:
        h = traces.history_total.shape[1]
        total = np.concatenate([traces.history_total, traces.total], axis=1)
        firsts = []
        for slo, allowed in ALLOWED.items():
            bad = np.concatenate([traces.history_bad[slo], traces.bad[slo]], axis=1)
            failed = np.zeros(total.shape, bool)
            for long, short, factor in pairs:
                both = np.ones(total.shape, bool)
                for minutes in (long, short):
                    n = _sums(total, minutes * 4)
                    both &= (_ratio(_sums(bad, minutes * 4), n) > min(factor * allowed, 0.999)) & (n >= least)
                failed |= both
            firsts.append(_first(failed[:, h:]))
        return _either(firsts)

    return decide


def cloudwatch(period: int, m: int, n: int, times: float) -> Decide:
    """An alarm: `m` of the last `n` periods over the threshold; missing data is missing."""

    def decide(traces: Traces) -> Array:
        looks = _every(period, 0, traces.total.shape[1])
        firsts = []
        for slo, allowed in ALLOWED.items():
            ratio = _ratio(_sums(traces.bad[slo], period), _sums(traces.total, period))[:, looks]
            failed = np.zeros(traces.total.shape, bool)
            failed[:, looks] = _sums((ratio > times * allowed).astype(float), n) >= m
            firsts.append(_first(failed))
        return _either(firsts)

    return decide


def msprt(alpha: float, tau: float, delay: int) -> Decide:
    """Plain mixture SPRT with a normal prior of width `tau`·allowed, every request independent."""

    def decide(traces: Traces) -> Array:
        firsts = []
        for slo, allowed in ALLOWED.items():
            total = traces.total.astype(float).copy()
            bad = traces.bad[slo].astype(float).copy()
            total[:, :delay], bad[:, :delay] = 0, 0
            n, b = np.cumsum(total, axis=1), np.cumsum(bad, axis=1)
            ratio = np.nan_to_num(_ratio(b, n))
            variance = allowed * (1 - allowed) / np.maximum(n, 1)
            t2 = (tau * allowed) ** 2
            log_e = 0.5 * np.log(variance / (variance + t2)) + t2 * (ratio - allowed) ** 2 / (
                2 * variance * (variance + t2)
            )
            firsts.append(_first((log_e > np.log(len(ALLOWED) / alpha)) & (ratio > allowed)))
        return _either(firsts)

    return decide


def competitors() -> Iterator[Decider]:
    """Every tool with every setting of its sweep."""
    yield Decider(
        "Argo Rollouts", "5m interval, 3 failures", argo(20, 20, 3, 1.0, delay=0, errors=4), recommended=True
    )
    for interval, span, limit, times, delay, errors in product(
        (1, 2, 4), (1, 4, 20), (1, 3, 5, 10), (1.0, 2.0, 5.0), (0, 4, 8), (4, 10_000)
    ):
        yield Decider(
            "Argo Rollouts",
            f"every {interval * WINDOW:.0f}s over {span * WINDOW:.0f}s, {limit} failures, ×{times:g}, "
            f"after {delay * WINDOW:.0f}s{'' if errors == 4 else ', errors ignored'}",
            argo(interval, span, limit, times, delay=delay, errors=errors),
        )
    yield Decider("Flagger", "1m interval, threshold 5", flagger(4, 5, 1.0), recommended=True)
    for interval, threshold, times in product((1, 2, 4), (2, 3, 5, 10, 20), (1.0, 2.0, 5.0, 10.0)):
        yield Decider(
            "Flagger",
            f"every {interval * WINDOW:.0f}s, {threshold} checks, ×{times:g}",
            flagger(interval, threshold, times),
        )
    yield Decider("Kayenta (Mann–Whitney)", "every 30m, 98%", kayenta(30, 1.0, 2.33), recommended=True)
    for every, least, z in product((5, 10, 15, 30), (1.0, 1.5, 2.0, 5.0), (2.33, 3.7)):
        yield Decider(
            "Kayenta (Mann–Whitney)", f"every {every}m, z {z}, ×{least:g}", kayenta(every, least, z)
        )
    classic = ((60, 5, 14.4), (360, 30, 6.0))
    yield Decider("burn-rate pairs", "1h/5m 14.4, 6h/30m 6", burn(classic, 1), recommended=True)
    for long, short, factor, least in product(
        (2, 5, 10, 30, 60), (1, 2, 5), (1.0, 1.5, 2.0, 3.0, 6.0), (1, 100)
    ):
        if short < long:
            yield Decider(
                "burn-rate pairs",
                f"{long}m/{short}m ×{factor:g}, n≥{least}",
                burn(((long, short, factor),), least),
            )
    yield Decider("CloudWatch-style alarm", "3 of 3 minutes", cloudwatch(4, 3, 3, 1.0), recommended=True)
    for period, (m, n), times in product(
        (1, 4, 20), ((1, 1), (2, 3), (3, 3), (5, 5), (8, 8), (10, 10)), (1.0, 1.5, 2.0, 5.0)
    ):
        yield Decider(
            "CloudWatch-style alarm",
            f"{m} of {n} × {period * WINDOW:.0f}s, ×{times:g}",
            cloudwatch(period, m, n, times),
        )
    yield Decider("plain mSPRT", "α 0.001", msprt(0.001, 1.0, 0), recommended=True)
    for alpha, tau, delay in product((1e-3, 1e-5, 1e-8, 1e-15), (0.5, 1.0, 3.0), (0, 4, 8)):
        yield Decider(
            "plain mSPRT", f"α {alpha:g}, τ {tau:g}·p0, after {delay * WINDOW:.0f}s", msprt(alpha, tau, delay)
        )
