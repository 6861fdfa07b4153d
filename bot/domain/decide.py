"""Everything that may change a promotion's stage; nothing elsewhere does.

Rules:

1. Values in, values out: no I/O, no clock. The same promotion, situation and time give the same decision.
2. Level-triggered: a decision looks at what is, not at what happened. An event only wakes.
3. Requests of people are obeyed first, in their order, each exactly once; then the stage's own step.
4. What cannot be undone (merge, revert) is asked for as an effect, and the stage moves when its
   outcome, or the world, shows that it happened.

| stage     | moves to  | when                                                                        |
|-----------|-----------|-----------------------------------------------------------------------------|
| waiting   | open      | the bump can be made: no hold, no older bump in the way, the image is there |
|           | closed    | quarantined, superseded, pinned already, no longer configured, gave up      |
| open      | syncing   | merged, by us (armed or automatic, gates hold) or by a person               |
|           | closed    | closed by a person, `/rollback`, superseded                                 |
| syncing   | watching  | the cluster says that the merge commit or a later one is live and healthy   |
|           | passed    | same, and there is nothing to watch                                         |
|           | held      | not live within the policy's time                                           |
| watching  | passed    | verdict passed, or `/canary pass`                                           |
|           | reverting | verdict failed, or `/canary fail`                                           |
|           | held      | inconclusive, no data, source down; or failed where the policy only reports |
| held      | syncing   | `/retry`                                                                    |
|           | passed    | `/canary pass`                                                              |
|           | closed    | overtaken: a later version was merged there before this one was judged      |
| any merged| reverting | `/rollback`                                                                 |
| reverting | reverted  | the revert commit or a later one is live, or pinned already                 |
|           | held      | a person closed the revert, or the pins are no longer the candidate's       |
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import commands, effects
from bot.domain.effects import Effect
from bot.domain.gates import blocking
from bot.domain.live import LiveState
from bot.domain.promotion import AliasDue, Promotion, Stage, TagDue
from bot.domain.pull import PullState
from bot.domain.situation import BumpPlan, NoPlan, Request, Situation
from bot.domain.verdict import Outcome

BOT = "slipway"

SYNC_POLL = timedelta(seconds=3)
"""Between two looks at Argo CD while a merge is on its way."""

RECHECK = timedelta(minutes=1)
"""Between two looks at what no event announces: an image that is not built yet, a gate bound to time."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the promotion becomes, what to do about it, and when to look again without being woken."""

    promotion: Promotion
    effects: tuple[Effect, ...] = ()
    wake_at: datetime | None = None
    answered: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    promotion: Promotion
    effects: tuple[Effect, ...] = ()
    wake_at: datetime | None = None


def decide(promotion: Promotion, situation: Situation, now: datetime) -> Decision:
    """Decide what happens next; see the table at the top of this module."""
    wanted: list[Effect] = []
    for request in situation.requests:
        obeyed = _obey(promotion, situation, request, now)
        promotion = obeyed.promotion
        wanted += obeyed.effects
    step = _STEPS[promotion.stage](promotion, situation, now)
    return Decision(
        promotion=step.promotion,
        effects=(*wanted, *step.effects),
        wake_at=step.wake_at,
        answered=tuple(request.id for request in situation.requests),
    )


def absorb(promotion: Promotion, outcome: effects.Outcome, now: datetime) -> Promotion:
    """What a performed effect makes of the promotion."""
    match outcome:
        case effects.BumpOpened(pull=pull, changes=changes, baseline=baseline, image=image):
            opened = replace(
                promotion,
                pull=pull.number,
                head_sha=pull.head_sha,
                changes=changes,
                baseline=baseline,
                image=image,
            )
            return _enter(opened, Stage.OPEN, "The bump is open.", now)
        case effects.Merged(sha=sha, revert=True):
            return replace(promotion, revert_merge_sha=sha, stage_since=now, reason="The revert is merged.")
        case effects.Merged(sha=sha):
            merged = replace(promotion, merge_sha=sha, merged_at=now)
            return _enter(merged, Stage.SYNCING, "Merged; waiting until it is live.", now)
        case effects.MergeRefused(reason=reason, head_moved=True, revert=False):
            return replace(promotion, armed_by=None, override=None, reason=reason)
        case effects.MergeRefused(reason=reason):
            return replace(promotion, reason=reason)
        case effects.RevertOpened(pull=pull):
            return replace(promotion, revert_pull=pull.number, revert_head_sha=pull.head_sha)
        case effects.NothingToRevert(sha=sha):
            restored = replace(promotion, revert_merge_sha=sha)
            return _enter(restored, Stage.REVERTED, "The baseline was pinned again already.", now)
        case effects.RevertImpossible(reason=reason):
            return _enter(promotion, Stage.HELD, reason, now)


