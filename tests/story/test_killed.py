"""Slipway is killed in the middle of the story, again and again, and ends it all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.outside import Outside
from bot.sandbox.processes import wait_until
from bot.sandbox.world import World

pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    with World(folder) as started:
        started.start(lambda _step: None)
        yield started


@pytest.fixture
def outside(world: World) -> Iterator[Outside]:
    eyes = Outside(world)
    yield eyes
    eyes.close()


def kill_and_restart(world: World) -> None:
    world.slipway.kill()
    world.slipway.start()
    world.slipway.wait_ready()


def test_a_killed_slipway_finishes_with_one_pull_request_and_one_revert(world: World, outside: Outside):
    """SIGKILL before the pull request, at the merge, in the watch and at the revert: nothing is lost or doubled."""
    outside.set_alias("candidate", "3")
    kill_and_restart(world)
    wait_until(lambda: len(outside.pulls()) == 1, 180, "the pull request for version 3")
    bump = outside.pulls()[0]["number"]

    outside.say(bump, "/promote")
    kill_and_restart(world)
    wait_until(lambda: outside.pull(bump)["merged"], 180, "the merge of version 3")
    assert outside.pinned() == "3"

    wait_until(lambda: outside.serving(1.0) == {"3"}, 180, "version 3 in production")
    kill_and_restart(world)
    wait_until(lambda: len(outside.pulls()) == 2, 240, "the revert pull request")
    kill_and_restart(world)
    wait_until(lambda: outside.pinned() == "1", 180, "the revert on the default branch")
    wait_until(lambda: outside.serving(1.0) == {"1"}, 180, "version 1 in production")

    revert, first = outside.pulls()
    assert (first["number"], first["merged_at"] is not None) == (bump, True)
    assert revert["title"].startswith("Revert")
    assert outside.alias("champion") == "1"
