"""What becomes of a promotion for every stage × command × hold × freeze."""

from datetime import timedelta
from typing import get_args

import pytest

from bot.domain import commands, effects
from bot.domain.decide import decide
from bot.domain.hold import Hold
from bot.domain.promotion import Stage

COMMANDS = {
    "nothing": None,
    "promote": commands.Promote(),
    "override": commands.Promote(override="payments are down"),
    "rollback": commands.Rollback("wrong data"),
    "hold": commands.PutOnHold(),
    "hold all": commands.PutOnHold(everything=True),
    "release": commands.Release(),
    "release quarantine": commands.Release(quarantine=True, reason="the network"),
    "retry": commands.Retry(),
    "pass": commands.PassCanary(),
    "fail": commands.FailCanary(),
    "extend": commands.ExtendCanary(timedelta(minutes=30)),
    "status": commands.ShowStatus(),
    "explain": commands.Explain(),
    "help": commands.ShowHelp(),
    "re-run of gates": commands.Rerun("gates"),
    "re-run of canary": commands.Rerun("canary"),
}
BACK, JUDGE = Stage.REVERTING, Stage.SYNCING
MOVES = {
    (Stage.WAITING, "rollback"): Stage.CLOSED,
    (Stage.OPEN, "rollback"): Stage.CLOSED,
    (Stage.SYNCING, "rollback"): BACK,
    (Stage.WATCHING, "rollback"): BACK,
    (Stage.PASSED, "rollback"): BACK,
    (Stage.HELD, "rollback"): BACK,
    (Stage.HELD, "retry"): JUDGE,
    (Stage.HELD, "re-run of canary"): JUDGE,
    (Stage.WATCHING, "pass"): Stage.PASSED,
    (Stage.HELD, "pass"): Stage.PASSED,
    (Stage.WATCHING, "fail"): BACK,
    (Stage.HELD, "fail"): BACK,
}
"""Where a command moves a promotion; everywhere else it stays. Holds and freezes change none of these: they
stop what goes forward (opening, merging), never what goes back."""


def test_every_command_is_in_the_table():
    """A command that is new to the language fails here until the table says what it does."""
    assert {type(command) for command in COMMANDS.values()} == {type(None), *get_args(commands.Command)}


@pytest.mark.parametrize("frozen", [False, True], ids=["", "frozen"])
@pytest.mark.parametrize("on_hold", [False, True], ids=["", "on hold"])
@pytest.mark.parametrize("said", COMMANDS)
@pytest.mark.parametrize("stage", list(Stage))
def test_decide(given, stage, said, on_hold, frozen):
    """Merges, openings and moves happen exactly where the table says."""
    command = COMMANDS[said]
    hold = Hold("acme/models", "fraud", "production", "ada", "incident", given.now)
    situation = given.situation(
        plan=given.plan() if stage in (Stage.WAITING, Stage.OPEN) else None,
        pull=given.pull() if stage is Stage.OPEN else None,
        holds=(hold,) if on_hold else (),
        gates=(
            given.gate(name="hold", holds=not on_hold),
            given.gate(name="freeze", holds=not frozen, pending=frozen),
        ),
        requests=(given.request(command),) if command is not None else (),
    )
    decision = decide(given.promotion(stage), situation, given.now)
    kinds = [type(effect) for effect in decision.effects]

    assert decision.promotion.stage is MOVES.get((stage, said), stage)
    # The situation is as it was before the word: what an override or a release opens comes at the next look.
    wants_merge = stage is Stage.OPEN and said in ("promote", "override")
    assert (effects.MergePull in kinds) == (wants_merge and not on_hold and not frozen)
    assert (decision.promotion.armed_by == "ada") == wants_merge
    assert (decision.promotion.override is not None) == (wants_merge and said == "override")
    opens = stage is Stage.WAITING and said not in ("rollback", "hold", "hold all") and not on_hold
    rebuilds = stage is Stage.OPEN and said == "retry"
    assert (effects.OpenBump in kinds) == (opens or rebuilds)
    assert (effects.ClosePull in kinds) == (stage is Stage.OPEN and said == "rollback")
    assert (effects.AbandonBump in kinds) == (stage is Stage.WAITING and said == "rollback")
    assert (effects.ReleaseHold in kinds) == (on_hold and said == "release")
    goes_back = MOVES.get((stage, said)) is BACK
    assert (effects.PlaceHold in kinds) == (said in ("hold", "hold all") or goes_back)
    assert (effects.QuarantineVersion in kinds) == (goes_back and said == "fail")
