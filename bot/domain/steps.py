"""Progressive traffic: from one share to the next, and back to 0. Part of `bot.domain.decide`.

Each step is a pull request with one commit of Slipway's, merged by Slipway, so that branch protection
holds for it as for every other change. A step is opened when the candidate passed at the share that it
has. Until it is merged the watch goes on: a candidate that fails while a step waits (for a hold, a freeze
or the branch protection) is taken back like any other.

On the way back the traffic goes first: one pull request sets the share to 0, and once that is live the
revert follows. It is a shortcut for the requests that are failing now. Where it cannot be taken the
revert alone restores both, pins and shares.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import effects
from bot.domain.live import Liveness, LiveState
from bot.domain.moves import Step, closing_step, enter, held
from bot.domain.promotion import PinChange, Promotion, Stage, TrafficStep
from bot.domain.pull import PullState
from bot.domain.situation import Situation

RECHECK = timedelta(minutes=1)
BACK_WITHIN = timedelta(minutes=2)
"""How long a revert waits for the share of 0 to be live."""


def is_live(promotion: Promotion, live: Liveness) -> bool:
    """Whether its newest commit is live; a rollout that rests at a share is where the step wants it."""
    resting = live.paused and promotion.weight is not None
    return live.state is LiveState.LIVE or resting


def settled(promotion: Promotion, situation: Situation, now: datetime) -> Promotion:
    """With a step that was merged, by us or by a person, since the last look."""
    pull, step = situation.step, promotion.open_step
    if step is None or pull is None or pull.state is not PullState.MERGED:
        return promotion
    return reached(promotion, replace(step, merge_sha=pull.merge_sha or pull.head_sha), now)


def reached(promotion: Promotion, step: TrafficStep, now: datetime) -> Promotion:
    """The default branch gives the candidate the share of this step."""
    changes = _together(promotion.changes, step.changes)
    moved = replace(promotion, weight=step.weight, step=step, changes=changes, vouched_by=None)
    if promotion.stage not in (Stage.WATCHING, Stage.HELD):
        return moved
    reason = f"Passed at {promotion.weight}%. {step.weight}% is merged; waiting until it is live."
    return enter(moved, Stage.SYNCING, reason, now)


def _together(before: Iterable[PinChange], after: Iterable[PinChange]) -> tuple[PinChange, ...]:
    """What was pinned before the bump and what is pinned now, whatever was pinned between."""
    changes = {change.target: change for change in before}
    for change in after:
        old = changes[change.target].old if change.target in changes else change.old
        changes[change.target] = replace(change, old=old)
    return tuple(changes[target] for target in sorted(changes))


def forward(promotion: Promotion, weight: int, situation: Situation, now: datetime) -> Step:
    """The candidate passed at the share that it has: open the next step, and merge it."""
    passed = f"Passed at {promotion.weight}%"
    again = now + situation.policy.canary.interval
    step, pull = promotion.open_step, situation.step
    if step is not None and step.weight == weight and pull is not None and pull.state is PullState.CLOSED:
        by = f" by {pull.closed_by}" if pull.closed_by else ""
        return held(promotion, f"{passed}; the step to {weight}% was closed{by}.", now)
    if situation.holds:
        hold = situation.holds[0]
        reason = f"{passed}; {weight}% waits, and the watch goes on: on hold by {hold.owner}: {hold.reason}"
        return Step(replace(promotion, reason=reason), wake_at=again)
    if situation.frozen is not None:
        reason = f"{passed}; {weight}% waits, and the watch goes on: {situation.frozen}"
        return Step(replace(promotion, reason=reason), wake_at=again)
    if step is None or step.weight != weight:
        reason = f"{passed}; opening the step to {weight}%."
        return Step(replace(promotion, reason=reason), (effects.OpenStep(weight),), wake_at=again)
    if pull is None:
        return Step(promotion, wake_at=again)
    if pull.head_sha != step.head_sha:
        reason = f"{passed}; the branch of the step to {weight}% holds other commits: a person must merge it."
        return Step(replace(promotion, reason=reason), wake_at=again)
    if pull.mergeable is False:
        reason = f"{passed}; the default branch moved, so the step to {weight}% is made anew."
        return Step(replace(promotion, reason=reason), (effects.OpenStep(weight),), wake_at=again)
    reason = f"{passed}; merging {weight}%."
    merge = effects.MergePull(pull.number, step.head_sha, weight=weight)
    return Step(replace(promotion, reason=reason), (merge,), wake_at=again)


def back(promotion: Promotion, situation: Situation, now: datetime) -> Step | None:
    """Take all traffic from the candidate before its revert; None where that is done or is not the way."""
    if promotion.weight is None and promotion.open_step is not None:
        return Step(replace(promotion, step=None), closing_step(promotion), wake_at=now)
    if not promotion.weight or promotion.revert_pull is not None or situation.policy.revert != "merge":
        return None
    step, pull = promotion.open_step, situation.step
    if step is None or step.weight != 0:
        return Step(promotion, (*closing_step(promotion), effects.OpenStep(0)), wake_at=now + RECHECK)
    if pull is None:
        return Step(promotion, wake_at=now + RECHECK)
    if pull.state is PullState.CLOSED or pull.head_sha != step.head_sha or pull.mergeable is False:
        given_up = replace(promotion, weight=None, step=None)
        return Step(given_up, closing_step(promotion), wake_at=now)
    return Step(promotion, (effects.MergePull(pull.number, step.head_sha, weight=0),), wake_at=now + RECHECK)


def awaits_zero(promotion: Promotion, situation: Situation, now: datetime) -> bool:
    """Whether the revert should wait a moment: once the share of 0 is live, nobody reaches the candidate."""
    if promotion.weight != 0 or now >= promotion.stage_since + BACK_WITHIN:
        return False
    return situation.liveness is None or not is_live(promotion, situation.liveness)


def absorbed(promotion: Promotion, outcome: effects.Outcome, now: datetime) -> Promotion | None:
    """What a performed step makes of the promotion; None for an outcome that is about no step."""
    match outcome:
        case effects.StepOpened(pull=pull, weight=weight, changes=changes):
            return replace(promotion, step=TrafficStep(weight, pull.number, pull.head_sha, changes))
        case effects.StepMade(sha=sha, weight=weight, changes=changes):
            made = TrafficStep(weight, promotion.pull or 0, sha, changes, merge_sha=sha)
            return reached(promotion, made, now)
        case effects.Merged(sha=sha, weight=int()) if promotion.step is not None:
            return reached(promotion, replace(promotion.step, merge_sha=sha), now)
        # On the way back nothing is waited for: the revert alone restores pins and shares.
        case effects.StepImpossible(weight=0, reason=reason) | effects.MergeRefused(weight=0, reason=reason):
            return replace(promotion, weight=None, reason=reason)
        case effects.StepImpossible(weight=weight, reason=reason):
            sentence = f"Passed at {promotion.weight}%; {weight}% cannot be written: {reason}"
            return enter(promotion, Stage.HELD, sentence, now)
        case effects.MergeRefused(weight=int() as weight, reason=reason):
            sentence = f"Passed at {promotion.weight}%. The step to {weight}% waits: {reason}"
            return replace(promotion, reason=sentence)
        case _:
            return None
