"""What becomes of a promotion: every stage, every reason to leave it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain import commands, effects
from bot.domain.decide import absorb, decide
from bot.domain.hold import Hold, Quarantine
from bot.domain.live import Liveness, LiveState
from bot.domain.policy import Policy
from bot.domain.promotion import AliasDue, Stage, TagDue
from bot.domain.pull import PullState
from bot.domain.situation import NoPlan
from bot.domain.verdict import Outcome


def kinds(decision) -> list[type]:
    return [type(effect) for effect in decision.effects]


def answers(decision) -> list[effects.Answer]:
    return [effect for effect in decision.effects if isinstance(effect, effects.Answer)]


# -- waiting ---------------------------------------------------------------------------------------


def test_a_bump_that_can_be_made_is_opened(given):
    """A candidate with nothing in its way gets its pull request at once."""
    decision = decide(given.promotion(Stage.WAITING), given.situation(plan=given.plan()), given.now)

    assert kinds(decision) == [effects.OpenBump]


def test_an_opened_bump_is_remembered_with_the_commit_that_is_ours(given):
    """Only the commit that Slipway made is ever merged by it."""
    outcome = effects.BumpOpened(given.pull(), given.plan())
    after = absorb(given.promotion(Stage.WAITING), outcome, given.now)

    assert (after.stage, after.pull, after.head_sha, after.baseline) == (Stage.OPEN, 7, "ours", "2")


def test_a_held_place_opens_nothing_and_says_who_holds_it(given):
    """A hold stops automation until a person releases it."""
    hold = Hold("acme/models", "fraud", "production", "ada", "incident 7", given.now)
    decision = decide(
        given.promotion(Stage.WAITING), given.situation(plan=given.plan(), holds=(hold,)), given.now
    )

    assert decision.effects == ()
    assert decision.promotion.reason == "On hold by ada: incident 7"
    assert decision.promotion.stage is Stage.WAITING


def test_a_quarantined_version_is_never_opened(given):
    """A version that failed here is not proposed here again."""
    quarantine = Quarantine("acme/models", "fraud", "production", "3", "slow", given.now)
    decision = decide(
        given.promotion(Stage.WAITING), given.situation(plan=given.plan(), quarantine=quarantine), given.now
    )

    assert decision.promotion.stage is Stage.CLOSED
    assert "quarantined: slow" in decision.promotion.reason
    assert decision.effects == (effects.AbandonBump(),)


@pytest.mark.parametrize(
    ("plan", "stage"),
    [
        (NoPlan("The image is not in the registry yet."), Stage.WAITING),
        (NoPlan("Version 3 is pinned already.", settled=True), Stage.CLOSED),
        (NoPlan("The image never came.", gave_up=True), Stage.CLOSED),
    ],
)
def test_a_bump_that_cannot_be_made_says_why(given, plan, stage):
    """What is absent is waited for; what is settled ends; both with their reason."""
    decision = decide(given.promotion(Stage.WAITING), given.situation(plan=plan), given.now)

    assert (decision.promotion.stage, decision.promotion.reason) == (stage, plan.reason)
    assert (decision.wake_at is not None) == (stage is Stage.WAITING)


# -- open ------------------------------------------------------------------------------------------


def test_nothing_merges_without_a_word(given):
    """Gates that hold are not enough: a person promotes."""
    situation = given.situation(pull=given.pull(), gates=(given.gate(holds=True),))
    decision = decide(given.promotion(), situation, given.now)

    assert decision.effects == ()
    assert decision.promotion.reason == "All gates hold. /promote merges it."
    assert decision.wake_at is None


def test_promote_merges_exactly_our_commit_when_all_gates_hold(given):
    """The merge names the commit, so that nothing else can slip in."""
    situation = given.situation(
        pull=given.pull(), gates=(given.gate(holds=True),), requests=(given.request(commands.Promote()),)
    )
    decision = decide(given.promotion(), situation, given.now)

    assert effects.MergePull(7, "ours") in decision.effects
    assert answers(decision)[0].reaction == effects.Tone.YES
    assert decision.answered == (1,)


def test_promote_before_its_gates_hold_stays_armed_and_merges_later(given):
    """A `/promote` need not be repeated."""
    waiting = given.situation(
        pull=given.pull(), gates=(given.gate(holds=False),), requests=(given.request(commands.Promote()),)
    )
    armed = decide(given.promotion(), waiting, given.now)
    later = decide(
        armed.promotion, given.situation(pull=given.pull(), gates=(given.gate(holds=True),)), given.now
    )

    assert armed.promotion.armed_by == "ada"
    assert effects.MergePull not in kinds(armed)
    assert "`evidence`: because" in answers(armed)[0].text
    assert effects.MergePull in kinds(later)


def test_a_policy_may_merge_without_a_word(given):
    """Automatic promotion merges as soon as the gates hold."""
    situation = given.situation(
        policy=Policy(name="auto", promote="automatic"), pull=given.pull(), gates=(given.gate(holds=True),)
    )

    assert effects.MergePull in kinds(decide(given.promotion(), situation, given.now))


@pytest.mark.parametrize("command", [commands.PutOnHold(), commands.Rollback()])
def test_hold_and_rollback_disarm(given, command):
    """Whoever says stop is heard."""
    situation = given.situation(
        pull=given.pull(), gates=(given.gate(holds=False),), requests=(given.request(command),)
    )
    decision = decide(given.promotion(armed_by="ada"), situation, given.now)

    assert decision.promotion.armed_by is None
    assert effects.MergePull not in kinds(decision)


def test_a_head_that_moved_disarms_and_is_never_merged(given):
    """A commit pushed between comment and merge is not what the reviewer saw."""
    situation = given.situation(pull=given.pull(head_sha="theirs"), gates=(given.gate(holds=True),))
    decision = decide(given.promotion(armed_by="ada"), situation, given.now)

    assert decision.effects == ()
    assert decision.promotion.armed_by is None
    assert "only its own commit" in decision.promotion.reason


def test_a_merge_that_lost_the_race_against_a_push_disarms(given):
    """The forge's own check of the commit is the last word."""
    after = absorb(given.promotion(armed_by="ada"), effects.MergeRefused("moved", head_moved=True), given.now)

    assert (after.stage, after.armed_by) == (Stage.OPEN, None)


