"""What becomes of a promotion when a person gives a command: one answer each, whatever the stage."""

from dataclasses import replace
from datetime import datetime

from bot.domain import commands, effects
from bot.domain.effects import Effect
from bot.domain.gates import blocking
from bot.domain.moves import Step, closed, enter, passed, revert
from bot.domain.promotion import Promotion, Stage
from bot.domain.pull import PullState
from bot.domain.situation import BumpPlan, NoPlan, Request, Situation
from bot.domain.spans import spoken

_MERGED_STAGES = frozenset({Stage.SYNCING, Stage.WATCHING, Stage.PASSED, Stage.HELD})


def obey(promotion: Promotion, situation: Situation, request: Request, now: datetime) -> Step:
    if isinstance(request.command, commands.Rerun):
        return _rerun(promotion, situation, request, now)
    if request.denied is not None:
        return _answer(promotion, request, effects.Tone.NO, request.denied)
    match request.command:
        case commands.Promote(override=override):
            return _promote(promotion, situation, request, override)
        case commands.Rollback(reason=reason):
            return _rollback(promotion, situation, request, reason, now)
        case commands.PutOnHold(everything=everything, reason=reason):
            return _hold(promotion, request, reason, everything=everything)
        case commands.Release() as release:
            return _release(promotion, situation, request, release)
        case commands.Retry():
            return _retry(promotion, situation, request, now)
        case commands.PassCanary() | commands.FailCanary() | commands.ExtendCanary():
            return _canary(promotion, situation, request, now)
        case commands.ShowStatus() | commands.Explain() | commands.ShowHelp() as asked:
            return Step(promotion, (effects.Answer(request.id, effects.Tone.YES, "", asked.word),))


def _promote(promotion: Promotion, situation: Situation, request: Request, override: str | None) -> Step:
    tone = effects.Tone
    match promotion.stage:
        case Stage.OPEN:
            armed = replace(promotion, armed_by=request.author, armed_request=request.id, override=override)
            in_the_way = blocking(situation.gates)
            if override is not None:
                return _answer(armed, request, tone.YES, f"Armed, with an override: {override}")
            if not in_the_way:
                return _answer(armed, request, tone.YES, "All gates hold: merging.")
            lines = "\n".join(f"`{gate.id}`: {gate.reason}" for gate in in_the_way)
            text = (
                f"Armed. It merges as soon as these gates hold; `/hold` or `/rollback` disarms it.\n\n{lines}"
            )
            return _answer(armed, request, tone.YES, text)
        case Stage.PASSED if situation.next_environments:
            text = f"Opening the bump for {' and '.join(situation.next_environments)}."
            following = (effects.ProposeNext(name, request.author) for name in situation.next_environments)
            return _answer(promotion, request, tone.YES, text, *following)
        case Stage.PASSED:
            text = f"{promotion.environment} is the last environment; there is nothing further to promote to."
            return _answer(promotion, request, tone.NO, text)
        case Stage.REVERTING if request.via_revert:
            armed = replace(promotion, revert_armed_by=request.author)
            return _answer(armed, request, tone.YES, "Merging the revert.")
        case Stage.WAITING:
            return _answer(promotion, request, tone.NO, f"There is no pull request yet: {promotion.reason}")
        case _:
            text = f"Nothing to promote: this promotion is {promotion.stage.value}. {promotion.reason}"
            return _answer(promotion, request, tone.NO, text)


