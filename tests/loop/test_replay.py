"""A stored canary replays to the verdict that it gave."""

import pytest

from bot.analysis.replay import replay
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
