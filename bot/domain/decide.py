"""Everything that may change a promotion's stage, with `moves` and `obey` beside it; nothing elsewhere does.

Rules:

1. Values in, values out: no I/O, no clock. The same promotion, situation and time give the same decision.
2. Level-triggered: a decision looks at what is, not at what happened. An event only wakes.
3. Requests of people are obeyed first, in their order, each exactly once; then the stage's own step.
4. What cannot be undone (merge, revert) is asked for as an effect, and the stage moves when its
   outcome, or the world, shows that it happened.

| stage     | moves to  | when                                                                        |
|-----------|-----------|-----------------------------------------------------------------------------|
| waiting   | open      | the bump can be made: no hold, soaked, no older bump is open, the image is there |
|           | closed    | quarantined, superseded, pinned already, no longer configured, gave up      |
| open      | syncing   | merged, by us (armed or automatic, gates hold) or by a person               |
|           | closed    | closed by a person, `/rollback`, superseded                                 |
| syncing   | watching  | the cluster says that the merge commit or a later one is live and healthy   |
|           | passed    | same, and there is nothing to watch                                         |
|           | held      | not live within the policy's time                                           |
| watching  | syncing   | verdict passed, and the next step of the traffic is merged                  |
|           | passed    | verdict passed and so did the checks, or `/canary pass`; all of the traffic |
|           | reverting | verdict or a check failed, or `/canary fail`                                |
|           | held      | inconclusive, no data, source down; a check that cannot be asked or leaves  |
|           |           | it to a person; or failed where the policy only reports                     |
| held      | syncing   | `/retry`, or a person merged the next step of the traffic                   |
|           | watching  | `/canary pass` with a part of the traffic                                   |
|           | passed    | `/canary pass` with all of it                                               |
|           | closed    | overtaken: a later version was merged there before this one was judged      |
| any merged| reverting | `/rollback`                                                                 |
| reverting | reverted  | the revert commit or a later one is live, or pinned already                 |
|           | held      | a person closed the revert, or the pins are no longer the candidate's       |
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import checking, effects, steps
from bot.domain.branches import place_branch
from bot.domain.checking import Checking
from bot.domain.effects import Effect
from bot.domain.gates import blocking
from bot.domain.live import LiveState
from bot.domain.moves import BOT, Step, closed, closing_step, enter, held, passed, revert, tag_due
from bot.domain.obey import obey
from bot.domain.promotion import Promotion, Stage
from bot.domain.pull import Pull, PullState
from bot.domain.situation import BumpPlan, NoPlan, Situation
from bot.domain.spans import spoken
from bot.domain.verdict import Outcome

SYNC_POLL = timedelta(seconds=3)
"""Between two looks at Argo CD while a merge is on its way."""

RECHECK = timedelta(minutes=1)
"""Between two looks at what no event announces: an image that is not built yet, a gate bound to time."""

SECOND_LOOK = timedelta(minutes=10)
"""Between two looks at an armed bump whose gates fail: a tag or a signature may come without a word."""


_GOING_FORWARD = frozenset({Stage.WAITING, Stage.OPEN, Stage.WATCHING})
"""Where a hold that was given this moment must be seen before the stage's own step is taken."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the promotion becomes, what to do about it, and when to look again without being woken."""

    promotion: Promotion
    effects: tuple[Effect, ...] = ()
    wake_at: datetime | None = None
    answered: tuple[int, ...] = ()


def decide(promotion: Promotion, situation: Situation, now: datetime) -> Decision:
    """Decide what happens next; see the table at the top of this module."""
    wanted: list[Effect] = []
    promotion = steps.settled(promotion, situation, now)
    for request in situation.requests:
        obeyed = obey(promotion, situation, request, now)
        promotion = obeyed.promotion
        wanted += obeyed.effects
    step = (
        Step(promotion, wake_at=now)
        if promotion.stage in _GOING_FORWARD and any(isinstance(each, effects.PlaceHold) for each in wanted)
        else _STEPS[promotion.stage](promotion, situation, now)
    )
    return Decision(
        promotion=step.promotion,
        effects=(*wanted, *step.effects),
        wake_at=step.wake_at,
        answered=tuple(request.id for request in situation.requests),
    )


