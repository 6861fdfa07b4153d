"""Effects made real. Each is find-or-create or last-write-wins, so that a repeat changes nothing."""

import logging

from bot.domain import effects
from bot.domain.hold import Hold, Quarantine
from bot.domain.promotion import AliasDue, Promotion, TagDue
from bot.jobs.answer import Answerer
from bot.jobs.checks import Checker
from bot.jobs.judge import Judge
from bot.jobs.observe import Observation
from bot.jobs.outside import Outside
from bot.jobs.plan import Planner
from bot.jobs.propose import Proposer
from bot.jobs.pulls import Pulls
from bot.ports import Refused

logger = logging.getLogger(__name__)


class Performer:
    """Performs effects for one promotion at a time."""

    def __init__(self, outside: Outside, planner: Planner, judge: Judge, proposer: Proposer) -> None:
        self._outside = outside
        self._store = outside.store
        self._answerer = Answerer(outside.store)
        self._pulls = Pulls(outside, planner, judge, self._answerer)
        self._proposer = proposer
        self._checker = Checker(outside)

    def perform(
        self, effect: effects.Effect, promotion: Promotion, seen: Observation
    ) -> effects.Outcome | None:
        """Do it, and tell what became of it where the next decision needs to know."""
        match effect:
            case effects.OpenBump() | effects.OpenStep() | effects.OpenRevert() | effects.MergePull():
                return self._pulls.change(effect, promotion, seen)
            case effects.ClosePull() | effects.AbandonBump() | effects.TellSuperseded():
                self._pulls.give_way(effect, promotion, seen)
            case effects.WakePlace() | effects.ForgetCanary() | effects.BuildImage():
                self._note(effect, promotion)
            case effects.Answer():
                self._answerer.answer(effect, promotion, seen)
            case effects.ProposeNext(environment=environment, requested_by=by):
                self._proposer.begin(
                    promotion.repository, promotion.model, environment, promotion.candidate, by
                )
            case effects.RunChecks(names=names) if seen.environment is not None:
                return self._checker.run(names, seen.environment.checks, promotion, seen.forge)
            case effects.RunChecks():
                return effects.Checked(())
            case _:
                self._guard(effect, promotion)
        return None

    def _note(
        self, effect: effects.WakePlace | effects.ForgetCanary | effects.BuildImage, promotion: Promotion
    ) -> None:
        match effect:
            case effects.WakePlace():
                self._store.wake_place(promotion.repository, promotion.model, promotion.environment)
            case effects.ForgetCanary(verdict=verdict):
                self._store.forget_watch(promotion.id, verdict)
            case effects.BuildImage(order=order):
                self._store.order_build(order)

    def _guard(
        self,
        effect: effects.PlaceHold | effects.ReleaseHold | effects.QuarantineVersion | effects.LiftQuarantine,
        promotion: Promotion,
    ) -> None:
        now = self._outside.clock.now()
        repository = promotion.repository
        match effect:
            case effects.PlaceHold(owner=owner, reason=reason, everything=everything):
                model, environment = _scope(promotion, everything=everything)
                self._store.place_hold(Hold(repository, model, environment, owner, reason, now))
            case effects.ReleaseHold(owner=owner, everything=everything):
                model, environment = _scope(promotion, everything=everything)
                self._store.release_hold(repository, model, environment, owner, now)
            case effects.QuarantineVersion(version=version, reason=reason):
                self._store.place_quarantine(
                    Quarantine(
                        repository,
                        promotion.model,
                        promotion.environment,
                        version,
                        reason,
                        now,
                        promotion.pull,
                    )
                )
            case effects.LiftQuarantine(version=version, owner=owner, reason=reason):
                self._store.lift_quarantine(
                    repository,
                    promotion.model,
                    promotion.environment,
                    version,
                    by=owner,
                    reason=reason,
                    at=now,
                )

    def settle(self, promotion: Promotion) -> tuple[AliasDue | TagDue, ...]:
        """Tell the registry what it must still learn; returns what is left. Raises Unavailable."""
        registry = self._outside.registry
        for due in promotion.due:
            try:
                match due:
                    case AliasDue(alias=alias, version=version):
                        registry.set_alias(promotion.model, alias, version)
                    case TagDue(version=version, key=key, value=value):
                        registry.tag(promotion.model, version, key, value)
            except Refused as refused:
                # A right that is missing is not repaired by asking again; Git goes on without it.
                logger.warning("promotion %s: the registry refused %s: %s", promotion.id, due, refused)
        return ()


def _scope(promotion: Promotion, *, everything: bool) -> tuple[str | None, str | None]:
    return (None, None) if everything else (promotion.model, promotion.environment)
