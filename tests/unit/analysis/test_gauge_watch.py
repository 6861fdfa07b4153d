"""A watch over gauges alone: no request is waited for, and each gauge does what it may."""

import pytest

from bot.analysis.canary import Watch
from bot.analysis.objectives import GaugeLimit
from bot.analysis.settings import Settings
from bot.analysis.windows import Window
from bot.domain.slo import OnBreach
from bot.domain.verdict import Outcome

SHORT = Settings(bake=600, max_bake=1200)


def watched(on_breach, values):
    watch = Watch([GaugeLimit("drift", above=0.3, hold=60.0, on_breach=on_breach)], (), SHORT)
    for k, value in enumerate(values, 1):
        gauges = {} if value is None else {"drift": value}
        if (verdict := watch.observe(Window(at=15.0 * k, gauges=gauges))) is not None:
            return verdict
    return None


@pytest.mark.parametrize(
    ("on_breach", "value", "outcome", "reason"),
    [
        (OnBreach.FAIL, 0.1, Outcome.PASSED, "Drift is 0.1, within its limit (not above 0.3 for 1 minute)."),
        (OnBreach.FAIL, 0.9, Outcome.FAILED, "Drift was 0.9, beyond its limit (not above 0.3 for 1 minute)."),
        (OnBreach.FAIL, None, Outcome.NO_DATA, "Drift had no value."),
        (OnBreach.WARN, 0.9, Outcome.PASSED, "Nothing that was watched may fail a candidate."),
        (OnBreach.SHOW, 0.9, Outcome.PASSED, "Nothing that was watched may fail a candidate."),
    ],
)
def test_gauges_alone_are_watched_from_the_start(on_breach, value, outcome, reason):
    """They pass or fail by themselves; without a value they are no data."""
    verdict = watched(on_breach, [value] * 100)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
