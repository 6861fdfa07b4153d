"""What the checks of a live candidate mean for its promotion. Part of `bot.domain.decide`."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import effects
from bot.domain.checks import CheckResult, CheckState
from bot.domain.moves import BOT, Step, enter, held, revert
from bot.domain.promotion import Promotion, Stage
from bot.domain.situation import Situation

AGAIN = timedelta(seconds=5)
"""Between two questions of a check that is not settled."""


@dataclass(frozen=True, slots=True)
class Checking:
    """Names of checks: to be asked now, not settled, and those that stop the promotion, with the result."""

    due: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    stopping: tuple[tuple[str, CheckResult], ...] = ()
    """(`revert`, `hold` or `report`, result), in the order of the configuration."""

    @property
    def asked(self) -> tuple[effects.Effect, ...]:
        return (effects.RunChecks(self.due),) if self.due else ()


def look(promotion: Promotion, situation: Situation, now: datetime) -> Checking:
    """Where the checks of its environment are."""
    environment = situation.environment
    if environment is None:
        return Checking()
    results = {result.name: result for result in promotion.checks}
    due, pending, stopping = [], [], []
    for name, check in environment.checks.items():
        result = results.get(name)
        if result is None or result.state is CheckState.PENDING:
            pending.append(name)
            if result is None or now >= result.asked_at + AGAIN:
                due.append(name)
        elif result.state is CheckState.UNASKED and check.on_failure != "report":
            stopping.append(("hold", result))
        elif result.state is CheckState.FAILED and check.on_failure != "report":
            stopping.append((check.on_failure or situation.policy.on_failure, result))
    return Checking(tuple(due), tuple(pending), tuple(stopping))


def stop(promotion: Promotion, checking: Checking, situation: Situation, now: datetime) -> Step | None:
    """What a check that did not pass comes to; None where none stops anything. A revert goes first."""
    ranked = sorted(checking.stopping, key=lambda each: ("revert", "report", "hold").index(each[0]))
    for action, result in ranked:
        reason = f"Check {result.name}: {result.reason}"
        if action == "revert":
            return revert(promotion, reason, BOT, situation, now, quarantine=True)
        if action == "report":
            told = f"Would have been reverted (the policy only reports): {reason}"
            return Step(enter(promotion, Stage.HELD, told, now))
        return held(promotion, reason, now)
    return None


def absorbed(promotion: Promotion, outcome: effects.Outcome) -> Promotion | None:
    """With the newest result of each check; None for an outcome that is about none."""
    if not isinstance(outcome, effects.Checked):
        return None
    results = {result.name: result for result in (*promotion.checks, *outcome.results)}
    return replace(promotion, checks=tuple(results.values()))