def _rollback(
    promotion: Promotion, situation: Situation, request: Request, reason: str, now: datetime
) -> Step:
    why = reason or "no reason given"
    if promotion.stage in (Stage.WAITING, Stage.OPEN):
        close = (
            (effects.ClosePull(situation.pull.number, situation.pull.branch),)
            if situation.pull is not None and situation.pull.state is PullState.OPEN
            else ()
        )
        if situation.pull is not None and situation.pull.state is PullState.MERGED:
            merged = replace(
                promotion, merge_sha=situation.pull.merge_sha, merged_at=situation.pull.merged_at or now
            )
            return _rollback(enter(merged, Stage.SYNCING, "Merged.", now), situation, request, reason, now)
        left = closed(promotion, f"Rolled back by {request.author}: {why}", now, *close)
        answer = effects.Answer(request.id, effects.Tone.YES, "Closed; nothing was merged.")
        return Step(left.promotion, (answer, *left.effects))
    if promotion.stage in _MERGED_STAGES:
        if situation.overtaken is not None:
            text = (
                f"Not rolled back: version {situation.overtaken} was merged after it. Roll that back first."
            )
            return _answer(promotion, request, effects.Tone.NO, text)
        step = revert(
            promotion,
            f"/rollback by {request.author}: {why}",
            request.author,
            situation,
            now,
            quarantine=False,
        )
        answer = effects.Answer(request.id, effects.Tone.YES, "Rolling back: the revert is being opened.")
        return Step(step.promotion, (answer, *step.effects))
    text = f"Nothing to roll back: this promotion is {promotion.stage.value}. {promotion.reason}"
    return _answer(promotion, request, effects.Tone.NO, text)


def _hold(promotion: Promotion, request: Request, reason: str, *, everything: bool) -> Step:
    hold = effects.PlaceHold(request.author, reason or "no reason given", everything)
    disarmed = replace(promotion, armed_by=None, override=None)
    scope = "everything in this repository" if everything else _place(promotion)
    return _answer(disarmed, request, effects.Tone.YES, f"On hold: {scope}. `/release` lifts it.", hold)


def _release(promotion: Promotion, situation: Situation, request: Request, release: commands.Release) -> Step:
    """Lift the nearest hold: this place's, else that on everything, which takes the right to place one."""
    if release.quarantine:
        return _release_quarantine(promotion, situation, request, release.reason)
    tone = effects.Tone
    everything = any(hold.model is None for hold in situation.holds)
    if any(hold.model is not None for hold in situation.holds):
        text = f"Released: {_place(promotion)}."
        if everything:
            text += " Everything is still on hold; another `/release` lifts that."
        return _answer(promotion, request, tone.YES, text, effects.ReleaseHold(request.author))
    if not everything:
        return _answer(promotion, request, tone.NO, f"There is no hold on {_place(promotion)}.")
    if request.not_everything is not None:
        text = f"Everything in this repository is on hold, and that stays: {request.not_everything}."
        return _answer(promotion, request, tone.NO, text)
    lifted = effects.ReleaseHold(request.author, everything=True)
    return _answer(promotion, request, tone.YES, "Released: everything in this repository.", lifted)


def _release_quarantine(promotion: Promotion, situation: Situation, request: Request, reason: str) -> Step:
    """Let the version be proposed here again; the hold that its failure left goes with it."""
    version, place = f"Version {promotion.candidate}", promotion.environment
    if situation.quarantine is None:
        text = f"{version} is not quarantined in {place}."
        return _answer(promotion, request, effects.Tone.NO, text)
    if not reason:
        text = "Say why: `/release --quarantine` and a reason."
        return _answer(promotion, request, effects.Tone.NO, text)
    wanted: list[Effect] = [effects.LiftQuarantine(promotion.candidate, request.author, reason)]
    if any(hold.model is not None for hold in situation.holds):
        wanted.append(effects.ReleaseHold(request.author))
    text = f"{version} may be proposed in {place} again."
    return _answer(promotion, request, effects.Tone.YES, text, *wanted)


