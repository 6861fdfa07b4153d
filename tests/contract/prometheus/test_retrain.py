"""Signals of live versions on real metrics servers: broken exactly while they are, without a break."""

import time

import pytest

from bot.adapters.prometheus import Connection, Prometheus
from bot.domain.retrain import Signal

T0 = float(int(time.time()) - 7200)
HOUR = [(T0 + 60 * k, k) for k in range(61)]
NOW = T0 + 3600


@pytest.fixture(scope="module")
def metrics(start):
    server = start(
        {
            'drift{model="always"}': [(at, 0.4) for at, _ in HOUR],
            'drift{model="dipped"}': [(at, 0.2 if 29 <= k <= 31 else 0.4) for at, k in HOUR],
            'drift{model="late"}': [(at, 0.4 if k > 30 else 0.1) for at, k in HOUR],
            'drift{model="young"}': [(at, 0.4) for at, k in HOUR if k > 40],
            'drift{model="fine"}': [(at, 0.1) for at, _ in HOUR],
            'accuracy{model="always"}': [(at, 0.7) for at, _ in HOUR],
        }
    )
    return Prometheus(Connection(server.url))


def answer(metrics, signal: Signal, model: str) -> list[float]:
    query = signal.broken(signal.query.replace("{model}", model))
    return [series.samples[-1][1] for series in metrics.instant(query, NOW)]


@pytest.mark.parametrize(
    ("model", "expected"), [("always", [0.4]), ("dipped", []), ("late", []), ("young", []), ("fine", [])]
)
def test_a_signal_is_broken_while_it_is_beyond_its_limit_all_the_time(metrics, model, expected):
    """A dip of minutes, half of the time, and a series that has only begun are none."""
    signal = Signal.model_validate({"query": 'max(drift{model="{model}"})', "above": 0.3, "for": "1h"})

    assert answer(metrics, signal, model) == expected


def test_too_little_is_broken_too(metrics):
    """And the value that is told is the one nearest to the limit."""
    below = Signal.model_validate({"query": 'accuracy{model="{model}"}', "below": 0.8, "for": "30m"})
    enough = below.model_copy(update={"below": 0.6})

    assert answer(metrics, below, "always") == [0.7]
    assert answer(metrics, enough, "always") == []
