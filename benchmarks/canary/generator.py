"""Traces of services, simulated: counts of requests, failed ones and slow ones, window by window.

Three families that share nothing but the shape of their answer. `smooth` modulates rates and ratios by
log-normal processes with memory; `stormy` switches between calm and storm, has sources that come and go,
heavy-tailed latencies that suffer from load, and clients that retry; `queued` is told in `queued.py`. Our
decider was tuned on the first two; the third tells whether it learned the generators or the task. All
arrays are (runs, windows).
"""

from dataclasses import dataclass, field

import numpy as np
import queued

WINDOW = 15.0
"""Seconds of a window."""
WINDOWS = 240
"""Windows of a watch: an hour."""
HISTORY = 240
"""Windows of history: the hour before."""
FAMILIES = ("smooth", "stormy", "queued")
THRESHOLD = 0.5
"""Seconds; slower is bad."""
ALLOWED = {"errors": 0.01, "latency": 0.05}
"""The accepted bad ratios."""
_BEGINS = 0.012
"""The chance that a storm begins with a window."""
_CALM, _STORM, _JITTER = -0.25, 2.2, 0.3
"""The mood in calm and in storm, and how it scatters within either."""

Array = np.ndarray


@dataclass(frozen=True)
class Event:
    """Something that happens to a healthy service, or to a regressed one beside its regression.

    `what`: `errors` adds to the error ratio, `slow` to the slow ratio, `spike` adds errors and slow
    requests that fade with `seconds` as their time constant, `gap` loses the scrapes (their counts come
    with the next one), `silence` stops the traffic, `restart` loses the counts of a window.
    """

    what: str
    start: float
    seconds: float
    size: float = 0.0
    shared: bool = True


@dataclass(frozen=True)
class Scenario:
    """One service and what happens to it. Ratios are means; `*_cv` scatter between windows, `*_memory` in
    seconds. The regression, if any, begins at `start` and is reached after `ramp` seconds.
    """

    name: str
    kind: str
    rps: float = 20.0
    family: str = "smooth"
    errors: float = 0.002
    errors_cv: float = 0.1
    slow: float = 0.015
    slow_cv: float = 0.1
    memory: float = 60.0
    clump: float = 1.0
    rate_cv: float = 0.2
    rate_memory: float = 120.0
    load: float = 0.0
    diurnal: float = 0.0
    events: tuple[Event, ...] = ()
    beside: float = 0.0
    history: int = HISTORY
    history_factor: float = 1.0
    errors_to: float | None = None
    slower: float = 1.0
    start: float = 0.0
    ramp: float = 0.0
    tail: float = 1.0


@dataclass
class Traces:
    """What a decider sees, and what it may not see: `true`, the bad ratio in the middle of its scatter."""

    total: Array
    bad: dict[str, Array]
    seen: Array
    history_total: Array
    history_bad: dict[str, Array]
    beside_total: Array | None = None
    beside_bad: dict[str, Array] = field(default_factory=dict)
    true: dict[str, Array] = field(default_factory=dict)
    rate: Array | None = None


def generate(scenario: Scenario, runs: int, seed: int) -> Traces:
    """`runs` independent traces; the same ones for the same seed and scenario."""
    name = int.from_bytes(scenario.name.encode()[-8:], "big")
    rng = np.random.default_rng([seed, name, len(scenario.name)])
    live = _ratios(scenario, WINDOWS, regressed=True)
    calm = _ratios(scenario, scenario.history, regressed=False)
    process = {"smooth": _smooth, "stormy": _stormy, "queued": _queued}[scenario.family]
    shape = (runs, scenario.history + WINDOWS)
    rate, mood = process(scenario, rng, shape)
    rate[:, : scenario.history] *= scenario.history_factor
    split = scenario.history
    share = 1.0 - scenario.beside
    total, bad = _counts(scenario, rng, rate[:, split:] * share, mood[:, split:], live)
    h_total, h_bad = _counts(scenario, rng, rate[:, :split], mood[:, :split], calm)
    traces = Traces(total, bad, np.ones(WINDOWS, bool), h_total, h_bad, true=live)
    traces.rate = rate[:, split:] * share
    if scenario.beside:
        base = _ratios(scenario, WINDOWS, regressed=False, shared_only=True)
        traces.beside_total, traces.beside_bad = _counts(
            scenario, rng, rate[:, split:] * scenario.beside, mood[:, split:], base
        )
    _cut(scenario, traces)
    return traces


