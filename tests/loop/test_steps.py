"""Progressive traffic through the whole engine: 10%, 50%, 100%, and back."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from bot.adapters.database.connection import libpq_url
from bot.cli import app
from bot.domain.hold import Hold
from bot.domain.live import Liveness, LiveState
from bot.domain.promotion import Stage
from bot.domain.pull import PullState
from bot.domain.verdict import Outcome

CONFIG = b"""\
version: 1
models:
  fraud:
    when: {alias: candidate}
    storage: "models:/{model}/{version}"
    environments:
      production:
        targets: [{kserve: service.yaml}]
        argocd: fraud-production
        policy: quick
        alias: champion
        traffic:
          steps: [10, 50, 100]
          weights: [{kserve: service.yaml, field: canaryTrafficPercent, insert: true}]
        slo:
          preset: fastapi
          selector: 'version="{version}"'
          baseline: 'version="{baseline}"'
          errors: {objective: 99%}
"""
SERVICE = b"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: fraud}
spec:
  predictor:
    minReplicas: 1  # never cold
    model:
      modelFormat: {name: sklearn}
      storageUri: models:/fraud/1
"""


@dataclass
class SideBySide:
    """Two versions beside each other: only the candidate's requests turn bad."""

    both: object

    def raw(self, selector, start, end):
        if 'version="1"' not in selector:
            return self.both.raw(selector, start, end)
        return [] if "5.." in selector else self.both.raw(selector, start, end)

    def instant(self, query, at):
        return []


@pytest.fixture
def stepping(world):
    """The world with an environment that gives traffic in steps."""
    good = world.traffic
    world.traffic = SideBySide(good)
    world.restart()
    world.traffic = good
    world.configure({"slipway.yaml": CONFIG, "service.yaml": SERVICE})
    return world


def service(world) -> str:
    return world.forge.read("service.yaml", world.forge.head()).decode()


def share(world) -> str | None:
    lines = [line.strip() for line in service(world).splitlines() if "canaryTrafficPercent" in line]
    return lines[0].removeprefix("canaryTrafficPercent: ") if lines else None


def shares(world) -> list[str | None]:
    """Every share that the default branch ever had, oldest first."""
    line = [world.forge.head()]
    while parents := world.forge.commits[line[-1]].parents:
        line.append(parents[0])
    history: list[str | None] = []
    for sha in reversed(line):
        text = world.forge.commits[sha].files.get("service.yaml", b"").decode()
        found = [line.split()[-1] for line in text.splitlines() if "canaryTrafficPercent" in line]
        value = found[0] if found else None
        if not history or history[-1] != value:
            history.append(value)
    return history


def promoted(world, version: str = "2"):
    world.alias(version)
    world.say("ada", "/promote")
    return world.newest()


def test_each_step_is_a_commit_of_slipway_and_is_judged_before_the_next(stepping):
    """10%, 50%, 100%: one small pull request each, in one promotion, and passed at the end."""
    promotion = promoted(stepping)
    assert (share(stepping), promotion.stage, promotion.weight) == ("10", Stage.WATCHING, 10)
    assert "storageUri: models:/fraud/2" in service(stepping)

    stepping.until(lambda: share(stepping) == "50", step=3)
    assert stepping.newest().merged_at is not None
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)

    assert shares(stepping) == [None, "10", "50", "100"]
    assert len(stepping.promotions()) == 1
    assert stepping.open_pulls() == []
    assert stepping.registry.alias("fraud", "champion") == "2"
    moves = [(line.stage_from, line.stage_to) for line in stepping.store.transitions(promotion.id)]
    assert moves.count(("watching", "syncing")) == 2
    assert "Traffic: **10%** → **50%** → **100%**" in stepping.status(promotion.pull)


def test_the_verdict_on_each_share_can_be_replayed(stepping):
    """All three of one promotion, one after the other, each from its own windows."""
    promotion = promoted(stepping)
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)

    address = ["--database", libpq_url(stepping.engine)]
    told = CliRunner().invoke(app, ["replay", promotion.id, *address])

    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert [line.split(" with ")[1].split("%")[0] for line in lines if " with " in line] == [
        "10",
        "50",
        "100",
    ]
    assert lines.count("The same: `passed`, from the same data to the last digit.") == 3