def test_a_merge_by_a_person_is_watched_all_the_same(given):
    """The button is as good as the comment."""
    pull = given.pull(PullState.MERGED, merge_sha="m", merged_by="bob", merged_at=given.now)
    decision = decide(given.promotion(), given.situation(pull=pull), given.now)

    assert (decision.promotion.stage, decision.promotion.merge_sha) == (Stage.SYNCING, "m")


def test_a_bump_that_a_person_closed_stays_closed(given):
    """Slipway does not argue."""
    pull = given.pull(PullState.CLOSED, closed_by="bob")
    decision = decide(given.promotion(), given.situation(pull=pull), given.now)

    assert (decision.promotion.stage, decision.promotion.reason) == (
        Stage.CLOSED,
        "The pull request was closed by bob.",
    )


def test_a_newer_candidate_closes_the_older_bump(given):
    """There are never two open bumps for one target."""
    decision = decide(given.promotion(), given.situation(pull=given.pull(), newer="4"), given.now)

    assert decision.effects == (effects.TellSuperseded(7, "4"), effects.ClosePull(7, "slipway/p1/bump"))
    assert decision.promotion.stage is Stage.CLOSED


def test_a_bump_that_conflicts_is_made_anew_on_the_moved_branch(given):
    """Reviewers never have to rebase for Slipway."""
    situation = given.situation(pull=given.pull(mergeable=False), plan=given.plan())

    assert kinds(decide(given.promotion(), situation, given.now)) == [effects.OpenBump]


# -- syncing ---------------------------------------------------------------------------------------


def live(state: LiveState, reason: str = "why") -> Liveness:
    return Liveness(state, reason)


def test_the_watch_begins_when_the_commit_is_live(given):
    """Not at the merge: what is not live cannot be judged."""
    decision = decide(
        given.promotion(Stage.SYNCING), given.situation(liveness=live(LiveState.LIVE)), given.now
    )

    assert (decision.promotion.stage, decision.promotion.live_at) == (Stage.WATCHING, given.now)


def test_without_slos_live_is_the_end_and_says_so(given):
    """Nothing watched is told as nothing watched."""
    situation = given.situation(environment=given.environment(slo=None), liveness=live(LiveState.LIVE))
    decision = decide(given.promotion(Stage.SYNCING), situation, given.now)

    assert decision.promotion.stage is Stage.PASSED
    assert "nothing was watched" in decision.promotion.reason


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        (LiveState.SYNCING, Stage.HELD),
        (LiveState.FAILED, Stage.HELD),
        (LiveState.WAITING, Stage.SYNCING),
    ],
)
def test_a_sync_that_does_not_end_is_held_with_its_reason(given, state, stage):
    """Stuck is told and held, never judged; while somebody must act first, the deadline waits."""
    promotion = given.promotion(Stage.SYNCING, stage_since=given.now - timedelta(hours=1))
    decision = decide(promotion, given.situation(liveness=live(state, "ComparisonError: x")), given.now)

    assert decision.promotion.stage is stage
    assert "ComparisonError: x" in decision.promotion.reason


