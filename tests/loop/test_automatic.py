"""From environment to environment without a word, where the policy says so."""

import pytest

from bot.domain.promotion import Stage

CONFIG = b"""\
version: 1
models:
  fraud:
    storage: "models:/{model}/{version}"
    environments:
      staging:
        targets: [{file: staging.yaml, pointer: /uri}]
        policy: automatic
      production:
        after: staging
        targets: [{file: prod.yaml, pointer: /uri}]
        policy: soaked
"""


@pytest.fixture
def chain(world):
    """Staging merges by itself; production wants an hour of soak."""
    world.configure(
        {
            "slipway.yaml": CONFIG,
            "staging.yaml": b"uri: models:/fraud/1\n",
            "policies/automatic.yaml": b"promote: automatic\n",
            "policies/soaked.yaml": b"promote: automatic\nsoak: 1h\n",
        }
    )
    return world


def test_gates_that_hold_merge_and_passed_opens_the_next_environment_after_its_soak(chain):
    """Nobody says anything, and nobody's hour is cut short."""
    chain.alias("2")
    staging, production = chain.promotions()
    assert (staging.stage, production.stage) == (Stage.PASSED, Stage.WAITING)
    assert production.reason.startswith("It soaks in staging until ")
    assert chain.open_pulls() == []

    chain.until(lambda: chain.newest().stage is not Stage.WAITING, step=300, limit=4000)
    assert chain.clock.offset.total_seconds() >= 3600
    assert chain.newest().stage is Stage.PASSED
    assert chain.pinned() == "models:/fraud/2"


def test_what_a_person_asks_for_is_opened_at_once_and_waits_at_its_soak(chain):
    """A reviewer may begin to read while it soaks."""
    chain.configure({"policies/automatic.yaml": b"{}\n"})
    chain.alias("2")
    chain.say("ada", "/promote")
    staging = chain.newest()
    assert staging.stage is Stage.PASSED
    chain.say("ada", "/promote", staging.pull)

    assert (chain.newest().environment, chain.newest().stage) == ("production", Stage.OPEN)
    assert "it must run in staging for" in chain.status(chain.newest().pull)


def test_a_version_that_soaks_does_not_take_the_place_of_the_open_bump(chain):
    """Otherwise a version a day would never reach production."""
    chain.configure({"policies/soaked.yaml": b"soak: 1h\n"})
    chain.alias("2")
    chain.until(lambda: chain.newest().stage is Stage.OPEN, step=300, limit=4000)
    older = chain.newest()
    chain.alias("3")
    chain.later(60)
    assert chain.open_pulls() == [older.pull]

    chain.until(lambda: chain.newest().stage is Stage.OPEN, step=300, limit=4000)
    assert chain.open_pulls() == [chain.newest().pull]
    assert chain.newest().candidate == "3"


def test_a_version_that_left_before_it_had_soaked_is_not_opened(chain):
    """It did not run there for an hour, and says who took its place; the newer one goes on by itself."""
    chain.alias("2")
    chain.until(lambda: chain.promotions()[0].stage is Stage.PASSED)
    chain.later(600)
    chain.alias("3")
    chain.later(4000)
    chain.until(
        lambda: chain.newest().environment == "production" and chain.newest().pull is not None, step=300
    )
    left = next(p for p in chain.promotions() if p.environment == "production" and p.candidate == "2")

    assert left.pull is None
    assert chain.newest().candidate == "3"
    assert chain.pinned() == "models:/fraud/3"


def test_why_a_version_can_no_longer_soak_is_told(chain):
    """By hand it is open, and the gate says so; taking the newer version back lets it go on."""
    chain.configure({"policies/automatic.yaml": b"{}\n"})
    chain.alias("2")
    chain.say("ada", "/promote")
    first = chain.newest().pull
    chain.later(600)
    chain.alias("3")
    chain.say("ada", "/promote")
    second = chain.newest().pull
    chain.say("ada", "/promote", first)
    waiting = chain.newest()
    told = chain.status(waiting.pull)
    chain.say("ada", "/rollback wrong data", second)
    chain.later(4000)

    assert "it must run in staging for 1 hour, and version 3 took its place after 10 minutes" in told
    assert chain.store.load(waiting.id).promotion.stage is Stage.PASSED
