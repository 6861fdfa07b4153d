"""The embedded store's windows and staleness."""

import pytest

from bot.sandbox.sample_store import SampleStore
from bot.sandbox.selectors import parse

UP = frozenset({("__name__", "up"), ("pod", "a")})


@pytest.fixture
def store() -> SampleStore:
    filled = SampleStore()
    for second in range(10):
        filled.add(1000.0 + second, {UP: float(second)})
    return filled


def test_a_window_is_open_at_its_start(store):
    """A range selector holds the samples after its start, up to and with its end."""
    found = store.range(parse("up"), 1002, 1005)

    assert found == {UP: [(1003.0, 3.0), (1004.0, 4.0), (1005.0, 5.0)]}


def test_the_newest_sample_answers(store):
    """An instant selector answers with the newest sample, at the time that was asked for."""
    assert store.instant(parse("up"), 1004.5) == {UP: (1004.5, 4.0)}


def test_nothing_is_known_before_and_long_after(store):
    """There is no answer before the first sample, nor five minutes after the last."""
    assert store.instant(parse("up"), 999) == {}
    assert store.instant(parse("up"), 1310) == {}


def test_an_ended_series_is_stale_at_once(store):
    """A series that was absent from a scrape has no value from then on, and has one again when it is back."""
    store.end(1010, [UP])
    assert store.instant(parse("up"), 1010) == {}
    assert store.instant(parse("up"), 1009.5) == {UP: (1009.5, 9.0)}

    store.add(1020, {UP: 0.0})
    assert store.instant(parse("up"), 1021) == {UP: (1021, 0.0)}


def test_old_samples_are_forgotten(store):
    """The store does not grow for ever."""
    store.add(1000.0 + 3605, {UP: 1.0})

    assert min(at for at, _ in store.range(parse("up"), 0, 9000)[UP]) == 1005