# -- watching --------------------------------------------------------------------------------------


def test_a_passed_canary_moves_the_alias_and_writes_the_verdict_down(given):
    """Git and the registry agree."""
    situation = given.situation(verdict=given.verdict(Outcome.PASSED))
    decision = decide(given.promotion(Stage.WATCHING), situation, given.now)

    assert decision.promotion.stage is Stage.PASSED
    assert AliasDue("champion", "3") in decision.promotion.due
    assert TagDue("3", "slipway.production.verdict", "passed") in decision.promotion.due


def test_a_failed_canary_reverts_holds_and_quarantines_by_itself(given):
    """Nobody has to be awake."""
    situation = given.situation(verdict=given.verdict(Outcome.FAILED))
    decision = decide(given.promotion(Stage.WATCHING), situation, given.now)
    following = decide(decision.promotion, given.situation(), given.now)

    assert decision.promotion.stage is Stage.REVERTING
    assert kinds(decision) == [effects.PlaceHold, effects.QuarantineVersion]
    assert AliasDue("champion", "2") in decision.promotion.due
    assert kinds(following) == [effects.OpenRevert]


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.NO_DATA, Outcome.SOURCE_DOWN])
def test_only_failed_reverts(given, outcome):
    """Doubt is for a person: hold, never revert."""
    decision = decide(
        given.promotion(Stage.WATCHING), given.situation(verdict=given.verdict(outcome)), given.now
    )

    assert decision.promotion.stage is Stage.HELD
    assert kinds(decision) == [effects.PlaceHold]


def test_a_policy_that_only_reports_never_reverts(given):
    """Teams may build trust first."""
    situation = given.situation(
        policy=Policy(name="shadow", on_failure="report"), verdict=given.verdict(Outcome.FAILED)
    )
    decision = decide(given.promotion(Stage.WATCHING), situation, given.now)

    assert decision.promotion.stage is Stage.HELD
    assert decision.effects == ()


def test_a_version_merged_later_ends_the_watch_of_the_earlier_one(given):
    """A candidate that no longer runs cannot be judged, nor reverted."""
    decision = decide(given.promotion(Stage.WATCHING), given.situation(overtaken="4"), given.now)

    assert decision.promotion.stage is Stage.CLOSED


# -- reverting -------------------------------------------------------------------------------------


def test_a_revert_is_merged_where_the_policy_says_so(given):
    """The revert needs no word."""
    promotion = given.promotion(Stage.REVERTING, revert_pull=8, revert_head_sha="back")
    situation = given.situation(revert=given.pull(number=8, head_sha="back"))

    assert effects.MergePull(8, "back", revert=True) in decide(promotion, situation, given.now).effects


def test_a_revert_is_left_to_a_person_where_the_policy_says_so(given):
    """Some teams want to press the button themselves."""
    promotion = given.promotion(Stage.REVERTING, revert_pull=8, revert_head_sha="back")
    situation = given.situation(
        policy=Policy(name="p", revert="propose"), revert=given.pull(number=8, head_sha="back")
    )
    word = replace(situation, requests=(given.request(commands.Promote(), via_revert=True),))

    assert decide(promotion, situation, given.now).effects == ()
    assert effects.MergePull(8, "back", revert=True) in decide(promotion, word, given.now).effects


def test_a_reverted_promotion_ends_when_the_baseline_is_live(given):
    """Merged is not live."""
    promotion = given.promotion(Stage.REVERTING, revert_pull=8, revert_merge_sha="r")
    waiting = decide(promotion, given.situation(liveness=live(LiveState.SYNCING)), given.now)
    done = decide(promotion, given.situation(liveness=live(LiveState.LIVE)), given.now)

    assert waiting.promotion.stage is Stage.REVERTING
    assert done.promotion.stage is Stage.REVERTED