def _retry(promotion: Promotion, situation: Situation, request: Request, now: datetime) -> Step:
    tone = effects.Tone
    if promotion.stage is Stage.HELD:
        # A step that somebody closed is opened again.
        kept = None if promotion.open_step else promotion.step
        anew = replace(promotion, verdict=None, live_at=None, step=kept, checks=())
        if promotion.revert_reason is not None:
            back = enter(
                replace(anew, revert_pull=None, revert_head_sha=None), Stage.REVERTING, "Trying again.", now
            )
            return _answer(back, request, tone.YES, "Opening the revert again.")
        again = enter(anew, Stage.SYNCING, f"Tried again by {request.author}.", now)
        return _answer(again, request, tone.YES, "Watching it again from the start.", effects.ForgetCanary())
    if promotion.stage is Stage.OPEN and isinstance(situation.plan, BumpPlan):
        rebuilt = effects.OpenBump(situation.plan)
        return _answer(
            promotion, request, tone.YES, "The bump is made anew on today's default branch.", rebuilt
        )
    if isinstance(situation.plan, NoPlan) and situation.plan.build is not None:
        text = f"The image {situation.plan.build.image} is built now."
        return _answer(promotion, request, tone.YES, text)
    if promotion.stage in (Stage.WAITING, Stage.OPEN, Stage.SYNCING, Stage.WATCHING, Stage.REVERTING):
        return _answer(promotion, request, tone.YES, f"Looked again. {promotion.reason}")
    text = f"Nothing to retry: this promotion is {promotion.stage.value}."
    return _answer(promotion, request, tone.NO, text)


def _rerun(promotion: Promotion, situation: Situation, request: Request, now: datetime) -> Step:
    """Show the check anew, whoever pressed: GitHub waits for it.

    Gates are looked at in any case. A watch that ended without a verdict begins anew; a verdict that was
    acted upon stays.
    """
    promotion = replace(promotion, checked=None)
    if request.denied is not None:
        return _answer(promotion, request, effects.Tone.NO, request.denied)
    if request.command != commands.Rerun("canary"):
        return Step(promotion)
    if promotion.stage is Stage.HELD and promotion.revert_reason is None:
        return _retry(promotion, situation, request, now)
    if promotion.stage in (Stage.SYNCING, Stage.WATCHING):
        return _answer(promotion, request, effects.Tone.YES, f"It is under way. {promotion.reason}")
    text = f"The watch is over and stays so: this promotion is {promotion.stage.value}. {promotion.reason}"
    return _answer(promotion, request, effects.Tone.NO, text)


def _canary(promotion: Promotion, situation: Situation, request: Request, now: datetime) -> Step:
    tone = effects.Tone
    judgeable = promotion.stage in (Stage.WATCHING, Stage.HELD) and promotion.merge_sha is not None
    if not judgeable or promotion.revert_reason is not None:
        text = f"There is no canary to decide: this promotion is {promotion.stage.value}."
        return _answer(promotion, request, tone.NO, text)
    match request.command:
        case commands.PassCanary() if promotion.next_weight is not None:
            vouched = replace(promotion, vouched_by=request.author)
            reason = f"Passed at {promotion.weight}% by {request.author}."
            step = Step(enter(vouched, Stage.WATCHING, reason, now), wake_at=now)
            waits = " as soon as `/release` ends the hold" if situation.holds else ""
            text = f"Passed at {promotion.weight}% on your word: {promotion.next_weight}% follows{waits}."
            answer = effects.Answer(request.id, tone.YES, text)
        case commands.PassCanary():
            step = passed(promotion, f"Passed by {request.author}.", situation, now)
            answer = effects.Answer(request.id, tone.YES, "Passed on your word.")
        case commands.FailCanary():
            step = revert(
                promotion, f"Failed by {request.author}.", request.author, situation, now, quarantine=True
            )
            answer = effects.Answer(request.id, tone.YES, "Failed on your word: reverting.")
        case commands.ExtendCanary(by=duration):
            if promotion.stage is not Stage.WATCHING:
                return _answer(promotion, request, tone.NO, "The watch is over; `/retry` begins a new one.")
            longer = replace(promotion, watch_extra=promotion.watch_extra + duration.total_seconds())
            return _answer(longer, request, tone.YES, f"Watching {spoken(duration)} longer.")
        case _:
            raise AssertionError(request.command)
    return Step(step.promotion, (answer, *step.effects))


def _answer(promotion: Promotion, request: Request, tone: str, text: str, *wanted: Effect) -> Step:
    return Step(promotion, (effects.Answer(request.id, tone, text), *wanted))


def _place(promotion: Promotion) -> str:
    return f"{promotion.model} in {promotion.environment}"