def _enter(promotion: Promotion, stage: Stage, reason: str, now: datetime) -> Promotion:
    return replace(promotion, stage=stage, stage_since=now, reason=reason, failures=0)


# -- the stages' own steps -------------------------------------------------------------------------


def _waiting(promotion: Promotion, situation: Situation, now: datetime) -> _Step:
    if situation.environment is None:
        return _closed(promotion, "This environment is no longer configured.", now)
    if situation.newer is not None:
        return _closed(promotion, f"Superseded by version {situation.newer}.", now)
    if situation.quarantine is not None:
        return _closed(
            promotion, f"Version {promotion.candidate} is quarantined: {situation.quarantine.reason}", now
        )
    if situation.holds:
        hold = situation.holds[0]
        return _Step(replace(promotion, reason=f"On hold by {hold.owner}: {hold.reason}"))
    match situation.plan:
        case BumpPlan() as plan:
            wanted = effects.OpenBump(plan.base_sha, plan.edits, plan.changes, plan.baseline, plan.image)
            return _Step(promotion, (wanted,))
        case NoPlan(settled=True, reason=reason) | NoPlan(gave_up=True, reason=reason):
            return _closed(promotion, reason, now)
        case NoPlan(reason=reason):
            return _Step(replace(promotion, reason=reason), wake_at=now + RECHECK)
        case None:
            return _Step(promotion, wake_at=now + SYNC_POLL)


def _open(promotion: Promotion, situation: Situation, now: datetime) -> _Step:
    pull = situation.pull
    if pull is None:
        return _Step(promotion, wake_at=now + RECHECK)
    if pull.state is PullState.MERGED:
        merged = replace(promotion, merge_sha=pull.merge_sha, merged_at=pull.merged_at or now)
        by = f" by {pull.merged_by}" if pull.merged_by else ""
        moved = "" if pull.head_sha == promotion.head_sha else " The branch was not as Slipway left it."
        return _syncing(_enter(merged, Stage.SYNCING, f"Merged{by}.{moved}", now), situation, now)
    if pull.state is PullState.CLOSED:
        by = f" by {pull.closed_by}" if pull.closed_by else ""
        return _closed(promotion, f"The pull request was closed{by}.", now)
    if situation.environment is None or situation.newer is not None:
        reason = (
            "This environment is no longer configured."
            if situation.environment is None
            else f"Superseded by version {situation.newer}."
        )
        return _closed(promotion, reason, now, effects.ClosePull(pull.number, pull.branch))
    if pull.head_sha != promotion.head_sha:
        reason = "The branch has commits that are not Slipway's. It merges only its own commit: /retry rebuilds it."
        return _Step(replace(promotion, armed_by=None, override=None, reason=reason))
    if pull.mergeable is False and isinstance(situation.plan, BumpPlan):
        plan = situation.plan
        rebuilt = effects.OpenBump(plan.base_sha, plan.edits, plan.changes, plan.baseline, plan.image)
        return _Step(
            replace(promotion, reason="The default branch moved; the bump is made anew."), (rebuilt,)
        )
    return _merge_when_gates_hold(promotion, situation, now, pull.number)


def _merge_when_gates_hold(promotion: Promotion, situation: Situation, now: datetime, number: int) -> _Step:
    in_the_way = blocking(situation.gates)
    armed = promotion.armed_by is not None or situation.policy.promote == "automatic"
    wake_at = now + RECHECK if any(gate.pending for gate in in_the_way) else None
    if in_the_way:
        names = ", ".join(gate.id for gate in in_the_way)
        if armed:
            who = promotion.armed_by or "the policy"
            reason = f"Armed by {who}; merges as soon as these gates hold: {names}."
        else:
            reason = f"Gates that do not hold: {names}."
        return _Step(replace(promotion, reason=reason), wake_at=wake_at)
    if not armed:
        return _Step(replace(promotion, reason="All gates hold. /promote merges it."))
    if promotion.head_sha is None:
        raise ValueError(f"promotion {promotion.id} is open without a commit of its own")
    # A refused merge is tried again now and then: branch protection or a running check may let it through.
    return _Step(
        replace(promotion, reason="All gates hold; merging."),
        (effects.MergePull(number, promotion.head_sha),),
        wake_at=now + RECHECK,
    )