def absorb(promotion: Promotion, outcome: effects.Outcome, now: datetime) -> Promotion:
    """What a performed effect makes of the promotion."""
    beside = checking.absorbed(promotion, outcome) or steps.absorbed(promotion, outcome, now)
    if beside is not None:
        return beside
    match outcome:
        case effects.BumpOpened(pull=pull, plan=plan):
            opened = replace(
                promotion,
                pull=pull.number,
                branch=pull.branch,
                opened_at=promotion.opened_at or now,
                ready=False,
                head_sha=pull.head_sha,
                changes=plan.changes,
                baseline=plan.baseline,
                image=plan.image,
                steps=plan.steps,
                weight=plan.steps[0] if plan.steps else None,
            )
            return enter(opened, Stage.OPEN, "The bump is open.", now)
        case effects.Merged(sha=sha, revert=True):
            return replace(promotion, revert_merge_sha=sha, stage_since=now, reason="The revert is merged.")
        case effects.Merged(sha=sha):
            merged = replace(promotion, merge_sha=sha, merged_at=now)
            return enter(
                merged, Stage.SYNCING, f"Merged{_overridden(promotion)}; waiting until it is live.", now
            )
        case effects.MergeRefused(reason=reason, head_moved=True, revert=False):
            return replace(promotion, armed_by=None, override=None, reason=reason)
        case effects.MergeRefused(reason=reason):
            return replace(promotion, reason=reason)
        case effects.RevertOpened(pull=pull):
            return replace(promotion, revert_pull=pull.number, revert_head_sha=pull.head_sha)
        case effects.NothingToRevert(sha=sha):
            restored = replace(promotion, revert_merge_sha=sha)
            return enter(restored, Stage.REVERTED, "The baseline was pinned again already.", now)
        case effects.RevertImpossible(reason=reason):
            return enter(promotion, Stage.HELD, reason, now)
        case _:
            raise AssertionError(outcome)


def _overridden(promotion: Promotion) -> str:
    """For the audit: who let it through a freeze, and why."""
    if promotion.override is None:
        return ""
    return f" with an override by {promotion.armed_by} ({promotion.override})"


# -- the stages' own steps -------------------------------------------------------------------------


def _waiting(promotion: Promotion, situation: Situation, now: datetime) -> Step:
    was_ready, promotion = promotion.ready, replace(promotion, ready=False)
    if situation.environment is None:
        return closed(promotion, "This environment is no longer configured.", now)
    if situation.newer is not None:
        return closed(promotion, f"Superseded by version {situation.newer}.", now)
    if situation.quarantine is not None:
        return closed(
            promotion, f"Version {promotion.candidate} is quarantined: {situation.quarantine.reason}", now
        )
    if situation.holds:
        hold = situation.holds[0]
        return Step(replace(promotion, reason=f"On hold by {hold.owner}: {hold.reason}"))
    # What a person asks for is opened at once and waits as a pull request, where everybody sees it.
    soaking = situation.soaking if promotion.requested_by == BOT else None
    if soaking is not None and soaking.cut_short is not None:
        reason = f"Not opened: {soaking.cut_short}."
        return Step(replace(promotion, reason=reason), wake_at=now + SECOND_LOOK)
    if soaking is not None and now < soaking.until:
        reason = f"It soaks in {soaking.environment} until {soaking.until:%Y-%m-%d %H:%M} UTC."
        return Step(replace(promotion, reason=reason), wake_at=soaking.until)
    return _open_when_possible(promotion, situation, now, was_ready=was_ready)


def _open_when_possible(
    promotion: Promotion, situation: Situation, now: datetime, *, was_ready: bool
) -> Step:
    match situation.plan:
        case BumpPlan() if situation.older is not None:
            reason = f"Takes the place of version {situation.older}, whose bump is open."
            ready = replace(promotion, ready=True, reason=reason)
            return Step(ready, () if was_ready else (effects.WakePlace(),), wake_at=now + SYNC_POLL)
        case BumpPlan() as plan:
            wanted = effects.OpenBump(plan)
            return Step(promotion, (wanted,))
        case NoPlan(settled=True, reason=reason) | NoPlan(gave_up=True, reason=reason):
            return closed(promotion, reason, now)
        case NoPlan(reason=reason, build=order):
            first = () if order is None else (effects.BuildImage(order),)
            return Step(replace(promotion, reason=reason), first, wake_at=now + RECHECK)
        case None:
            return Step(promotion, wake_at=now + SYNC_POLL)


def _open(promotion: Promotion, situation: Situation, now: datetime) -> Step:
    pull = situation.pull
    if pull is None:
        return Step(promotion, wake_at=now + RECHECK)
    if pull.state is PullState.MERGED:
        merged = replace(promotion, merge_sha=pull.merge_sha, merged_at=pull.merged_at or now)
        by = f" by {pull.merged_by}" if pull.merged_by else ""
        moved = "" if pull.head_sha == promotion.head_sha else " The branch was not as Slipway left it."
        return _syncing(enter(merged, Stage.SYNCING, f"Merged{by}.{moved}", now), situation, now)
    if pull.state is PullState.CLOSED:
        by = f" by {pull.closed_by}" if pull.closed_by else ""
        return closed(promotion, f"The pull request was closed{by}.", now)
    if situation.environment is None:
        reason = "This environment is no longer configured."
        return closed(promotion, reason, now, effects.ClosePull(pull.number, pull.branch))
    if situation.newer is not None:
        return _superseded(promotion, situation.newer, situation, pull, now)
    if pull.head_sha != promotion.head_sha:
        reason = "The branch holds other commits. Slipway merges only its own commit: /retry rebuilds it."
        return Step(replace(promotion, armed_by=None, override=None, reason=reason))
    if pull.mergeable is False and isinstance(situation.plan, BumpPlan):
        rebuilt = effects.OpenBump(situation.plan)
        return Step(replace(promotion, reason="The default branch moved; the bump is made anew."), (rebuilt,))
    return _merge_when_gates_hold(promotion, situation, now, pull.number)


