"""A watch that began while the metrics server was away learns of the baseline's past later."""

from bot.analysis.canary import Watch
from bot.analysis.objectives import Objective
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

SLOS = [Objective("errors", 0.99)]


def test_history_may_come_after_the_first_state():
    """Stored without history, restored with it: the watch goes on and judges."""
    away = Watch(SLOS)
    away.source_down(0.0, "refused")
    history = [Window(at=15.0 * k, candidate={"errors": Count(300, 1)}) for k in range(-240, 0)]
    watch = Watch.restore(SLOS, history, None, away.state())
    verdict = None
    for k in range(1, 12):
        verdict = verdict or watch.observe(Window(at=15.0 * k, candidate={"errors": Count(300, 30)}))

    assert verdict.outcome is Outcome.FAILED
    assert verdict.slos[0].baseline_ratio == 1 / 300
