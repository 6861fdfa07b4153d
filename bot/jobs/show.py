"""What people see of a promotion: the status comment, check runs, deployments, the issue of what waits.

Showing never stands in the way. Each surface remembers what it shows; what could not be written is written
at the next look, and `late` says that one is due for that alone.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.domain.promotion import Promotion, Stage
from bot.jobs.observe import Observation
from bot.messages import check, deployment, issue, replies, status
from bot.ports import CheckRun, Forge, OutsideError, Unavailable

logger = logging.getLogger(__name__)

PACE = timedelta(seconds=10)
"""While only a canary's numbers move, nothing is edited more often (GitHub counts writes)."""
EDITS = 40
"""A longer watch is shown about so many times in all: nobody reads more, and many watches share one limit."""
COMMENT_PACES = 3
"""The comment follows the check run at every third of its steps: comments have the tighter limit."""

BRIEF = timedelta(seconds=45)
"""What waits no longer than this before its pull request opens is not worth an issue."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The promotion with what it shows now; `late`: something could not be written."""

    promotion: Promotion
    late: bool = False


class Shower:
    """Shows promotions. `address` gives the page of a repository, by its `owner/name`."""

    def __init__(self, address: Callable[[str], str]) -> None:
        self._address = address

    def show(self, promotion: Promotion, seen: Observation, now: datetime) -> Shown:
        """Show what changed since the last time."""
        if promotion.pull is None:
            return self._waiting(promotion, seen, now)
        shown = self._forget_waiting(promotion, seen)
        for surface in (self._comment, self._checks, self._deployments):
            after = surface(shown.promotion, seen, now)
            shown = Shown(after.promotion, late=shown.late or after.late)
        return shown

    def wait(self, promotion: Promotion, forge: Callable[[], Forge], now: datetime) -> Promotion:
        """Say in the status comment what the promotion waits for; nothing else could be looked at."""
        number = promotion.pull
        if number is None or promotion.shown is None or promotion.shown.startswith("waiting:"):
            return promotion
        text = status.comment(promotion)
        fresh = f"{promotion.stage.value}:{_digest(text)}"
        if fresh == promotion.shown or not _try(
            promotion, lambda: forge().upsert_comment(number, status.MARKER, text)
        ):
            return promotion
        return replace(promotion, shown=fresh, shown_at=now)

    # -- with a pull request -----------------------------------------------------------------------

    def _comment(self, promotion: Promotion, seen: Observation, now: datetime) -> Shown:
        number = promotion.pull
        assert number is not None, "without a pull request there is nowhere to comment"
        situation = seen.situation
        text = status.comment(
            promotion,
            gates=situation.gates,
            holds=situation.holds,
            quarantine=situation.quarantine,
            progress=seen.canary.progress if seen.canary is not None else None,
        )
        fresh = f"{promotion.stage.value}:{_digest(text)}"
        if promotion.shown == fresh or self._too_soon(
            promotion, seen, promotion.shown_at, now, COMMENT_PACES
        ):
            return Shown(promotion)
        if not _try(promotion, lambda: seen.forge.upsert_comment(number, status.MARKER, text)):
            return Shown(promotion, late=True)
        return Shown(replace(promotion, shown=fresh, shown_at=now))

    def _checks(self, promotion: Promotion, seen: Observation, now: datetime) -> Shown:
        runs = self._runs(promotion, seen)
        fresh = f"{promotion.stage.value}:{_digest(repr(runs))}"
        if not runs or promotion.checked == fresh:
            return Shown(promotion)
        if self._too_soon(promotion, seen, promotion.checked_at, now, 1):
            return Shown(promotion)
        written = [_try(promotion, partial(seen.forge.check, run)) for run in runs]
        if not all(written):
            return Shown(promotion, late=True)
        return Shown(replace(promotion, checked=fresh, checked_at=now))

    def _runs(self, promotion: Promotion, seen: Observation) -> list[CheckRun]:
        """Gates on the heads of the open pull requests, the canary on the commit that was merged."""
        page = f"{self._address(promotion.repository)}/pull/{promotion.pull}"
        pull, revert = seen.situation.pull, seen.situation.revert
        wanted: list[tuple[str, str, check.CheckText]] = []
        if promotion.stage is Stage.OPEN and pull is not None and seen.situation.gates:
            right = pull.head_sha == promotion.head_sha
            said = check.gates(seen.situation.gates) if right else check.NOT_OUR_COMMIT
            wanted.append((check.GATES, pull.head_sha, said))
        if promotion.merge_sha is not None:
            progress = seen.canary.progress if seen.canary is not None else None
            has_slo = seen.environment is not None and seen.environment.slo is not None
            said = check.canary(promotion, progress, has_slo=has_slo)
            wanted.append((check.CANARY, promotion.merge_sha, said))
        if revert is not None and revert.head_sha == promotion.revert_head_sha:
            # A rule of the branch that wants the gates' check wants it of a revert too.
            wanted.append((check.GATES, revert.head_sha, check.REVERT))
        step, ours = seen.situation.step, promotion.open_step
        if step is not None and ours is not None and step.head_sha == ours.head_sha:
            wanted.append((check.GATES, step.head_sha, check.STEP))
        return [
            CheckRun(name, sha, said.title, said.summary, said.conclusion, page) for name, sha, said in wanted
        ]

    def _deployments(self, promotion: Promotion, seen: Observation, _now: datetime) -> Shown:
        wanted = deployment.deployments(promotion)
        # The reason moves while it goes live; the state is what the Environments page is about.
        fresh = _digest(repr([(each.sha, each.state) for each in wanted]))
        if not wanted or promotion.deployed == fresh:
            return Shown(promotion)
        name = deployment.environment(promotion)
        page = f"{self._address(promotion.repository)}/pull/{promotion.pull}"
        deploy = partial(seen.forge.deployment, name, production=not seen.situation.next_environments)
        written = [
            _try(promotion, partial(deploy, each.sha, each.state, each.description, page)) for each in wanted
        ]
        return Shown(replace(promotion, deployed=fresh)) if all(written) else Shown(promotion, late=True)

    def _too_soon(
        self, promotion: Promotion, seen: Observation, last: datetime | None, now: datetime, paces: int
    ) -> bool:
        """Whether only a canary's numbers moved, and not long ago."""
        if promotion.stage is not Stage.WATCHING or last is None or last < promotion.stage_since:
            return False
        progress = seen.canary.progress if seen.canary is not None else None
        length = progress.elapsed + progress.left if progress is not None else 0.0
        return now - last < max(PACE, timedelta(seconds=length / EDITS)) * paces

    # -- without one -------------------------------------------------------------------------------

    def _waiting(self, promotion: Promotion, seen: Observation, now: datetime) -> Shown:
        """What waits before it has a pull request is told in an issue, unless it is over in a moment."""
        marker = replies.marker("waiting", promotion.id)
        told = promotion.shown is not None
        brief = not seen.situation.holds and now - promotion.created_at < BRIEF
        if not told and (brief or promotion.stage is not Stage.WAITING):
            return Shown(promotion)
        title, body = issue.waiting(promotion)
        fresh = f"waiting:{_digest(body)}"
        if promotion.shown != fresh:
            numbers: list[int] = []
            if not _try(
                promotion, lambda: numbers.append(seen.forge.upsert_issue(marker, title, f"{marker}\n{body}"))
            ):
                return Shown(promotion, late=True)
            promotion = replace(promotion, issue=numbers[0] if numbers else None)
            if promotion.stage is not Stage.WAITING:
                _try(promotion, lambda: seen.forge.close_issue(marker))
        return Shown(replace(promotion, shown=fresh, shown_at=now))

    def _forget_waiting(self, promotion: Promotion, seen: Observation) -> Shown:
        if not (promotion.shown or "").startswith("waiting:"):
            return Shown(promotion)
        marker = replies.marker("waiting", promotion.id)
        if not _try(promotion, lambda: seen.forge.close_issue(marker)):
            return Shown(promotion, late=True)
        return Shown(replace(promotion, shown=None, shown_at=None))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _try(promotion: Promotion, show: Callable[[], object]) -> bool:
    """Whether it is done with: shown, or refused for good."""
    try:
        show()
    except OutsideError as trouble:
        logger.info("promotion %s: not shown: %s", promotion.id, trouble)
        return not isinstance(trouble, Unavailable)
    return True
