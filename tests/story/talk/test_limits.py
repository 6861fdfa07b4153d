"""GitHub's limits on the running product: nothing is lost, nobody hammers, and it is told."""

import re
import time

import httpx
import pytest

from tests.fakes.running import POLICY, wait_for


def metric(running, name, installation):
    """The value of one of Slipway's own metrics."""
    text = httpx.get(f"{running.url}/metrics", trust_env=False).text
    found = re.search(rf'^{name}{{installation="{installation}"(?:,[^}}]*)?}} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else None


@pytest.mark.parametrize("status", [403, 429])
def test_a_pause_that_github_asks_for_is_kept_and_then_everything_is_done(running, status):
    """Not one request in the meantime, the pause is in the metrics, and the promotion goes on by itself."""
    talk = running.conversation(POLICY)
    pull = talk.alias()
    limits = running.server.world.limits
    limits.pause("installation", status, 5)
    began = time.monotonic()
    comment = talk.say("ada", pull, "/promote")
    paused = wait_for(
        lambda: metric(running, "slipway_github_pause_seconds", talk.installation) or None, "a pause"
    )
    assert 0 < paused <= 5
    used = limits.used(f"installation:{talk.installation}")[0]
    wait_for(lambda: limits.paused(f"installation:{talk.installation}") is None or None, "its end")
    assert limits.used(f"installation:{talk.installation}")[0] - used <= 3  # as many as were on their way

    talk.reached(pull, "passed")
    assert time.monotonic() - began >= 5
    assert "rocket" in wait_for(lambda: talk.reactions(comment) or None, "the reaction")


def test_requests_are_counted_by_what_came_of_them(running):
    """Answered, unchanged, refused: what an operator needs to see a limit coming."""
    talk = running.conversation(POLICY)
    talk.alias()

    assert metric(running, "slipway_github_requests_remaining", talk.installation) > 0
    assert metric(running, "slipway_github_requests_total", talk.installation) > 0