def _superseded(promotion: Promotion, newer: str, situation: Situation, pull: Pull, now: datetime) -> Step:
    """Give way: close the pull request, or leave it to the newer candidate, which moves its branch."""
    if situation.policy.supersede == "update" and pull.branch == place_branch(promotion):
        reason = f"Superseded by version {newer}, which goes on in this pull request."
        return closed(promotion, reason, now, effects.TellSuperseded(pull.number, newer, updated=True))
    told = effects.TellSuperseded(pull.number, newer)
    close = effects.ClosePull(pull.number, pull.branch)
    return closed(promotion, f"Superseded by version {newer}.", now, told, close)


def _merge_when_gates_hold(promotion: Promotion, situation: Situation, now: datetime, number: int) -> Step:
    in_the_way = blocking(situation.gates)
    armed = promotion.armed_by is not None or situation.policy.promote == "automatic"
    soon = RECHECK if any(gate.pending for gate in in_the_way) else None
    later = SECOND_LOOK if armed and in_the_way else None
    wake_at = now + wait if (wait := soon or later) else None
    if in_the_way:
        names = ", ".join(gate.id for gate in in_the_way)
        if armed:
            who = promotion.armed_by or "the policy"
            reason = f"Armed by {who}; merges as soon as these gates hold: {names}."
        else:
            reason = f"Gates that do not hold: {names}."
        return Step(replace(promotion, reason=reason), wake_at=wake_at)
    if not armed:
        return Step(replace(promotion, reason="All gates hold. /promote merges it."))
    if promotion.head_sha is None:
        raise ValueError(f"promotion {promotion.id} is open without a commit of its own")
    # A refused merge is tried again now and then: branch protection or a running check may let it through.
    return Step(
        replace(promotion, reason="All gates hold; merging."),
        (effects.MergePull(number, promotion.head_sha),),
        wake_at=now + RECHECK,
    )


def _syncing(promotion: Promotion, situation: Situation, now: datetime) -> Step:
    if situation.overtaken is not None:
        return closed(
            promotion,
            f"Overtaken by version {situation.overtaken}, merged before this one was live.",
            now,
            *closing_step(promotion),
        )
    live = situation.liveness
    if live is None:
        return Step(promotion, wake_at=now)
    if steps.is_live(promotion, live):
        return _live(promotion, situation, now)
    deadline = promotion.stage_since + situation.policy.live_within
    # Somebody must act first (manual sync, a closed window): the deadline waits with them.
    if live.state is not LiveState.WAITING and now >= deadline:
        reason = f"Not live after {spoken(situation.policy.live_within)}: {live.reason}"
        return held(promotion, reason, now)
    return Step(replace(promotion, reason=live.reason), wake_at=now + SYNC_POLL)


def _live(before: Promotion, situation: Situation, now: datetime) -> Step:
    environment = situation.environment
    promotion = replace(before, live_at=now, verdict=None)
    if environment is None or environment.slo is None:
        if promotion.next_weight is not None:
            reason = f"Live with {promotion.weight}% of the traffic, and no SLO is configured to judge it by."
            return held(promotion, reason, now)
        if environment is None or not environment.checks:
            return passed(promotion, "Live. No SLO is configured, so nothing was watched.", situation, now)
        return Step(enter(promotion, Stage.WATCHING, "Live; it is being checked.", now), wake_at=now)
    if promotion.weight is None:
        return Step(enter(promotion, Stage.WATCHING, "Live; the canary watches.", now), wake_at=now)
    reason = f"Live with {promotion.weight}% of the traffic; the canary watches."
    # Each step is judged by what happens in it.
    anew = effects.ForgetCanary(before.verdict)
    return Step(enter(promotion, Stage.WATCHING, reason, now), (anew,), wake_at=now)


