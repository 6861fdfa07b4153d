"""The second, slower alarm reaches the verdict by itself."""

from bot.analysis.canary import Watch
from bot.analysis.objectives import Objective
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

OUT_OF_REACH = 700.0
"""A bar that the evidence of half an hour does not reach."""


def watched(baseline):
    """A third of few requests fails, and only the error budget may say so."""
    watch = Watch([Objective("errors", 0.99)], (), Settings(bake=7200, max_bake=7200))
    (ratio,) = watch._ratios
    ratio.main.evidence.bar = ratio.down.evidence.bar = OUT_OF_REACH
    for k in range(1, 300):
        beside = {"errors": Count(3, baseline)} if baseline is not None else {}
        window = Window(at=15.0 * k, candidate={"errors": Count(3, 1)}, baseline=beside)
        if (verdict := watch.observe(window)) is not None:
            return verdict, 15.0 * k
    return None, None


def test_a_budget_that_burns_too_fast_fails_the_candidate():
    """After half an hour of it, and the sentence says what burns."""
    verdict, at = watched(None)

    assert verdict.outcome is Outcome.FAILED
    assert 1800 <= at <= 1900
    assert verdict.reason.endswith("the error budget burns more than 14.4 times too fast.")


def test_a_budget_that_burns_on_both_sides_does_not():
    """The neighbour's trouble is not the candidate's."""
    assert watched(1) == (None, None)
