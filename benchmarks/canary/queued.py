"""The mechanisms of the third family of traces, which share nothing with the other two.

Arrivals excite each other (Hawkes 1971). Shocks come at random, hit errors and latency at once, begin
sharply and fade. Four pods of unequal quality share the requests unevenly. Latency follows the
utilisation of a queue, 1/(1 − u), so that it explodes near the limit and hardly falls below the usual.
Nothing in Slipway was tuned on this family. All arrays are (runs, windows).
"""

import numpy as np

Array = np.ndarray

_EXCITED = 90.0
"""Seconds for which an arrival excites others."""
_SHOCKS = 1 / 600
"""Shocks in a second."""
_MOST_SHOCK = 0.9
_PODS = 4
_POD_SPREAD = 0.4
_EVENNESS = 20.0
_USUAL_UTILISATION = 0.5
_FULL = 0.95


def arrivals(
    rng: np.random.Generator, rps: float, cv: float, seconds: float, shape: tuple[int, int]
) -> Array:
    """The expected requests of each window. The part of the arrivals that others brought about grows with
    `cv`; it comes in clusters, so that the rate has jumps and fades.
    """
    excited = cv / (1.0 + cv)
    fade = np.exp(-seconds / _EXCITED)
    usual = rps * seconds
    # Origins, each of many requests: as many as give the rate this coefficient of variation.
    size = max(usual * cv * cv * (1 + fade) * (1 - excited), 1.0)
    rate = np.empty(shape)
    memory = np.ones(shape[0])
    for k in range(shape[1]):
        origins = rng.poisson(np.maximum((1 - fade) * usual / size * ((1 - excited) + excited * memory), 0))
        memory = fade * memory + origins * size / usual
        rate[:, k] = usual * memory
    return rate


def shocks(rng: np.random.Generator, memory: float, seconds: float, shape: tuple[int, int]) -> Array:
    """Shot noise with mean one: shocks of exponential size that fade with `memory` seconds."""
    fade = np.exp(-seconds / max(memory, seconds))
    level = np.empty(shape)
    now = rng.gamma(_SHOCKS * memory + 0.05, 1.0, shape[0]) / (_SHOCKS * memory + 0.05)
    mean = _SHOCKS * seconds / (1 - fade)
    for k in range(shape[1]):
        hits = rng.poisson(_SHOCKS * seconds, shape[0])
        now = fade * now + rng.gamma(np.maximum(hits, 1e-9), 1.0) * (hits > 0) / mean
        level[:, k] = now
    return level


def scatter(level: Array, cv: float, memory: float) -> Array:
    """A factor with mean one and about this coefficient of variation: a steady part, and the shocks."""
    shocked = min(_MOST_SHOCK, cv * np.sqrt(_SHOCKS * memory))
    return 1.0 - shocked + shocked * level


def pods(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """The factor by which the mix of pods moves a ratio: their quality stays, their shares do not."""
    quality = rng.lognormal(0.0, _POD_SPREAD, (shape[0], 1, _PODS))
    quality /= quality.mean(axis=2, keepdims=True)
    shares = rng.dirichlet(np.full(_PODS, _EVENNESS), shape)
    return (quality * shares).sum(axis=2)


def pressure(rate: Array, usual: float) -> Array:
    """How much longer a request takes, as a logarithm: the queue's 1/(1 − u) against the usual one."""
    used = np.clip(_USUAL_UTILISATION * rate / usual, 0.0, _FULL)
    return np.log((1 - _USUAL_UTILISATION) / (1 - used))