def _syncing(promotion: Promotion, situation: Situation, now: datetime) -> _Step:
    if situation.overtaken is not None:
        return _closed(
            promotion, f"Overtaken by version {situation.overtaken}, merged before this one was live.", now
        )
    live = situation.liveness
    if live is None:
        return _Step(promotion, wake_at=now)
    if live.state is LiveState.LIVE:
        began = replace(promotion, live_at=now)
        if situation.environment is None or situation.environment.slo is None:
            return _passed(began, "Live. No SLO is configured, so nothing was watched.", situation, now)
        return _Step(_enter(began, Stage.WATCHING, "Live; the canary watches.", now), wake_at=now)
    deadline = promotion.stage_since + situation.policy.live_within
    # Somebody must act first (manual sync, a closed window): the deadline waits with them.
    if live.state is not LiveState.WAITING and now >= deadline:
        reason = f"Not live after {_minutes(situation.policy.live_within)}: {live.reason}"
        return _held(promotion, reason, now)
    return _Step(replace(promotion, reason=live.reason), wake_at=now + SYNC_POLL)


def _watching(promotion: Promotion, situation: Situation, now: datetime) -> _Step:
    if situation.overtaken is not None:
        reason = f"Overtaken by version {situation.overtaken}, merged before this one was judged."
        return _closed(promotion, reason, now)
    verdict = situation.verdict
    if verdict is None:
        return _Step(promotion, wake_at=now + situation.policy.canary.interval)
    judged = replace(promotion, verdict=verdict, due=(_tag(promotion, "verdict", verdict.outcome.value),))
    if verdict.outcome is Outcome.PASSED:
        return _passed(judged, verdict.reason, situation, now)
    if verdict.outcome is Outcome.FAILED:
        if situation.policy.on_failure == "report":
            reason = f"Would have been reverted (the policy only reports): {verdict.reason}"
            return _Step(_enter(judged, Stage.HELD, reason, now))
        return _revert(judged, verdict.reason, BOT, situation, now, quarantine=True)
    return _held(judged, verdict.reason, now)


def _reverting(promotion: Promotion, situation: Situation, now: datetime) -> _Step:
    if promotion.revert_merge_sha is not None:
        return _revert_live(promotion, situation, now)
    revert = situation.revert
    if revert is None or promotion.revert_pull is None:
        return _Step(promotion, (effects.OpenRevert(),), wake_at=now + RECHECK)
    if revert.state is PullState.MERGED:
        merged = replace(promotion, revert_merge_sha=revert.merge_sha, stage_since=now)
        return _Step(replace(merged, reason="The revert is merged."), wake_at=now)
    if revert.state is PullState.CLOSED:
        by = f" by {revert.closed_by}" if revert.closed_by else ""
        return _held(promotion, f"The revert was closed{by}; the candidate is still pinned.", now)
    if situation.policy.revert == "merge" or promotion.revert_armed_by is not None:
        if revert.head_sha != promotion.revert_head_sha:
            reason = "The revert's branch has commits that are not Slipway's; a person must merge it."
            return _Step(replace(promotion, reason=reason), wake_at=now + RECHECK)
        wanted = effects.MergePull(revert.number, revert.head_sha, revert=True)
        return _Step(promotion, (wanted,), wake_at=now + RECHECK)
    return _Step(replace(promotion, reason="The revert is open; the policy leaves its merge to a person."))


def _revert_live(promotion: Promotion, situation: Situation, now: datetime) -> _Step:
    live = situation.liveness
    if live is None:
        return _Step(promotion, wake_at=now)
    if live.state is LiveState.LIVE:
        baseline = f"version {promotion.baseline}" if promotion.baseline else "the baseline"
        return _Step(_enter(promotion, Stage.REVERTED, f"Reverted: {baseline} is live again.", now))
    # The revert stays our business for as long as it takes; a person is told why it is not live.
    late = now >= promotion.stage_since + situation.policy.live_within
    reason = f"The revert is merged but not live: {live.reason}"
    return _Step(replace(promotion, reason=reason), wake_at=now + (RECHECK if late else SYNC_POLL))


def _resting(promotion: Promotion, _situation: Situation, _now: datetime) -> _Step:
    return _Step(promotion)


_STEPS = {
    Stage.WAITING: _waiting,
    Stage.OPEN: _open,
    Stage.SYNCING: _syncing,
    Stage.WATCHING: _watching,
    Stage.PASSED: _resting,
    Stage.HELD: _resting,
    Stage.REVERTING: _reverting,
    Stage.REVERTED: _resting,
    Stage.CLOSED: _resting,
}


# -- ways from stage to stage that several share ---------------------------------------------------