def _ratios(
    scenario: Scenario, windows: int, *, regressed: bool, shared_only: bool = False
) -> dict[str, Array]:
    """Mean bad ratios over time; a history has no events and no regression."""
    middle = (np.arange(windows) + 0.5) * WINDOW
    errors = np.full(windows, scenario.errors)
    slow_z = np.full(windows, _z(scenario.slow))
    if regressed:
        reached = np.clip((middle - scenario.start) / max(scenario.ramp, 1e-9), 0.0, 1.0)
        if scenario.errors_to is not None:
            errors = errors + (scenario.errors_to - errors) * reached
        slow_z = slow_z - np.log(1 + (scenario.slower - 1) * reached) / scenario.tail
    slow = _tail(slow_z)
    if regressed or shared_only:
        for event in scenario.events:
            if shared_only and not event.shared:
                continue
            inside = _inside(event, windows)
            if event.what == "errors":
                errors = errors + event.size * inside
            elif event.what == "slow":
                slow = slow + event.size * inside
            elif event.what == "spike":
                fade = np.exp(-np.maximum(middle - event.start, 0) / event.seconds) * (middle >= event.start)
                errors = errors + event.size * fade
                slow = slow + 2 * event.size * fade
    return {"errors": np.clip(errors, 0, 1), "latency": np.clip(slow, 0, 1)}


def _inside(event: Event, windows: int) -> Array:
    """The part of each window that the event covers."""
    begin = np.arange(windows) * WINDOW
    covered = np.minimum(begin + WINDOW, event.start + event.seconds) - np.maximum(begin, event.start)
    return np.clip(covered / WINDOW, 0.0, 1.0)


def _smooth(scenario: Scenario, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Array, Array]:
    time = (np.arange(shape[1]) - scenario.history) * WINDOW
    phase = rng.uniform(0, 2 * np.pi, (shape[0], 1))
    wave = 1 + scenario.diurnal * np.sin(2 * np.pi * time / 7200 + phase)
    rate = scenario.rps * WINDOW * wave * _lognormal(rng, shape, scenario.rate_cv, scenario.rate_memory)
    mood = _lognormal(rng, shape, 1.0, scenario.memory, unit=True)
    return rate, mood


def _lognormal(
    rng: np.random.Generator, shape: tuple[int, int], cv: float, memory: float, *, unit: bool = False
) -> Array:
    """A positive process with mean one, this coefficient of variation and this memory in seconds; with
    `unit` the underlying standard normal process.
    """
    phi = np.exp(-WINDOW / max(memory, 1e-9))
    normal = np.empty(shape)
    normal[:, 0] = rng.standard_normal(shape[0])
    steps = rng.standard_normal(shape) * np.sqrt(1 - phi * phi)
    for k in range(1, shape[1]):
        normal[:, k] = phi * normal[:, k - 1] + steps[:, k]
    if unit:
        return normal
    sigma = np.sqrt(np.log1p(cv * cv))
    return np.exp(sigma * normal - sigma * sigma / 2)


