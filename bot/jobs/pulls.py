"""Pull requests of a promotion: opened, merged, closed. Each is find-or-create or says why it cannot be."""

import logging
from dataclasses import replace

from bot.domain import effects
from bot.domain.branches import bump_branch, own_branch, place_branch, revert_branch, step_branch
from bot.domain.policy import Policy
from bot.domain.promotion import Promotion, Stage
from bot.jobs.answer import Answerer
from bot.jobs.judge import Judge
from bot.jobs.observe import Observation
from bot.jobs.outside import Outside
from bot.jobs.plan import Planner, RevertPlan, StepPlan
from bot.messages import bump, replies, revert, step
from bot.ports import Conflict, OutsideError, Proposal, Refused

logger = logging.getLogger(__name__)


class Pulls:
    """Changes Git, for one promotion at a time."""

    def __init__(self, outside: Outside, planner: Planner, judge: Judge, answerer: Answerer) -> None:
        self._outside = outside
        self._store = outside.store
        self._planner = planner
        self._judge = judge
        self._answerer = answerer

    def change(
        self,
        effect: effects.OpenBump | effects.OpenStep | effects.OpenRevert | effects.MergePull,
        promotion: Promotion,
        seen: Observation,
    ) -> effects.Outcome:
        match effect:
            case effects.OpenBump():
                return self._open_bump(effect, promotion, seen)
            case effects.OpenStep(weight=weight):
                return self._open_step(weight, promotion, seen)
            case effects.OpenRevert():
                return self._open_revert(promotion, seen)
            case effects.MergePull():
                return self._merge(effect, promotion, seen)

    def give_way(
        self,
        effect: effects.ClosePull | effects.AbandonBump | effects.TellSuperseded,
        promotion: Promotion,
        seen: Observation,
    ) -> None:
        match effect:
            case effects.ClosePull(number=number, branch=branch):
                seen.forge.close(number)
                seen.forge.delete_branch(branch)
            case effects.AbandonBump():
                self._close_forgotten(promotion, seen, keep=None)
            case effects.TellSuperseded(number=number, newer=newer, updated=updated):
                text = (replies.updated if updated else replies.superseded)(newer, promotion.environment)
                marker = replies.marker("superseded", promotion.id)
                seen.forge.upsert_comment(number, marker, f"{marker}\n{text}")

    def _open_bump(
        self, effect: effects.OpenBump, promotion: Promotion, seen: Observation
    ) -> effects.BumpOpened:
        plan = effect.plan
        opened = replace(
            promotion,
            changes=plan.changes,
            baseline=plan.baseline,
            image=plan.image,
            steps=plan.steps,
            head_sha=None,
        )
        comparison = self._judge.comparison(opened, seen.situation.policy)
        assert seen.place is not None, "only what is configured is opened"
        gates = self._judge.gates(opened, seen.place, seen.forge, None, self._outside.clock.now())
        branch = bump_branch(promotion, seen.situation.policy)
        self._close_forgotten(promotion, seen, keep=branch)
        pull = seen.forge.propose(
            Proposal(
                branch=branch,
                base_sha=plan.base_sha,
                edits=plan.edits,
                commit_message=bump.commit_message(opened),
                title=bump.title(opened),
                body=bump.body(opened, comparison, gates),
                labels=("slipway", f"environment:{promotion.environment}"),
                reviewers=seen.environment.reviewers if seen.environment is not None else (),
                assignees=seen.environment.assignees if seen.environment is not None else (),
            )
        )
        return effects.BumpOpened(pull, plan)

    def _close_forgotten(self, promotion: Promotion, seen: Observation, *, keep: str | None) -> None:
        """Close every pull request for this place that no row calls open: there is one open bump, or none.

        A process may have been killed before it remembered one, or a newer candidate could not go on in one.
        """
        here = (promotion.repository, promotion.model, promotion.environment)
        others = [row for row in self._store.of_place(*here) if row.id != promotion.id]
        kept = {keep, *(row.branch for row in others if row.stage is Stage.OPEN)}
        if any(row.stage is Stage.WAITING and row.ready for row in others):
            kept.add(place_branch(promotion))  # the next to open may go on in it
        branches = {place_branch(promotion), *map(own_branch, (promotion, *others))} - kept
        for pull in seen.forge.open_pulls():
            if pull.branch in branches and pull.is_from(promotion.repository):
                logger.info("promotion %s: #%s was left behind and is closed", promotion.id, pull.number)
                seen.forge.close(pull.number)
                seen.forge.delete_branch(pull.branch)

    def _merge(
        self, effect: effects.MergePull, promotion: Promotion, seen: Observation
    ) -> effects.Merged | effects.MergeRefused:
        about, message, branch = _merging(effect, promotion, seen.situation.policy)
        title = f"{about} (#{effect.number})"
        try:
            sha = seen.forge.merge(effect.number, sha=effect.sha, title=title, message=message)
        except Conflict:
            if effect.weight is not None:
                reason = "the head moved between the decision and the merge, and nothing was merged."
                return effects.MergeRefused(reason, head_moved=True, weight=effect.weight)
            reason = (
                "The head moved between the decision and the merge: nothing was merged, and it is disarmed."
            )
            self._answerer.follow_up(promotion, seen, reason)
            return effects.MergeRefused(reason, head_moved=True, revert=effect.revert)
        except Refused as refused:
            reason = f"Not merged: {refused.message}"
            if effect.weight is None:
                self._answerer.follow_up(promotion, seen, f"{reason}\n\nIt stays armed and is tried again.")
            return effects.MergeRefused(reason, revert=effect.revert, weight=effect.weight)
        if not effect.revert and effect.weight is None:
            self._answerer.follow_up(promotion, seen, f"Merged as {sha}.")
        try:
            seen.forge.delete_branch(branch)
        except OutsideError as trouble:
            logger.info("promotion %s: its branch stays: %s", promotion.id, trouble)
        return effects.Merged(sha, revert=effect.revert, weight=effect.weight)

    def _open_step(
        self, weight: int, promotion: Promotion, seen: Observation
    ) -> effects.StepOpened | effects.StepMade | effects.StepImpossible:
        plan = self._planner.step(promotion, seen.forge, seen.model, seen.environment, weight)
        if not isinstance(plan, StepPlan):
            return plan
        pull = seen.forge.propose(
            Proposal(
                branch=step_branch(promotion, weight),
                base_sha=plan.base_sha,
                edits=plan.edits,
                commit_message=step.commit_message(promotion, weight),
                title=step.title(promotion, weight),
                body=step.body(promotion, weight, plan.changes),
                labels=("slipway", "slipway:traffic", f"environment:{promotion.environment}"),
            )
        )
        return effects.StepOpened(pull, weight, plan.changes)

    def _open_revert(
        self, promotion: Promotion, seen: Observation
    ) -> effects.RevertOpened | effects.NothingToRevert | effects.RevertImpossible:
        plan = self._planner.revert(promotion, seen.forge, seen.environment)
        if not isinstance(plan, RevertPlan):
            return plan
        pull = seen.forge.propose(
            Proposal(
                branch=revert_branch(promotion),
                base_sha=plan.base_sha,
                edits=plan.edits,
                commit_message=revert.commit_message(promotion),
                title=revert.title(promotion),
                body=revert.body(promotion, quarantined=seen.situation.quarantine is not None),
                labels=("slipway", "slipway:revert", f"environment:{promotion.environment}"),
                reviewers=_reviewers_of_revert(seen),
                assignees=seen.environment.assignees if seen.environment is not None else (),
            )
        )
        return effects.RevertOpened(pull)


def _reviewers_of_revert(seen: Observation) -> tuple[str, ...]:
    """A revert that Slipway merges by itself needs nobody's eyes; one that waits for a person does."""
    waits = seen.situation.policy.revert != "merge"
    return seen.environment.reviewers if waits and seen.environment is not None else ()


def _merging(effect: effects.MergePull, promotion: Promotion, policy: Policy) -> tuple[str, str, str]:
    """Title, message and branch of what is merged."""
    if effect.weight is not None:
        weight = effect.weight
        said = step.commit_message(promotion, weight)
        return step.title(promotion, weight), said, step_branch(promotion, weight)
    if effect.revert:
        return revert.title(promotion), revert.commit_message(promotion), revert_branch(promotion)
    said = bump.merge_message(promotion, promotion.armed_by)
    return bump.title(promotion), said, bump_branch(promotion, policy)
