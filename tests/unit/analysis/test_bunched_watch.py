"""A busy service whose bad requests come in bunches: a cell tells of one bunch, not of its requests."""

import pytest

from bot.analysis.canary import Watch
from bot.analysis.objectives import Objective
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

SLOW = Objective("latency", 0.95, slow_start=True)
REQUESTS = 3000
USUAL = (0.025, 0.06, 0.05, 0.04, 0.03, 0.025, 0.025, 0.025, 0.025, 0.025, 0.025, 0.025, 0.025)
"""Bad ratios of windows: a bunch begins sharply and fades, again and again."""
SHOCK = (0.35, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.06)
"""One that fades as the others, but is larger than any that history had."""


def windows(ratios, start, slo="latency"):
    return [
        Window(at=start + 15.0 * k, candidate={slo: Count(REQUESTS, round(REQUESTS * ratio))})
        for k, ratio in enumerate(ratios)
    ]


def outcome(ratios):
    """The outcome, and how many windows it took."""
    watch = Watch([SLOW], windows(USUAL * 18, -15.0 * 18 * len(USUAL)))
    for k, window in enumerate(windows(ratios, 0.0), 1):
        if (verdict := watch.observe(window)) is not None:
            return verdict.outcome, k
    return None, None


@pytest.mark.parametrize("start", [13, 40, 100])
def test_a_bunch_larger_than_known_fails_nobody(start):
    """Two minutes of one shock that fades are no broken version, however many requests they hit."""
    usual = USUAL * 12

    assert outcome((*usual[:start], *SHOCK, *usual[start:])) == (None, None)


@pytest.mark.parametrize(("ratio", "within"), [(0.15, 20), (0.3, 16), (0.9, 8)])
def test_what_stays_bad_fails_all_the_same(ratio, within):
    """A few minutes more than a shock lasts are enough, and a minute where nearly everything is bad."""
    found, took = outcome((*USUAL, *(ratio,) * 40))

    assert found is Outcome.FAILED
    assert took - len(USUAL) <= within


ERRORS = Objective("errors", 0.99)
CALM = (0.0075, 0.0085, 0.008, 0.0077, 0.0083, 0.008)


@pytest.mark.parametrize(
    ("ratios", "found"),
    [
        ((*CALM, 0.04, 0.035, 0.03, 0.024, 0.019, 0.015, 0.012, *CALM * 6), None),
        ((*CALM, *(0.03,) * 20), Outcome.FAILED),
    ],
)
def test_a_bunch_fails_nobody_where_history_knows_of_none(ratios, found):
    """An hour without one does not say that there is none; what stays bad fails within five minutes."""
    watch = Watch([ERRORS], windows(CALM * 40, -15.0 * 40 * len(CALM), "errors"))
    looks = map(watch.observe, windows(ratios, 0.0, "errors"))
    verdicts = [verdict for verdict in looks if verdict is not None]

    assert (verdicts[0].outcome if verdicts else None) is found