def test_a_failure_after_a_pass_is_replayed_too(stepping):
    """A freeze kept the next step waiting, the watch went on, and the candidate broke."""
    promotion = promoted(stepping)
    hold = Hold("octo/gitops", "fraud", "production", "eve", "incident", stepping.clock.now())
    stepping.store.place_hold(hold)
    stepping.until(lambda: stepping.newest().verdict is not None)
    assert stepping.newest().verdict.outcome is Outcome.PASSED
    stepping.traffic.turn_bad(0.3)
    stepping.until(lambda: stepping.newest().verdict.outcome is Outcome.FAILED)

    told = CliRunner().invoke(app, ["replay", promotion.id, "--database", libpq_url(stepping.engine)])

    assert told.exit_code == 0, told.output
    assert "The same: `failed`, from the same data to the last digit." in told.output


def test_the_steps_change_one_number_and_nothing_else(stepping):
    """Comments and order of the manifest stay; the number is no string."""
    promoted(stepping)
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)

    added = SERVICE.replace(b"fraud/1", b"fraud/2").replace(
        b"# never cold\n", b"# never cold\n    canaryTrafficPercent: 100\n"
    )
    assert service(stepping).encode() == added


@pytest.mark.parametrize("at", [10, 50, 100])
def test_a_failure_at_any_step_goes_back_to_0_and_reverts(stepping, at):
    """The traffic goes first, then the pins, and nothing of the candidate is left."""
    promotion = promoted(stepping)
    stepping.until(lambda: stepping.newest().weight == at and stepping.newest().stage is Stage.WATCHING)
    stepping.traffic.turn_bad(0.4)
    stepping.until(lambda: stepping.newest().stage is Stage.REVERTED)

    reached = [str(each) for each in (10, 50, 100) if each <= at]
    assert shares(stepping) == [None, *reached, "0", None]
    assert service(stepping).encode() == SERVICE
    assert stepping.open_pulls() == []
    assert stepping.store.quarantine("octo/gitops", "fraud", "production", "2") is not None
    assert stepping.newest().id == promotion.id


@pytest.mark.parametrize("at", [10, 50])
def test_rollback_at_any_step_does_the_same(stepping, at):
    """One word, whatever the share."""
    promotion = promoted(stepping)
    stepping.until(lambda: stepping.newest().weight == at and stepping.newest().stage is Stage.WATCHING)
    stepping.say("ada", "/rollback", promotion.pull)
    stepping.until(lambda: stepping.newest().stage is Stage.REVERTED)

    assert shares(stepping)[-2:] == ["0", None]
    assert service(stepping).encode() == SERVICE


def test_a_word_in_the_steps_own_pull_request_counts(stepping):
    """People say `/rollback` where they are."""
    promoted(stepping)
    stepping.until(lambda: share(stepping) == "50")
    step = stepping.newest().step
    stepping.say("ada", "/rollback", step.pull)
    stepping.until(lambda: stepping.newest().stage is Stage.REVERTED)

    assert service(stepping).encode() == SERVICE


def test_a_hold_stops_further_steps_and_the_watch_goes_on(stepping):
    """What stays at 10% is still watched, and a release lets it go on."""
    promotion = promoted(stepping)
    stepping.say("ada", "/hold a big sale", promotion.pull)
    for _ in range(60):
        stepping.later(5)
    assert (share(stepping), stepping.newest().stage) == ("10", Stage.WATCHING)
    assert "Passed at 10%; 50% waits, and the watch goes on: on hold by ada" in stepping.newest().reason

    stepping.say("ada", "/release", promotion.pull)
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)
    assert shares(stepping) == [None, "10", "50", "100"]


def test_what_fails_while_its_step_is_on_hold_is_taken_back(stepping):
    """A hold stops what goes forward, never what goes back."""
    promotion = promoted(stepping)
    stepping.say("ada", "/hold", promotion.pull)
    stepping.until(lambda: "waits" in stepping.newest().reason)
    stepping.traffic.turn_bad(0.4)
    stepping.until(lambda: stepping.newest().stage is Stage.REVERTED)

    assert service(stepping).encode() == SERVICE


def test_a_refused_step_waits_and_says_why(stepping):
    """Branch protection holds for steps too."""
    promoted(stepping)
    stepping.forge.refuses_merge = "2 approving reviews are required"
    stepping.until(lambda: "2 approving reviews are required" in stepping.newest().reason)
    assert (share(stepping), stepping.newest().stage) == ("10", Stage.WATCHING)
    assert len(stepping.open_pulls()) == 1

    stepping.forge.refuses_merge = None
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)
    assert shares(stepping) == [None, "10", "50", "100"]