def _closed(promotion: Promotion, reason: str, now: datetime, *wanted: Effect) -> _Step:
    return _Step(_enter(replace(promotion, armed_by=None, override=None), Stage.CLOSED, reason, now), wanted)


def _held(promotion: Promotion, reason: str, now: datetime, *wanted: Effect) -> _Step:
    return _Step(_enter(promotion, Stage.HELD, reason, now), (*wanted, effects.PlaceHold(BOT, reason)))


def _passed(promotion: Promotion, reason: str, situation: Situation, now: datetime) -> _Step:
    due: list[AliasDue | TagDue] = []
    if situation.environment is not None and situation.environment.alias:
        due.append(AliasDue(situation.environment.alias, promotion.candidate))
    due.append(_tag(promotion, "verdict", "passed"))
    if promotion.merge_sha:
        due.append(_tag(promotion, "commit", promotion.merge_sha))
    if promotion.pull:
        due.append(_tag(promotion, "pull_request", str(promotion.pull)))
    automatic = situation.next_environments if situation.policy.promote == "automatic" else ()
    following = tuple(effects.ProposeNext(name, BOT) for name in automatic)
    return _Step(_enter(replace(promotion, due=tuple(due)), Stage.PASSED, reason, now), following)


def _revert(
    promotion: Promotion, reason: str, who: str, situation: Situation, now: datetime, *, quarantine: bool
) -> _Step:
    hold = effects.PlaceHold(who, f"Version {promotion.candidate} was reverted: {reason}")
    stop = (hold, effects.QuarantineVersion(promotion.candidate, reason)) if quarantine else (hold,)
    due: list[AliasDue | TagDue] = [_tag(promotion, "verdict", "failed" if quarantine else "rolled back")]
    if situation.environment is not None and situation.environment.alias and promotion.baseline:
        due.append(AliasDue(situation.environment.alias, promotion.baseline))
    leaving = replace(promotion, revert_reason=reason, reverted_by=who, due=tuple(due))
    return _Step(_enter(leaving, Stage.REVERTING, reason, now), stop, wake_at=now)


def _tag(promotion: Promotion, key: str, value: str) -> TagDue:
    return TagDue(promotion.candidate, f"slipway.{promotion.environment}.{key}", value)


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min" if span >= timedelta(minutes=1) else f"{span.seconds} s"


# -- requests of people ----------------------------------------------------------------------------

_MERGED_STAGES = frozenset({Stage.SYNCING, Stage.WATCHING, Stage.PASSED, Stage.HELD})


def _obey(promotion: Promotion, situation: Situation, request: Request, now: datetime) -> _Step:
    if request.denied is not None:
        return _answer(promotion, request, effects.Tone.NO, request.denied)
    match request.command:
        case commands.Promote(override=override):
            return _promote(promotion, situation, request, override)
        case commands.Rollback(reason=reason):
            return _rollback(promotion, situation, request, reason, now)
        case commands.PutOnHold(everything=everything, reason=reason):
            hold = effects.PlaceHold(request.author, reason or "no reason given", everything)
            disarmed = replace(promotion, armed_by=None, override=None)
            scope = "everything in this repository" if everything else _place(promotion)
            return _answer(
                disarmed, request, effects.Tone.YES, f"On hold: {scope}. `/release` lifts it.", hold
            )
        case commands.Release(quarantine=True, reason=reason):
            lift = effects.LiftQuarantine(promotion.candidate, request.author, reason)
            text = f"Version {promotion.candidate} may be proposed in {promotion.environment} again."
            return _answer(promotion, request, effects.Tone.YES, text, lift)
        case commands.Release():
            return _release(promotion, situation, request)
        case commands.Retry():
            return _retry(promotion, situation, request, now)
        case commands.PassCanary() | commands.FailCanary() | commands.ExtendCanary():
            return _canary(promotion, situation, request, now)
        case commands.ShowStatus() | commands.Explain() | commands.ShowHelp() as asked:
            return _Step(promotion, (effects.Answer(request.id, effects.Tone.YES, "", asked.word),))


