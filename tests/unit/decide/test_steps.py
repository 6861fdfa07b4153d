"""Progressive traffic as plain decisions: forward, back, and what stops it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain import commands, effects
from bot.domain.decide import absorb, decide
from bot.domain.hold import Hold
from bot.domain.live import Liveness, LiveState
from bot.domain.policy import Policy
from bot.domain.promotion import PinChange, Stage, TrafficStep
from bot.domain.pull import PullState
from bot.domain.verdict import Outcome

STEPS = (10, 50, 100)
WEIGHT = PinChange(1, "a.yaml", "100", "10")
OPEN = TrafficStep(50, 9, "step", (PinChange(1, "a.yaml", "10", "50"),))


def kinds(decision) -> list[type]:
    return [type(effect) for effect in decision.effects]


def stepping(given, stage=Stage.WATCHING, **changes):
    return given.promotion(stage, **{"steps": STEPS, "weight": 10, **changes})


def step_pull(given, state=PullState.OPEN, **changes):
    return given.pull(state, number=9, head_sha="step", **changes)


def test_a_candidate_that_passed_a_share_gets_the_next(given):
    """Judged before the next, and never further than one step."""
    seen = given.situation(verdict=given.verdict(Outcome.PASSED))
    decision = decide(stepping(given), seen, given.now)

    assert decision.effects == (effects.OpenStep(50),)
    assert (decision.promotion.stage, decision.promotion.weight) == (Stage.WATCHING, 10)


def test_only_the_commit_of_slipway_is_merged(given):
    """The merge names the commit, as for every bump."""
    seen = given.situation(verdict=given.verdict(Outcome.PASSED), step=step_pull(given))
    moved = given.situation(
        verdict=given.verdict(Outcome.PASSED), step=replace(step_pull(given), head_sha="theirs")
    )
    promotion = stepping(given, step=OPEN)

    assert decide(promotion, seen, given.now).effects == (effects.MergePull(9, "step", weight=50),)
    assert decide(promotion, moved, given.now).effects == ()
    assert "other commits" in decide(promotion, moved, given.now).promotion.reason


@pytest.mark.parametrize("verdict", [None, Outcome.INCONCLUSIVE, Outcome.NO_DATA, Outcome.SOURCE_DOWN])
def test_nothing_is_merged_on_anything_but_a_pass(given, verdict):
    """A metrics server that is away this moment judges nothing."""
    told = given.verdict(verdict) if verdict is not None else None
    seen = given.situation(verdict=told, step=step_pull(given))
    decision = decide(stepping(given, step=OPEN), seen, given.now)

    assert effects.MergePull not in kinds(decision)
    assert decision.promotion.stage is (Stage.WATCHING if verdict is None else Stage.HELD)


def test_the_last_share_passes_the_promotion(given):
    """All of the traffic, judged once more."""
    seen = given.situation(verdict=given.verdict(Outcome.PASSED))
    decision = decide(stepping(given, weight=100), seen, given.now)

    assert (decision.promotion.stage, decision.promotion.weight) == (Stage.PASSED, None)


@pytest.mark.parametrize("seen_as", ["on hold", "frozen"])
def test_a_hold_and_a_freeze_stop_the_next_step(given, seen_as):
    """Neither opens nor merges it, and says why."""
    hold = Hold("acme/models", "fraud", "production", "ada", "incident", given.now)
    reason = {"holds": (hold,)} if seen_as == "on hold" else {"frozen": "frozen until Monday"}
    seen = given.situation(verdict=given.verdict(Outcome.PASSED), step=step_pull(given), **reason)
    for promotion in (stepping(given), stepping(given, step=OPEN)):
        decision = decide(promotion, seen, given.now)
        assert decision.effects == ()
        assert decision.wake_at == given.now + seen.policy.canary.interval
        assert ("incident" if seen_as == "on hold" else "Monday") in decision.promotion.reason


def test_a_hold_given_this_moment_stops_the_step_of_this_moment(given):
    """The word and the merge never cross."""
    seen = given.situation(
        verdict=given.verdict(Outcome.PASSED),
        step=step_pull(given),
        requests=(given.request(commands.PutOnHold()),),
    )

    assert effects.MergePull not in kinds(decide(stepping(given, step=OPEN), seen, given.now))


@pytest.mark.parametrize(
    ("words", "stage"),
    [(commands.Rollback("bad"), Stage.WATCHING), (commands.FailCanary(), Stage.HELD), (None, Stage.WATCHING)],
)
def test_whatever_takes_it_back_closes_the_open_step_and_goes_to_0_first(given, words, stage):
    """A verdict, `/rollback` or `/canary fail`: the same way back."""
    seen = given.situation(
        verdict=given.verdict(Outcome.FAILED) if words is None else None,
        step=step_pull(given),
        requests=(given.request(words),) if words is not None else (),
    )
    decision = decide(stepping(given, stage, step=OPEN), seen, given.now)
    after = decision.promotion

    assert after.stage is Stage.REVERTING
    assert any(isinstance(each, effects.ClosePull) and each.number == 9 for each in decision.effects)
    following = decision if words is not None else decide(after, given.situation(), given.now)
    assert effects.OpenStep(0) in following.effects


def test_the_way_back_in_order(given):
    """0 is opened, merged, live; then the revert."""
    reverting = stepping(given, Stage.REVERTING, stage_since=given.now)
    zero = TrafficStep(0, 9, "step", (PinChange(1, "a.yaml", "10", "0"),))
    merge = decide(replace(reverting, step=zero), given.situation(step=step_pull(given)), given.now)
    assert merge.effects == (effects.MergePull(9, "step", weight=0),)

    merged = absorb(merge.promotion, effects.Merged("m0", weight=0), given.now)
    assert (merged.weight, merged.stage, merged.live_commit) == (0, Stage.REVERTING, "m0")
    assert effects.OpenRevert in kinds(decide(merged, given.situation(), given.now))

    opened = replace(merged, revert_pull=8, revert_head_sha="back")
    back = given.pull(number=8, head_sha="back")
    syncing = given.situation(revert=back, liveness=Liveness(LiveState.SYNCING, "on its way"))
    live = given.situation(revert=back, liveness=Liveness(LiveState.LIVE, "live"))
    assert decide(opened, syncing, given.now).effects == ()
    assert effects.MergePull in kinds(decide(opened, live, given.now))
    assert effects.MergePull in kinds(decide(opened, syncing, given.now + timedelta(minutes=2)))


@pytest.mark.parametrize(
    "outcome",
    [effects.MergeRefused("Not merged: protected", weight=0), effects.StepImpossible("gone", 0)],
)
def test_a_way_back_that_is_barred_is_left_to_the_revert(given, outcome):
    """The revert restores pins and shares alone, and the pull request that nobody needs is closed."""
    zero = TrafficStep(0, 9, "step")
    barred = absorb(stepping(given, Stage.REVERTING, step=zero), outcome, given.now)
    closing = decide(barred, given.situation(step=step_pull(given)), given.now)

    assert barred.weight is None
    assert kinds(closing) == [effects.ClosePull]
    assert effects.OpenRevert in kinds(decide(closing.promotion, given.situation(), given.now))


def test_a_policy_that_leaves_reverts_to_a_person_merges_no_0_either(given):
    """Nothing is merged that the policy leaves to people."""
    seen = given.situation(policy=Policy(name="p", revert="propose"))

    assert kinds(decide(stepping(given, Stage.REVERTING), seen, given.now)) == [effects.OpenRevert]


def test_a_merged_step_keeps_what_was_pinned_before_the_bump(given):
    """However many steps: the revert goes back to where it began."""
    promotion = stepping(given, step=OPEN, changes=(PinChange(0, "a.yaml", "v2", "v3"), WEIGHT))
    merged = absorb(promotion, effects.Merged("m50", weight=50), given.now)

    assert merged.changes == (PinChange(0, "a.yaml", "v2", "v3"), PinChange(1, "a.yaml", "100", "50"))
    assert (merged.stage, merged.weight, merged.live_commit) == (Stage.SYNCING, 50, "m50")


@pytest.mark.parametrize("stage", [Stage.WATCHING, Stage.HELD])
def test_a_step_that_was_merged_is_found_whoever_merged_it(given, stage):
    """Also after a crash between the merge and the save: the pull request tells."""
    pull = step_pull(given, PullState.MERGED, merge_sha="m50")
    decision = decide(stepping(given, stage, step=OPEN), given.situation(step=pull), given.now)

    assert (decision.promotion.stage, decision.promotion.weight) == (Stage.SYNCING, 50)
    assert effects.MergePull not in kinds(decision)


def test_a_live_step_is_watched_anew(given):
    """What happened at 10% says nothing of 50%."""
    syncing = stepping(given, Stage.SYNCING, weight=50, verdict=given.verdict(Outcome.PASSED))
    live = given.situation(liveness=Liveness(LiveState.LIVE, "live"))
    decision = decide(syncing, live, given.now)

    assert (decision.promotion.stage, decision.promotion.verdict) == (Stage.WATCHING, None)
    assert decision.effects == (effects.ForgetCanary(syncing.verdict),)


@pytest.mark.parametrize(("weight", "live"), [(10, True), (None, False)])
def test_a_rollout_at_rest_is_live_only_for_a_step(given, weight, live):
    """Without steps a suspended application waits for somebody."""
    resting = Liveness(LiveState.WAITING, "Suspended", paused=True)
    promotion = stepping(given, Stage.SYNCING, weight=weight)
    decision = decide(promotion, given.situation(liveness=resting), given.now)

    assert (decision.promotion.stage is Stage.WATCHING) == live


def test_a_pass_by_a_person_leads_to_the_next_share_and_not_to_the_end(given):
    """`/canary pass` vouches for the share that was seen."""
    word = given.situation(requests=(given.request(commands.PassCanary()),))
    decision = decide(stepping(given, Stage.HELD), word, given.now)

    assert (decision.promotion.stage, decision.promotion.vouched_by) == (Stage.WATCHING, "ada")
    assert effects.OpenStep(50) in decision.effects
    merged = absorb(replace(decision.promotion, step=OPEN), effects.Merged("m", weight=50), given.now)
    assert merged.vouched_by is None


def test_a_share_that_nothing_judges_is_held(given):
    """Steps without SLO would be no steps."""
    seen = given.situation(environment=given.environment(slo=None), liveness=Liveness(LiveState.LIVE, "live"))
    decision = decide(stepping(given, Stage.SYNCING), seen, given.now)

    assert decision.promotion.stage is Stage.HELD
    assert "no SLO is configured to judge it by" in decision.promotion.reason


def test_a_step_that_the_default_branch_has_already_is_reached(given):
    """Found, not made again."""
    made = effects.StepMade("head", 50, (PinChange(1, "a.yaml", "10", "50"),))
    promotion = absorb(stepping(given), made, given.now)

    assert (promotion.stage, promotion.weight, promotion.live_commit) == (Stage.SYNCING, 50, "head")


def test_a_share_that_cannot_be_written_is_held_with_the_reason(given):
    """The candidate stays where it is until a person looked."""
    promotion = absorb(stepping(given), effects.StepImpossible("no such file", 50), given.now)

    assert promotion.stage is Stage.HELD
    assert promotion.reason == "Passed at 10%; 50% cannot be written: no such file"


def test_an_overtaken_candidate_leaves_no_step_open(given):
    """A later version was merged there by a person."""
    decision = decide(stepping(given, step=OPEN), given.situation(overtaken="4"), given.now)

    assert decision.promotion.stage is Stage.CLOSED
    assert kinds(decision) == [effects.ClosePull]