def test_a_person_may_merge_a_step(stepping):
    """However it was merged, it is watched."""
    promoted(stepping)
    stepping.forge.refuses_merge = "a person must"
    stepping.until(lambda: len(stepping.open_pulls()) == 1)
    (number,) = stepping.open_pulls()
    stepping.forge.refuses_merge = None
    stepping.forge.merge_as(number, "ada")
    stepping.closed(number)

    assert (share(stepping), stepping.newest().weight) == ("50", 50)
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)


def test_a_step_that_a_person_closed_is_held_and_opened_again_by_retry(stepping):
    """No is an answer; `/retry` takes it back."""
    promotion = promoted(stepping)
    stepping.forge.refuses_merge = "wait"
    stepping.until(lambda: len(stepping.open_pulls()) == 1)
    stepping.forge.refuses_merge = None
    stepping.forge.close_as(stepping.open_pulls()[0], "ada")
    stepping.until(lambda: stepping.newest().stage is Stage.HELD)
    assert stepping.newest().reason == "Passed at 10%; the step to 50% was closed by ada."

    stepping.say("ada", "/release", promotion.pull)
    stepping.say("ada", "/retry", promotion.pull)
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)
    assert shares(stepping) == [None, "10", "50", "100"]


def test_a_restart_and_doubled_events_at_every_moment_do_no_harm(stepping):
    """Every share once, one pull request each, whatever is repeated."""
    promotion = promoted(stepping)
    for _ in range(200):
        stepping.later(3)
        stepping.store.wake([promotion.id, promotion.id])
        good, stepping.traffic = stepping.traffic, SideBySide(stepping.traffic)
        stepping.restart()
        stepping.traffic = good
        stepping.drain()
        if stepping.newest().stage is Stage.PASSED:
            break

    assert stepping.newest().stage is Stage.PASSED
    assert shares(stepping) == [None, "10", "50", "100"]
    merged = [pull for pull in stepping.forge.pulls.values() if pull.state is PullState.MERGED]
    assert len(merged) == 3


def test_the_next_step_waits_until_this_one_is_live(stepping):
    """A rollout that rests at its share is live for a step; one that is on its way is not."""
    promoted(stepping)
    stepping.cluster.answer = Liveness(LiveState.SYNCING, "a sync is running")
    stepping.until(lambda: stepping.newest().weight == 50)
    stepping.later(30)
    assert stepping.newest().stage is Stage.SYNCING

    stepping.cluster.answer = Liveness(LiveState.WAITING, "its health is Suspended", paused=True)
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)


def test_the_revert_waits_for_the_share_of_0_but_not_for_ever(stepping):
    """An Argo CD that is stuck does not keep the baseline away."""
    promoted(stepping)
    stepping.cluster.answer = Liveness(LiveState.SYNCING, "stuck")
    stepping.traffic.turn_bad(0.5)
    stepping.until(lambda: share(stepping) == "0")
    stepping.later(5)
    assert share(stepping) == "0"

    stepping.until(lambda: share(stepping) is None, limit=200)
    assert "storageUri: models:/fraud/1" in service(stepping)


def test_a_policy_that_only_proposes_reverts_restores_all_in_one(stepping):
    """Nothing is merged that the policy leaves to a person."""
    policy = stepping.forge.read("policies/quick.yaml", "main") + b"revert: propose\n"
    stepping.configure({"policies/quick.yaml": policy})
    promotion = promoted(stepping)
    stepping.traffic.turn_bad(0.5)
    stepping.until(lambda: stepping.newest().revert_pull is not None)
    assert share(stepping) == "10"

    stepping.say("ada", "/promote", stepping.newest().revert_pull)
    stepping.until(lambda: stepping.newest().stage is Stage.REVERTED)
    assert (promotion.id, service(stepping).encode()) == (stepping.newest().id, SERVICE)


def test_a_freeze_stops_steps_and_not_reverts(stepping):
    """A calendar window in which nothing goes forward."""
    promotion = promoted(stepping)
    now = stepping.clock.now() + timedelta(hours=1)
    frozen = f"freeze: [{{cron: '{now.minute} {(now.hour - 2) % 24} * * *', duration: 23h, reason: sale}}]\n"
    policy = stepping.forge.read("policies/quick.yaml", "main") + frozen.encode()
    stepping.configure({"policies/quick.yaml": policy})
    stepping.until(lambda: "50% waits, and the watch goes on: frozen until" in stepping.newest().reason)
    assert share(stepping) == "10"

    stepping.say("ada", "/rollback", promotion.pull)
    stepping.until(lambda: stepping.newest().stage is Stage.REVERTED)
    assert service(stepping).encode() == SERVICE