def _stormy(scenario: Scenario, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Twenty sources, each on or off for minutes; a mood that is calm, and now and then a storm of a
    minute, told as a standard-normal-like score so that both families mean the same by `*_cv`.
    """
    runs, windows = shape
    on = rng.random((runs, 20)) < 0.6
    storm = rng.random(runs) < _storms(scenario)
    rate, mood = np.empty(shape), np.empty(shape)
    weights = rng.pareto(2.5, (runs, 20)) + 0.3
    weights /= 0.6 * weights.sum(axis=1, keepdims=True)
    for k in range(windows):
        flips = rng.random((runs, 20)) < WINDOW / 240 * max(scenario.rate_cv, 0.05) * 2
        on = np.where(flips, rng.random((runs, 20)) < 0.6, on)
        rate[:, k] = 0.1 + (on * weights).sum(axis=1)
        leave = rng.random(runs) < np.where(storm, _ends(scenario), _BEGINS)
        storm = np.where(leave, ~storm, storm)
        mood[:, k] = np.where(storm, _STORM, _CALM) + _JITTER * rng.standard_normal(runs)
    return rate * scenario.rps * WINDOW / 1.1, mood


def _queued(scenario: Scenario, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Array, Array]:
    rate = queued.arrivals(rng, scenario.rps, scenario.rate_cv, WINDOW, shape)
    return rate, queued.shocks(rng, scenario.memory, WINDOW, shape)


def _ends(scenario: Scenario) -> float:
    """The chance that a storm is over with a window."""
    return WINDOW / max(scenario.memory, WINDOW)


def _storms(scenario: Scenario) -> float:
    """The part of the time that is storm."""
    return _BEGINS / (_BEGINS + _ends(scenario))


def _counts(
    scenario: Scenario, rng: np.random.Generator, rate: Array, mood: Array, ratios: dict[str, Array]
) -> tuple[Array, dict[str, Array]]:
    total = rng.poisson(rate)
    # Load: with more requests than usual each takes longer.
    usual = scenario.rps * WINDOW
    if scenario.family == "queued":
        mix = queued.pods(rng, rate.shape)
        scatter = queued.scatter(mood, scenario.errors_cv, scenario.memory) * mix
        slow_scatter = queued.scatter(mood, scenario.slow_cv, scenario.memory) * mix
        pressure = scenario.load * queued.pressure(rate, usual)
    else:
        scatter = _scatter(mood, scenario.errors_cv) / _level(scenario, scenario.errors_cv)
        # Slow requests have moods of their own, another run's, so that the memory stays.
        other = rng.permutation(mood, axis=0) if scenario.family == "smooth" else mood
        slow_scatter = _scatter(other, scenario.slow_cv) / _level(scenario, scenario.slow_cv)
        pressure = scenario.load * np.log(np.maximum(rate, 1e-9) / usual).clip(-1.5, 1.5)
    errors = np.clip(ratios["errors"] * scatter, 0, 1)
    slow = np.clip(_tail(_z(np.clip(ratios["latency"] * slow_scatter, 1e-6, 1 - 1e-6)) - pressure), 0, 1)
    bad = {"errors": _bunched(rng, total, errors, scenario.clump), "latency": rng.binomial(total, slow)}
    if scenario.family == "stormy":
        # Half of the failed requests are sent once more, and fail more often than others.
        again = rng.binomial(bad["errors"], 0.5)
        total = total + again
        bad["errors"] = bad["errors"] + rng.binomial(again, np.clip(3 * errors, 0, 1))
        bad["latency"] = np.minimum(bad["latency"], total)
    return total, bad


def _scatter(mood: Array, cv: float) -> Array:
    sigma = np.sqrt(np.log1p(cv * cv))
    return np.exp(sigma * mood - sigma * sigma / 2)


def _level(scenario: Scenario, cv: float) -> float:
    """The mean of `_scatter` over time, so that ratios are means in both families."""
    if scenario.family == "smooth":
        return 1.0
    sigma, storms = np.sqrt(np.log1p(cv * cv)), _storms(scenario)
    states = storms * np.exp(sigma * _STORM) + (1 - storms) * np.exp(sigma * _CALM)
    return float(states * np.exp(sigma * sigma * (_JITTER**2 - 1) / 2))


def _bunched(rng: np.random.Generator, total: Array, ratio: Array, clump: float) -> Array:
    """Binomial, or in clumps of geometric size with the mean `clump`."""
    if clump <= 1:
        return rng.binomial(total, ratio)
    clumps = rng.poisson(total * ratio / clump)
    extra = np.where(clumps > 0, rng.negative_binomial(np.maximum(clumps, 1), 1 / clump), 0)
    return np.minimum(total, clumps + extra)


def _cut(scenario: Scenario, traces: Traces) -> None:
    """Silence, restarts and lost scrapes, the same for both sides."""
    for event in scenario.events:
        inside = _inside(event, WINDOWS) > 0.5
        totals = [traces.total] if traces.beside_total is None else [traces.total, traces.beside_total]
        bads = [*traces.bad.values(), *traces.beside_bad.values()]
        if event.what in ("silence", "restart"):
            for counts in (*totals, *bads):
                counts[:, inside] = 0
        if event.what == "gap":
            after = min(int(np.flatnonzero(inside)[-1]) + 1, WINDOWS - 1)
            for counts in (*totals, *bads):
                counts[:, after] += counts[:, inside].sum(axis=1)
                counts[:, inside] = 0
            traces.seen[inside] = False


def _z(ratio: float | Array) -> Array:
    """The logistic stand-in for a normal quantile: latencies with log-logistic tails."""
    ratio = np.asarray(ratio, float)
    return np.log((1 - ratio) / ratio) * 0.55


def _tail(z: Array) -> Array:
    return 1 / (1 + np.exp(z / 0.55))