def test_a_revert_that_a_person_closed_is_held(given):
    """The candidate is still pinned: a person must know."""
    promotion = given.promotion(Stage.REVERTING, revert_pull=8, revert_head_sha="back")
    situation = given.situation(revert=given.pull(PullState.CLOSED, number=8, closed_by="bob"))
    decision = decide(promotion, situation, given.now)

    assert decision.promotion.stage is Stage.HELD
    assert "closed by bob" in decision.promotion.reason


# -- what people say, in every stage ----------------------------------------------------------------

ROLLBACK = {
    Stage.WAITING: Stage.CLOSED,
    Stage.OPEN: Stage.CLOSED,
    Stage.SYNCING: Stage.REVERTING,
    Stage.WATCHING: Stage.REVERTING,
    Stage.PASSED: Stage.REVERTING,
    Stage.HELD: Stage.REVERTING,
    Stage.REVERTING: Stage.REVERTING,
    Stage.REVERTED: Stage.REVERTED,
    Stage.CLOSED: Stage.CLOSED,
}


@pytest.mark.parametrize(("stage", "expected"), ROLLBACK.items(), ids=str)
def test_rollback_goes_one_step_back_from_every_stage(given, stage, expected):
    """Open: close it. Merged: revert it. Ended: say so."""
    situation = given.situation(
        pull=given.pull() if stage is Stage.OPEN else None,
        requests=(given.request(commands.Rollback("wrong data")),),
    )
    decision = decide(given.promotion(stage), situation, given.now)

    assert decision.promotion.stage is expected
    assert len(answers(decision)) == 1
    if expected is Stage.REVERTING and stage is not Stage.REVERTING:
        assert decision.promotion.revert_reason == "/rollback by ada: wrong data"
        assert effects.PlaceHold in kinds(decision)
        assert effects.QuarantineVersion not in kinds(decision)


EVERY_COMMAND = [
    commands.Promote(),
    commands.Rollback(),
    commands.PutOnHold(),
    commands.PutOnHold(everything=True),
    commands.Release(),
    commands.Release(quarantine=True),
    commands.Retry(),
    commands.PassCanary(),
    commands.FailCanary(),
    commands.ExtendCanary(timedelta(minutes=30)),
    commands.ShowStatus(),
    commands.Explain(),
    commands.ShowHelp(),
]


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("command", EVERY_COMMAND, ids=str)
def test_every_command_in_every_stage_gets_exactly_one_answer(given, stage, command):
    """Nobody is left without a reply."""
    situation = given.situation(
        pull=given.pull() if stage is Stage.OPEN else None, requests=(given.request(command),)
    )
    decision = decide(given.promotion(stage), situation, given.now)

    assert len(answers(decision)) == 1
    assert decision.answered == (1,)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("command", EVERY_COMMAND, ids=str)
def test_a_denied_command_changes_nothing(given, stage, command):
    """Whoever lacks the right cannot make it act."""
    pull = given.pull() if stage is Stage.OPEN else None
    denied = given.situation(pull=pull, requests=(given.request(command, denied="You may not."),))
    silent = given.situation(pull=pull)
    refused = decide(given.promotion(stage), denied, given.now)
    untouched = decide(given.promotion(stage), silent, given.now)

    assert refused.promotion == untouched.promotion
    assert refused.effects == (effects.Answer(1, effects.Tone.NO, "You may not."), *untouched.effects)


def test_promote_after_passing_opens_the_next_environment(given):
    """One step forward."""
    situation = given.situation(next_environments=("eu", "us"), requests=(given.request(commands.Promote()),))
    decision = decide(given.promotion(Stage.PASSED), situation, given.now)

    assert effects.ProposeNext("eu", "ada") in decision.effects
    assert effects.ProposeNext("us", "ada") in decision.effects


def test_a_person_may_end_the_watch_either_way(given):
    """`/canary pass` and `/canary fail` are a person's verdicts."""
    watching = given.promotion(Stage.WATCHING)
    passed = decide(watching, given.situation(requests=(given.request(commands.PassCanary()),)), given.now)
    failed = decide(watching, given.situation(requests=(given.request(commands.FailCanary()),)), given.now)

    assert passed.promotion.stage is Stage.PASSED
    assert failed.promotion.stage is Stage.REVERTING
    assert effects.QuarantineVersion in kinds(failed)


def test_retry_watches_a_held_promotion_from_the_start(given):
    """After the metrics are repaired, a person asks again."""
    decision = decide(
        given.promotion(Stage.HELD), given.situation(requests=(given.request(commands.Retry()),)), given.now
    )

    assert decision.promotion.stage is Stage.SYNCING
    assert effects.ForgetCanary in kinds(decision)
