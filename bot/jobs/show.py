"""What people see of a promotion in its pull request: the status comment, the check, the deployment.

Showing never stands in the way: what cannot be shown now is shown at the next look.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.promotion import Promotion, Stage
from bot.jobs.observe import Observation
from bot.messages import check, issue, replies, status
from bot.ports import CheckRun, OutsideError

logger = logging.getLogger(__name__)

PACE = timedelta(seconds=10)
"""While only a canary's numbers move, the comment is edited no more often (GitHub counts content writes)."""

BRIEF = timedelta(seconds=45)
"""What waits no longer than this before its pull request opens is not worth an issue."""

_DEPLOYMENTS = {
    Stage.SYNCING: "in_progress",
    Stage.WATCHING: "in_progress",
    Stage.PASSED: "success",
    Stage.HELD: "failure",
    Stage.REVERTING: "failure",
    Stage.REVERTED: "inactive",
}


class Shower:
    """Shows promotions."""

    def show(self, promotion: Promotion, seen: Observation, now: datetime) -> Promotion:
        """Show what changed since the last time; returns the promotion with what it shows now."""
        number = promotion.pull
        if number is None:
            return self._show_waiting(promotion, seen, now)
        promotion = self._forget_waiting(promotion, seen)
        situation = seen.situation
        text = status.comment(
            promotion,
            gates=situation.gates,
            holds=situation.holds,
            quarantine=situation.quarantine,
            progress=seen.canary.progress if seen.canary is not None else None,
        )
        stage, _, digest = (promotion.shown or "").partition(":")
        fresh = hashlib.sha256(text.encode()).hexdigest()[:16]
        if digest == fresh:
            return promotion
        moved = stage != promotion.stage.value
        counting = promotion.stage is Stage.WATCHING and not moved
        if counting and promotion.shown_at is not None and now - promotion.shown_at < PACE:
            return promotion
        written = _try(promotion, lambda: seen.forge.upsert_comment(number, status.MARKER, text))
        self._check(promotion, seen)
        if moved:
            self._deployment(promotion, seen)
        if not written:
            return promotion
        return replace(promotion, shown=f"{promotion.stage.value}:{fresh}", shown_at=now)

    def _show_waiting(self, promotion: Promotion, seen: Observation, now: datetime) -> Promotion:
        """What waits before it has a pull request is told in an issue, unless it is over in a moment."""
        marker = replies.marker("waiting", promotion.id)
        told = promotion.shown is not None
        brief = not seen.situation.holds and now - promotion.created_at < BRIEF
        if not told and (brief or promotion.stage is not Stage.WAITING):
            return promotion
        title, body = issue.waiting(promotion)
        fresh = f"waiting:{hashlib.sha256(body.encode()).hexdigest()[:16]}"
        if promotion.shown != fresh:
            numbers: list[int] = []
            if not _try(
                promotion, lambda: numbers.append(seen.forge.upsert_issue(marker, title, f"{marker}\n{body}"))
            ):
                return promotion
            promotion = replace(promotion, issue=numbers[0] or None)
            if promotion.stage is not Stage.WAITING:
                _try(promotion, lambda: seen.forge.close_issue(marker))
        return replace(promotion, shown=fresh, shown_at=now)

    def _forget_waiting(self, promotion: Promotion, seen: Observation) -> Promotion:
        if not (promotion.shown or "").startswith("waiting:"):
            return promotion
        marker = replies.marker("waiting", promotion.id)
        closed = _try(promotion, lambda: seen.forge.close_issue(marker))
        return replace(promotion, shown=None, shown_at=None) if closed else promotion

    def _check(self, promotion: Promotion, seen: Observation) -> None:
        head = promotion.head_sha
        if promotion.stage is Stage.OPEN and head is not None and seen.situation.gates:
            shown = check.gates(seen.situation.gates)
            run = CheckRun("slipway / gates", head, shown.title, shown.summary, shown.conclusion)
            _try(promotion, lambda: seen.forge.check(run))

    def _deployment(self, promotion: Promotion, seen: Observation) -> None:
        state, sha = _DEPLOYMENTS.get(promotion.stage), promotion.merge_sha
        if state is not None and sha is not None:
            reason = promotion.reason[:140]
            name = f"{promotion.model} {promotion.environment}"
            _try(promotion, lambda: seen.forge.deployment(name, sha, state, reason, None))


def _try(promotion: Promotion, show: Callable[[], object]) -> bool:
    try:
        show()
    except OutsideError as trouble:
        logger.info("promotion %s: not shown: %s", promotion.id, trouble)
        return False
    return True
