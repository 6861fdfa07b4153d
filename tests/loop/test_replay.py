"""A stored canary replays to the verdict that it gave."""

import pytest
from typer.testing import CliRunner

from bot.adapters.database.connection import libpq_url
from bot.analysis.replay import replay
from bot.cli import app
from bot.domain.promotion import Stage
from bot.domain.verdict import Outcome
from bot.jobs.canary import recorded


def again(world):
    promotion = world.newest()
    kept = world.store.watched(promotion.id)
    return replay(recorded(kept, world.store.windows(promotion.id)), promotion.verdict)


@pytest.mark.parametrize("bad", [False, True])
def test_what_was_stored_replays_to_the_same_verdict(world, bad):
    """From the database, to the last digit, passed or failed."""
    world.alias("2")
    world.say("ada", "/promote")
    if bad:
        world.traffic.turn_bad(0.3)
    world.until(lambda: world.newest().verdict is not None)

    result = again(world)
    assert result.agrees, result.sentence
    assert result.verdict.outcome is (Outcome.FAILED if bad else Outcome.PASSED)
    assert world.newest().stage is not Stage.WATCHING


def test_the_command_replays_from_the_database(world):
    """A table and one sentence; exit 1 only where it does not come out the same."""
    world.alias("2")
    world.say("ada", "/promote")
    world.traffic.turn_bad(0.3)
    world.until(lambda: world.newest().verdict is not None)
    address = ["--database", libpq_url(world.engine)]
    told = CliRunner().invoke(app, ["replay", world.newest().id, *address])
    unknown = CliRunner().invoke(app, ["replay", "nobody", *address])

    assert told.exit_code == 0, told.output
    heading, sentence, _, errors = told.output.splitlines()
    assert heading.startswith("fraud version 2 in production, judged ")
    assert sentence == "The same: `failed`, from the same data to the last digit."
    assert errors.split()[0] == "errors"
    assert errors.split()[-1] == "failed"
    assert (unknown.exit_code, unknown.output) == (2, "there is no promotion nobody\n")