def _watching(promotion: Promotion, situation: Situation, now: datetime) -> Step:
    if situation.overtaken is not None:
        reason = f"Overtaken by version {situation.overtaken}, merged before this one was judged."
        return closed(promotion, reason, now, *closing_step(promotion))
    checked = checking.look(promotion, situation, now)
    step = _judged(promotion, checked, situation, now)
    if step.promotion.stage is not Stage.WATCHING or not checked.pending:
        return step
    soon = min(step.wake_at or now + checking.AGAIN, now + checking.AGAIN)
    return replace(step, effects=(*checked.asked, *step.effects), wake_at=soon)


def _judged(promotion: Promotion, checked: Checking, situation: Situation, now: datetime) -> Step:
    verdict, following = situation.verdict, promotion.next_weight
    failed = verdict is not None and verdict.outcome is Outcome.FAILED
    if promotion.vouched_by is not None and following is not None and not failed:
        return steps.forward(promotion, following, situation, now)
    stopped = checking.stop(promotion, checked, situation, now) if not failed else None
    if stopped is not None:
        return stopped
    unwatched = situation.environment is not None and situation.environment.slo is None
    if verdict is None and not unwatched:
        return Step(promotion, wake_at=now + situation.policy.canary.interval)
    if checked.pending and (verdict is None or verdict.outcome is Outcome.PASSED):
        reason = f"Not settled yet: {', '.join(checked.pending)}."
        return Step(replace(promotion, reason=reason), wake_at=now + checking.AGAIN)
    if verdict is None:
        reason = "Live, and its checks passed. No SLO is configured, so nothing was watched."
        return passed(promotion, reason, situation, now)
    if verdict.outcome is Outcome.PASSED and following is not None:
        # The first verdict stays; while the step waits there is a new one at every look.
        kept = promotion.verdict if promotion.verdict is not None else verdict
        return steps.forward(replace(promotion, verdict=kept), following, situation, now)
    judged = replace(promotion, verdict=verdict, due=(tag_due(promotion, "verdict", verdict.outcome.value),))
    if verdict.outcome is Outcome.PASSED:
        return passed(judged, verdict.reason, situation, now)
    if verdict.outcome is Outcome.FAILED:
        if situation.policy.on_failure == "report":
            reason = f"Would have been reverted (the policy only reports): {verdict.reason}"
            return Step(enter(judged, Stage.HELD, reason, now))
        return revert(judged, verdict.reason, BOT, situation, now, quarantine=True)
    return held(judged, verdict.reason, now)


def _reverting(promotion: Promotion, situation: Situation, now: datetime) -> Step:
    if promotion.revert_merge_sha is not None:
        return _revert_live(promotion, situation, now)
    traffic_first = steps.back(promotion, situation, now)
    if traffic_first is not None:
        return traffic_first
    back = situation.revert
    if back is None or promotion.revert_pull is None:
        return Step(promotion, (effects.OpenRevert(),), wake_at=now + RECHECK)
    if back.state is PullState.MERGED:
        merged = replace(promotion, revert_merge_sha=back.merge_sha, stage_since=now)
        return Step(replace(merged, reason="The revert is merged."), wake_at=now)
    if back.state is PullState.CLOSED:
        by = f" by {back.closed_by}" if back.closed_by else ""
        return held(promotion, f"The revert was closed{by}; the candidate is still pinned.", now)
    if situation.policy.revert == "merge" or promotion.revert_armed_by is not None:
        if back.head_sha != promotion.revert_head_sha:
            reason = "The revert's branch has commits that are not Slipway's; a person must merge it."
            return Step(replace(promotion, reason=reason), wake_at=now + RECHECK)
        if steps.awaits_zero(promotion, situation, now):
            reason = "The candidate's share is 0; the revert is merged as soon as that is live."
            return Step(replace(promotion, reason=reason), wake_at=now + SYNC_POLL)
        wanted = effects.MergePull(back.number, back.head_sha, revert=True)
        return Step(promotion, (wanted,), wake_at=now + RECHECK)
    return Step(replace(promotion, reason="The revert is open; the policy leaves its merge to a person."))


def _revert_live(promotion: Promotion, situation: Situation, now: datetime) -> Step:
    live = situation.liveness
    if live is None:
        return Step(promotion, wake_at=now)
    if live.state is LiveState.LIVE:
        baseline = f"version {promotion.baseline}" if promotion.baseline else "the baseline"
        return Step(enter(promotion, Stage.REVERTED, f"Reverted: {baseline} is live again.", now))
    # The revert stays our business for as long as it takes; a person is told why it is not live.
    late = now >= promotion.stage_since + situation.policy.live_within
    reason = f"The revert is merged but not live: {live.reason}"
    return Step(replace(promotion, reason=reason), wake_at=now + (RECHECK if late else SYNC_POLL))


def _resting(promotion: Promotion, _situation: Situation, _now: datetime) -> Step:
    return Step(promotion)


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
