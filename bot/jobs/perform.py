"""Effects made real. Each is find-or-create or last-write-wins, so that a repeat changes nothing."""

import logging

from bot.domain import effects
from bot.domain.hold import Hold, Quarantine
from bot.domain.promotion import AliasDue, Promotion, TagDue
from bot.jobs.observe import Observation
from bot.jobs.outside import Outside
from bot.jobs.plan import Planner, RevertPlan
from bot.jobs.propose import Proposer
from bot.messages import bump, replies, revert
from bot.ports import Conflict, NotFound, OutsideError, Proposal, Refused

logger = logging.getLogger(__name__)


class Performer:
    """Performs effects for one promotion at a time."""

    def __init__(self, outside: Outside, planner: Planner, proposer: Proposer) -> None:
        self._outside = outside
        self._store = outside.store
        self._planner = planner
        self._proposer = proposer

    def perform(
        self, effect: effects.Effect, promotion: Promotion, seen: Observation
    ) -> effects.Outcome | None:
        """Do it, and tell what became of it where the next decision needs to know."""
        match effect:
            case effects.OpenBump():
                return self._open_bump(effect, promotion, seen)
            case effects.MergePull():
                return self._merge(effect, promotion, seen)
            case effects.OpenRevert():
                return self._open_revert(promotion, seen)
            case effects.ClosePull(number=number, branch=branch):
                seen.forge.close(number)
                seen.forge.delete_branch(branch)
            case effects.Answer():
                self._answer(effect, promotion, seen)
            case effects.ProposeNext(environment=environment, requested_by=by):
                self._proposer.begin(
                    promotion.repository, promotion.model, environment, promotion.candidate, by
                )
            case effects.ForgetCanary():
                self._store.forget_watch(promotion.id)
            case _:
                self._guard(effect, promotion)
        return None

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
                    repository, promotion.model, promotion.environment, version, owner, reason, now
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

    # -- pull requests -----------------------------------------------------------------------------

    def _open_bump(
        self, effect: effects.OpenBump, promotion: Promotion, seen: Observation
    ) -> effects.BumpOpened:
        baseline = effect.baseline
        text = bump.render(promotion, seen.comparison(promotion.candidate, baseline), effect.changes)
        pull = seen.forge.propose(
            Proposal(
                branch=bump_branch(promotion),
                base_sha=effect.base_sha,
                edits=effect.edits,
                commit_message=text.commit_message,
                title=text.title,
                body=text.body,
                labels=("slipway", f"environment:{promotion.environment}"),
            )
        )
        return effects.BumpOpened(pull, effect.changes, baseline)

    def _merge(
        self, effect: effects.MergePull, promotion: Promotion, seen: Observation
    ) -> effects.Merged | effects.MergeRefused:
        verb = "Revert" if effect.revert else "Promote"
        title = (
            f"{verb} {promotion.model} {promotion.candidate} in {promotion.environment} (#{effect.number})"
        )
        message = (
            promotion.revert_reason or promotion.reason if effect.revert else f"Promotion {promotion.id}"
        )
        try:
            sha = seen.forge.merge(effect.number, sha=effect.sha, title=title, message=message)
        except Conflict:
            reason = "The head moved between the decision and the merge: nothing was merged."
            return effects.MergeRefused(reason, head_moved=True, revert=effect.revert)
        except Refused as refused:
            return effects.MergeRefused(f"Not merged: {refused.message}", revert=effect.revert)
        try:
            seen.forge.delete_branch(revert_branch(promotion) if effect.revert else bump_branch(promotion))
        except OutsideError as trouble:
            logger.info("promotion %s: its branch stays: %s", promotion.id, trouble)
        return effects.Merged(sha, revert=effect.revert)

    def _open_revert(
        self, promotion: Promotion, seen: Observation
    ) -> effects.RevertOpened | effects.NothingToRevert | effects.RevertImpossible:
        plan = self._planner.revert(promotion, seen)
        if not isinstance(plan, RevertPlan):
            return plan
        text = revert.render(promotion)
        pull = seen.forge.propose(
            Proposal(
                branch=revert_branch(promotion),
                base_sha=plan.base_sha,
                edits=plan.edits,
                commit_message=text.commit_message,
                title=text.title,
                body=text.body,
                labels=("slipway", "slipway:revert", f"environment:{promotion.environment}"),
            )
        )
        return effects.RevertOpened(pull)

    # -- answers -----------------------------------------------------------------------------------

    def _answer(self, effect: effects.Answer, promotion: Promotion, seen: Observation) -> None:
        request = self._store.request(effect.request)
        if request is None:
            return
        text = effect.text or seen.answer(effect.topic, promotion, request.author)
        marker = replies.marker("answer", f"{request.comment}-{request.ordinal}")
        seen.forge.upsert_comment(request.pull, marker, replies.answer(request.author, request.text, text))
        if request.comment > 0:
            try:
                seen.forge.react(request.comment, effect.reaction)
            except (NotFound, Refused) as refused:
                logger.info("no reaction on comment %s: %s", request.comment, refused)


def bump_branch(promotion: Promotion) -> str:
    """One branch a promotion, so that its pull request is found again after a crash."""
    return f"slipway/{promotion.id}/bump"


def revert_branch(promotion: Promotion) -> str:
    return f"slipway/{promotion.id}/revert"


def _scope(promotion: Promotion, *, everything: bool) -> tuple[str | None, str | None]:
    return (None, None) if everything else (promotion.model, promotion.environment)