def _promote(promotion: Promotion, situation: Situation, request: Request, override: str | None) -> _Step:
    tone = effects.Tone
    match promotion.stage:
        case Stage.OPEN:
            armed = replace(promotion, armed_by=request.author, override=override)
            in_the_way = blocking(situation.gates)
            if override is not None:
                return _answer(armed, request, tone.YES, f"Armed, with an override: {override}")
            if not in_the_way:
                return _answer(armed, request, tone.YES, "All gates hold: merging.")
            lines = "\n".join(f"- **{gate.id}**: {gate.reason}" for gate in in_the_way)
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
) -> _Step:
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
            return _rollback(_enter(merged, Stage.SYNCING, "Merged.", now), situation, request, reason, now)
        closed = _closed(promotion, f"Rolled back by {request.author}: {why}", now, *close)
        answer = effects.Answer(request.id, effects.Tone.YES, "Closed; nothing was merged.")
        return _Step(closed.promotion, (answer, *closed.effects))
    if promotion.stage in _MERGED_STAGES:
        if situation.overtaken is not None:
            text = (
                f"Not rolled back: version {situation.overtaken} was merged after it. Roll that back first."
            )
            return _answer(promotion, request, effects.Tone.NO, text)
        step = _revert(
            promotion,
            f"/rollback by {request.author}: {why}",
            request.author,
            situation,
            now,
            quarantine=False,
        )
        answer = effects.Answer(request.id, effects.Tone.YES, "Rolling back: the revert is being opened.")
        return _Step(step.promotion, (answer, *step.effects))
    text = f"Nothing to roll back: this promotion is {promotion.stage.value}. {promotion.reason}"
    return _answer(promotion, request, effects.Tone.NO, text)


def _release(promotion: Promotion, situation: Situation, request: Request) -> _Step:
    if not situation.holds:
        return _answer(promotion, request, effects.Tone.NO, f"There is no hold on {_place(promotion)}.")
    everything = any(hold.model is None for hold in situation.holds)
    release = effects.ReleaseHold(request.author, everything)
    return _answer(promotion, request, effects.Tone.YES, f"Released: {_place(promotion)}.", release)


def _retry(promotion: Promotion, situation: Situation, request: Request, now: datetime) -> _Step:
    tone = effects.Tone
    if promotion.stage is Stage.HELD:
        anew = replace(promotion, verdict=None, live_at=None)
        if promotion.revert_reason is not None:
            back = _enter(
                replace(anew, revert_pull=None, revert_head_sha=None), Stage.REVERTING, "Trying again.", now
            )
            return _answer(back, request, tone.YES, "Opening the revert again.")
        again = _enter(anew, Stage.SYNCING, f"Tried again by {request.author}.", now)
        return _answer(again, request, tone.YES, "Watching it again from the start.", effects.ForgetCanary())
    if promotion.stage is Stage.OPEN and isinstance(situation.plan, BumpPlan):
        plan = situation.plan
        rebuilt = effects.OpenBump(plan.base_sha, plan.edits, plan.changes, plan.baseline, plan.image)
        return _answer(
            promotion, request, tone.YES, "The bump is made anew on today's default branch.", rebuilt
        )
    if promotion.stage in (Stage.WAITING, Stage.OPEN, Stage.SYNCING, Stage.WATCHING, Stage.REVERTING):
        return _answer(promotion, request, tone.YES, f"Looked again. {promotion.reason}")
    text = f"Nothing to retry: this promotion is {promotion.stage.value}."
    return _answer(promotion, request, tone.NO, text)


def _canary(promotion: Promotion, situation: Situation, request: Request, now: datetime) -> _Step:
    tone = effects.Tone
    judgeable = promotion.stage in (Stage.WATCHING, Stage.HELD) and promotion.merge_sha is not None
    if not judgeable or promotion.revert_reason is not None:
        text = f"There is no canary to decide: this promotion is {promotion.stage.value}."
        return _answer(promotion, request, tone.NO, text)
    match request.command:
        case commands.PassCanary():
            step = _passed(promotion, f"Passed by {request.author}.", situation, now)
            answer = effects.Answer(request.id, tone.YES, "Passed on your word.")
        case commands.FailCanary():
            step = _revert(
                promotion, f"Failed by {request.author}.", request.author, situation, now, quarantine=True
            )
            answer = effects.Answer(request.id, tone.YES, "Failed on your word: reverting.")
        case commands.ExtendCanary(by=duration):
            if promotion.stage is not Stage.WATCHING:
                return _answer(promotion, request, tone.NO, "The watch is over; `/retry` begins a new one.")
            longer = replace(promotion, watch_extra=promotion.watch_extra + duration.total_seconds())
            return _answer(longer, request, tone.YES, f"Watching {_minutes(duration)} longer.")
        case _:
            raise AssertionError(request.command)
    return _Step(step.promotion, (answer, *step.effects))


def _answer(promotion: Promotion, request: Request, tone: str, text: str, *wanted: Effect) -> _Step:
    return _Step(promotion, (effects.Answer(request.id, tone, text), *wanted))


def _place(promotion: Promotion) -> str:
    return f"{promotion.model} in {promotion.environment}"
