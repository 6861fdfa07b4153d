"""The ways from stage to stage that steps of their own and requests of people share.

See the table at the top of `bot.domain.decide`; nobody else changes a promotion's stage.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import effects
from bot.domain.branches import step_branch
from bot.domain.effects import Effect
from bot.domain.promotion import AliasDue, Promotion, Stage, TagDue
from bot.domain.situation import Situation

BOT = "slipway"


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a decision: what the promotion becomes, and what to do about it."""

    promotion: Promotion
    effects: tuple[Effect, ...] = ()
    wake_at: datetime | None = None


def enter(promotion: Promotion, stage: Stage, reason: str, now: datetime) -> Promotion:
    return replace(promotion, stage=stage, stage_since=now, reason=reason, failures=0)


def closed(promotion: Promotion, reason: str, now: datetime, *wanted: Effect) -> Step:
    if promotion.stage is Stage.WAITING:
        wanted = (*wanted, effects.AbandonBump())
    return Step(enter(replace(promotion, armed_by=None, override=None), Stage.CLOSED, reason, now), wanted)


def held(promotion: Promotion, reason: str, now: datetime, *wanted: Effect) -> Step:
    return Step(enter(promotion, Stage.HELD, reason, now), (*wanted, effects.PlaceHold(BOT, reason)))


def passed(promotion: Promotion, reason: str, situation: Situation, now: datetime) -> Step:
    due: list[AliasDue | TagDue] = []
    if situation.environment is not None and situation.environment.alias:
        due.append(AliasDue(situation.environment.alias, promotion.candidate))
    due.append(tag_due(promotion, "verdict", "passed"))
    if promotion.merge_sha:
        due.append(tag_due(promotion, "commit", promotion.merge_sha))
    if promotion.pull:
        due.append(tag_due(promotion, "pull_request", str(promotion.pull)))
    automatic = situation.next_environments if situation.policy.promote == "automatic" else ()
    following = tuple(effects.ProposeNext(name, BOT) for name in automatic)
    # From here on the candidate is all there is: a rollback has no baseline beside it to send traffic to.
    done = replace(promotion, due=tuple(due), weight=None)
    return Step(enter(done, Stage.PASSED, reason, now), following)


def closing_step(promotion: Promotion) -> tuple[Effect, ...]:
    """Closes the traffic step that is open, if there is one."""
    step = promotion.open_step
    return (effects.ClosePull(step.pull, step_branch(promotion, step.weight)),) if step is not None else ()


def revert(
    promotion: Promotion, reason: str, who: str, situation: Situation, now: datetime, *, quarantine: bool
) -> Step:
    hold = effects.PlaceHold(who, f"Version {promotion.candidate} was reverted: {reason}")
    stop = (hold, effects.QuarantineVersion(promotion.candidate, reason)) if quarantine else (hold,)
    due: list[AliasDue | TagDue] = [tag_due(promotion, "verdict", "failed" if quarantine else "rolled back")]
    if situation.environment is not None and situation.environment.alias and promotion.baseline:
        due.append(AliasDue(situation.environment.alias, promotion.baseline))
    close = closing_step(promotion)
    leaving = replace(promotion, revert_reason=reason, reverted_by=who, due=tuple(due))
    leaving = replace(leaving, step=None) if close else leaving
    return Step(enter(leaving, Stage.REVERTING, reason, now), (*stop, *close), wake_at=now)


def tag_due(promotion: Promotion, key: str, value: str) -> TagDue:
    return TagDue(promotion.candidate, f"slipway.{promotion.environment}.{key}", value)