def test_the_configuration_may_lose_its_steps_on_the_way(stepping):
    """A person must look then; nothing is guessed."""
    promoted(stepping)
    before, _, after = CONFIG.partition(b"        traffic:\n")
    without = before + after[after.index(b"        slo:") :]
    stepping.configure({"slipway.yaml": without})
    stepping.until(lambda: stepping.newest().stage is Stage.HELD)

    assert "The steps are no longer configured" in stepping.newest().reason
    assert share(stepping) == "10"


def test_the_version_that_is_pinned_already_opens_nothing(stepping):
    """A share alone is no promotion."""
    promoted(stepping)
    stepping.until(lambda: stepping.newest().stage is Stage.PASSED)
    before = service(stepping)
    stepping.proposer.begin("octo/gitops", "fraud", "production", "2", "ada")
    stepping.until(lambda: stepping.newest().stage is not Stage.WAITING)

    assert service(stepping) == before
    assert stepping.open_pulls() == []


SLOTS_CONFIG = CONFIG.replace(
    b"""        targets: [{kserve: service.yaml}]
""",
    b"""        targets: [{file: slots.yaml, pointer: /baseline/uri}]
""",
).replace(
    b"""          weights: [{kserve: service.yaml, field: canaryTrafficPercent, insert: true}]
""",
    b"""          candidate: [{file: slots.yaml, pointer: /candidate/uri}]
          weights:
            - {file: slots.yaml, pointer: /candidate/weight}
            - {file: slots.yaml, pointer: /baseline/weight, value: "{rest}"}
""",
)
SLOTS = b"""\
baseline: {uri: models:/fraud/1, weight: 100}  # what everybody gets
candidate: {uri: models:/fraud/1, weight: 0}
"""


def slots(world) -> str:
    return world.forge.read("slots.yaml", world.forge.head()).decode()


@pytest.fixture
def slotted(stepping):
    """Two backends beside each other, each with its own pin and weight."""
    stepping.configure({"slipway.yaml": SLOTS_CONFIG, "slots.yaml": SLOTS})
    return stepping


def test_a_second_slot_holds_the_candidate_until_everybody_gets_it(slotted):
    """The baseline's own pin follows with the last step only, and the two weights add up to 100."""
    promoted(slotted)
    assert slots(slotted) == SLOTS.decode().replace("weight: 100", "weight: 90").replace(
        "{uri: models:/fraud/1, weight: 0}", "{uri: models:/fraud/2, weight: 10}"
    )

    slotted.until(lambda: "weight: 50}  #" in slots(slotted), step=3)
    assert "baseline: {uri: models:/fraud/1" in slots(slotted)
    slotted.until(lambda: slotted.newest().stage is Stage.PASSED)

    assert slots(slotted) == SLOTS.decode().replace("fraud/1", "fraud/2").replace(
        "weight: 100", "weight: 0"
    ).replace("weight: 0}\n", "weight: 100}\n")
    assert slotted.registry.alias("fraud", "champion") == "2"


@pytest.mark.parametrize("at", [10, 100])
def test_a_failure_in_a_second_slot_restores_both(slotted, at):
    """Also after the last step, which moved the baseline's pin too."""
    promoted(slotted)
    slotted.until(lambda: slotted.newest().weight == at and slotted.newest().stage is Stage.WATCHING)
    slotted.traffic.turn_bad(0.4)
    slotted.until(lambda: slotted.newest().stage is Stage.REVERTED)

    assert slots(slotted) == SLOTS.decode()


def test_a_version_after_one_in_a_second_slot_starts_beside_it(slotted):
    """The next candidate takes the slot that is free: the baseline gets its traffic back with the first share."""
    promoted(slotted)
    slotted.until(lambda: slotted.newest().stage is Stage.PASSED)
    slotted.later(5)
    promotion = promoted(slotted, "3")

    assert promotion.baseline == "2"
    assert slots(slotted) == SLOTS.decode().replace("fraud/1, weight: 100", "fraud/2, weight: 90").replace(
        "{uri: models:/fraud/1, weight: 0}", "{uri: models:/fraud/3, weight: 10}"
    )
