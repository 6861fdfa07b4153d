"""One look at one promotion: observe, decide, perform, save; again while something moves.

Mutual exclusion is an advisory lock on the promotion's place (model and environment in a repository)
and the revision check of the save. A process killed anywhere in here leaves nothing that the next
look does not finish: effects are find-or-create and requests stay unanswered until the save.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.domain.decide import Decision, absorb, decide
from bot.domain.effects import MergePull, MergeRefused
from bot.domain.moves import BOT
from bot.domain.promotion import Promotion
from bot.domain.situation import Situation
from bot.jobs.configuration import Configurations
from bot.jobs.judge import Judge
from bot.jobs.observe import Observer
from bot.jobs.outside import Outside
from bot.jobs.perform import Performer
from bot.jobs.plan import Planner
from bot.jobs.propose import Proposer
from bot.jobs.show import Shower
from bot.jobs.store import Loaded
from bot.ports import OutsideError, Unavailable

logger = logging.getLogger(__name__)

_MOST_STEPS = 24
"""More steps than the longest way through the stage table with a comment full of commands; a bound only."""

_LONGEST_WAIT = timedelta(minutes=5)
_CHORE_WAIT = timedelta(seconds=30)
_LOCK_WAIT = timedelta(seconds=1)
_WORTH_TELLING = timedelta(seconds=8)
"""A shorter wait is over before anybody reads of it."""


class Reconciler:
    """Looks at promotions, one at a time a place."""

    def __init__(self, outside: Outside, configurations: Configurations, proposer: Proposer) -> None:
        self._outside = outside
        planner, judge = Planner(outside), Judge(outside)
        self._observer = Observer(outside, configurations, planner, judge)
        self._performer = Performer(outside, planner, judge, proposer)
        self._shower = Shower(outside.repository_url)

    def reconcile(self, promotion_id: str) -> None:
        """Bring one promotion as far as it goes now. Never raises for trouble outside."""
        store = self._outside.store
        loaded = store.load(promotion_id)
        if loaded is None:
            return
        promotion = loaded.promotion
        with store.exclusive(f"{promotion.repository}/{promotion.model}/{promotion.environment}") as mine:
            # Whoever has the lock may be at another promotion of this place, and would not see this wake.
            if not mine:
                store.come_back(promotion_id, _LOCK_WAIT)
                return
            for _ in range(_MOST_STEPS):
                loaded = store.load(promotion_id)
                if loaded is None or not self._step(loaded):
                    return
            store.come_back(promotion_id, _LOCK_WAIT)

    def _step(self, loaded: Loaded) -> bool:
        """One look; whether another one should follow at once."""
        try:
            return self._look(loaded)
        except OutsideError as trouble:
            logger.info("promotion %s waits: %s", loaded.promotion.id, trouble)
            self._wait(loaded, trouble)
            return False

    def _look(self, loaded: Loaded) -> bool:
        now = self._outside.clock.now()
        seen = self._observer.observe(loaded.promotion, now)
        decision = decide(loaded.promotion, seen.situation, now)
        after = decision.promotion
        refused = False
        for effect in decision.effects:
            outcome = self._performer.perform(effect, after, seen)
            if outcome is not None:
                after = absorb(after, outcome, self._outside.clock.now())
            refused = refused or isinstance(outcome, MergeRefused)
        after, late = self._settle_registry(after)
        after = replace(after, failures=0)
        shown = self._shower.show(after, seen, now)
        chores = now + _CHORE_WAIT if late or shown.late else None
        saved = self._outside.store.save(
            loaded,
            shown.promotion,
            wake_at=_earliest(decision.wake_at, chores),
            answered=decision.answered,
            actor=_actor(decision, seen.situation),
            watched=seen.watched,
        )
        # Somebody else saved first: look again at what they made of it.
        # What was refused is not repeated at once.
        moving = after.stage is not loaded.promotion.stage or (bool(decision.effects) and not refused)
        return not saved or moving or seen.more

    def _settle_registry(self, promotion: Promotion) -> tuple[Promotion, bool]:
        try:
            return replace(promotion, due=self._performer.settle(promotion)), False
        except OutsideError as trouble:
            # A registry that is away delays neither Git nor the cluster.
            logger.info("promotion %s: the registry is told later: %s", promotion.id, trouble)
            return promotion, True

    def _wait(self, loaded: Loaded, trouble: OutsideError) -> None:
        now = self._outside.clock.now()
        before = loaded.promotion
        failures = before.failures + 1
        wait = _backoff(failures)
        if isinstance(trouble, Unavailable) and trouble.retry_after is not None:
            wait = max(wait, timedelta(seconds=trouble.retry_after))
        reason = f"Waiting for {trouble.system}: {trouble.message}"
        waiting = replace(before, failures=failures, reason=reason)
        repository = self._outside.store.repository(before.repository)
        if repository is not None and wait >= _WORTH_TELLING:
            waiting = self._shower.wait(waiting, partial(self._outside.forge, repository), now)
        self._outside.store.save(loaded, waiting, wake_at=now + wait)


def _backoff(failures: int) -> timedelta:
    return min(timedelta(seconds=2 ** min(failures, 10)), _LONGEST_WAIT)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _actor(decision: Decision, situation: Situation) -> str:
    """Who the audit names: the last person who was obeyed, or who armed the merge, else Slipway."""
    obeyed = [request.author for request in situation.requests if request.denied is None]
    if obeyed and decision.answered:
        return obeyed[-1]
    merging = any(isinstance(effect, MergePull) and not effect.revert for effect in decision.effects)
    return (decision.promotion.armed_by if merging else None) or BOT
