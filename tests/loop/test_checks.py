"""Checks of a live candidate through the whole engine: what passes, what is taken back, what a person decides."""

import json

import pytest

from bot.domain.checks import CheckState
from bot.domain.promotion import Stage
from bot.ports import Forbidden, HttpAnswer, Unavailable

CONFIG = """\
version: 1
models:
  fraud:
    when: {alias: candidate}
    storage: "models:/{model}/{version}"
    environments:
      staging:
        targets: [{file: staging.yaml, pointer: /uri}]
        policy: quick
        checks:
          alive: {probe: "http://fraud.staging/healthz", patience: 20s}
          same: {parity: "http://fraud.staging/predict", patience: 20s}
          integration: {workflow: integration.yml, address: "http://fraud.staging/"}
      production:
        after: staging
        targets: [{file: prod.yaml, pointer: /uri}]
        policy: quick
"""
EXAMPLE = {"dataframe_split": {"columns": ["amount"], "data": [[10.0], [20.0]]}}
EXPECTED = [0.25, 0.75]
ALIVE, PREDICT = "http://fraud.staging/healthz", "http://fraud.staging/predict"


def answer(document, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, json.dumps(document).encode())


@pytest.fixture
def checked(world):
    """The world with checks in staging, and everything in order."""
    world.forge.workflows.add("integration.yml")
    world.configure({"slipway.yaml": CONFIG.encode(), "staging.yaml": b"uri: models:/fraud/1\n"})
    for version in ("2", "3"):
        world.registry.artifacts["fraud", version, "serving_input_example.json"] = json.dumps(
            EXAMPLE
        ).encode()
        world.registry.artifacts["fraud", version, "slipway/expected_output.json"] = json.dumps(
            EXPECTED
        ).encode()
    world.services.answers = {
        ALIVE: answer({"ok": True}),
        PREDICT: answer({"predictions": [0.25, 0.7500001]}),
    }
    return world


def promoted(world, version: str = "2"):
    world.alias(version)
    world.say("ada", "/promote")
    return world.newest()


def conclude(world, conclusion: str) -> None:
    for run, (workflow, name, _) in list(world.forge.runs.items()):
        world.forge.runs[run] = (workflow, name, conclusion)


def results(world) -> dict[str, CheckState]:
    return {result.name: result.state for result in world.newest().checks}


def staging(world) -> str:
    return world.forge.read("staging.yaml", world.forge.head()).decode().strip().removeprefix("uri: ")


def test_a_candidate_passes_when_all_its_checks_do(checked):
    """Probe, parity and workflow; and what was sent and answered can be read."""
    promotion = promoted(checked)
    checked.later(6)
    assert results(checked)["integration"] is CheckState.PENDING
    assert checked.newest().stage is Stage.WATCHING
    assert "Not settled yet: integration." in checked.newest().reason

    conclude(checked, "success")
    checked.until(lambda: checked.newest().stage is Stage.PASSED)
    shown = checked.status(promotion.pull)
    assert set(results(checked).values()) == {CheckState.PASSED}
    assert f"POST {PREDICT}" in shown
    assert "0.7500001" in shown
    assert len(checked.forge.dispatched) == 1
    assert checked.forge.dispatched[0][1]["version"] == "2"
    assert checked.forge.dispatched[0][1]["address"] == "http://fraud.staging/"


def test_the_next_environment_means_that_they_passed_here(checked):
    """`after: staging` waits for the checks of staging."""
    promotion = promoted(checked)
    checked.say("ada", "/promote", promotion.pull)
    assert [each.environment for each in checked.promotions()] == ["staging"]

    conclude(checked, "success")
    checked.until(lambda: checked.newest().stage is Stage.PASSED)
    checked.say("ada", "/promote", promotion.pull)
    assert [each.environment for each in checked.promotions()] == ["staging", "production"]


def test_a_service_that_answers_as_another_model_is_taken_back(checked):
    """The wrong model, the wrong preprocessing, the wrong libraries: found before any user complains."""
    checked.services.answers[PREDICT] = answer({"predictions": [0.25, 0.31]})
    promoted(checked)
    checked.until(lambda: checked.newest().stage is Stage.REVERTED)

    assert staging(checked) == "models:/fraud/1"
    assert "Check same: /1 is 0.31 instead of 0.75" in checked.newest().revert_reason
    assert checked.store.quarantine("octo/gitops", "fraud", "staging", "2") is not None


def test_a_service_that_needs_a_moment_gets_it(checked):
    """A route may come up after the rollout; a wrong answer counts when the patience is over."""
    del checked.services.answers[ALIVE]
    promoted(checked)
    checked.later(10)
    assert results(checked)["alive"] is CheckState.PENDING

    checked.services.answers[ALIVE] = answer({})
    conclude(checked, "success")
    checked.until(lambda: checked.newest().stage is Stage.PASSED)


def test_a_failed_workflow_takes_the_candidate_back(checked):
    """Its conclusion counts."""
    promoted(checked)
    conclude(checked, "failure")
    checked.until(lambda: checked.newest().stage is Stage.REVERTED)

    assert checked.newest().revert_reason == "Check integration: integration.yml failed"


@pytest.mark.parametrize(
    ("on_failure", "stage"),
    [("hold", Stage.HELD), ("report", Stage.PASSED), ("revert", Stage.REVERTED)],
)
def test_what_a_failure_does_is_configured(checked, on_failure, stage):
    """Taken back, left to a person, or only shown."""
    wanted = CONFIG.replace(
        "patience: 20s}\n          same", f"patience: 20s, on_failure: {on_failure}}}\n          same"
    )
    checked.configure({"slipway.yaml": wanted.encode()})
    checked.services.answers[ALIVE] = answer({}, 503)
    promoted(checked)
    conclude(checked, "success")
    checked.until(lambda: checked.newest().stage is stage)

    assert results(checked)["alive"] is CheckState.FAILED
    if stage is Stage.HELD:
        assert checked.newest().reason == "Check alive: it answered 503 instead of 200"


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        (
            "serving_input_example.json",
            "has no `serving_input_example.json`: log the model with `input_example=`",
        ),
        ("slipway/expected_output.json", "has no `slipway/expected_output.json`"),
    ],
)
def test_what_cannot_be_asked_is_held_and_never_reverts(checked, absent, said):
    """A missing example says nothing of the candidate."""
    del checked.registry.artifacts["fraud", "2", absent]
    promoted(checked)
    checked.until(lambda: checked.newest().stage is Stage.HELD)

    assert said in checked.newest().reason
    assert staging(checked) == "models:/fraud/2"


def test_a_right_that_is_missing_is_named(checked):
    """A sentence that says what to do."""
    checked.forge.workflows.clear()
    promoted(checked)
    checked.until(lambda: checked.newest().stage is Stage.HELD)

    assert "there is no workflow integration.yml" in checked.newest().reason
    assert "`actions: write`" in checked.newest().reason


def test_a_registry_that_is_away_is_waited_for(checked):
    """Its absence says nothing of the candidate either, and delays no other check."""
    checked.alias("2")
    pull = checked.newest().pull
    real = checked.registry.artifact

    def away(*_):
        raise Unavailable("MLflow", "connection refused")

    checked.registry.artifact = away
    checked.say("ada", "/promote", pull)
    conclude(checked, "success")
    for _ in range(10):
        checked.later(10)
    assert (checked.newest().stage, results(checked)["same"]) == (Stage.WATCHING, CheckState.PENDING)
    assert results(checked)["alive"] is CheckState.PASSED

    checked.registry.artifact = real
    checked.until(lambda: checked.newest().stage is Stage.PASSED)


def test_a_run_that_nobody_can_find_is_told(checked):
    """Without the input in its name a run is nobody's."""
    promoted(checked)
    checked.forge.runs.clear()
    checked.until(lambda: checked.newest().stage is Stage.HELD)

    assert "give the workflow `run-name: ${{ inputs.slipway }}`" in checked.newest().reason
    assert len(checked.forge.dispatched) == 1


def test_a_crash_after_the_dispatch_dispatches_nothing_twice(checked):
    """The run is looked for before it is asked for."""
    real = checked.forge.dispatch_workflow

    def dies(workflow, inputs):
        real(workflow, inputs)
        raise Unavailable("GitHub", "connection reset")

    checked.forge.dispatch_workflow = dies
    promoted(checked)
    checked.forge.dispatch_workflow = real
    conclude(checked, "success")
    checked.until(lambda: checked.newest().stage is Stage.PASSED)

    assert len(checked.forge.dispatched) == 1


def test_retry_asks_them_anew(checked):
    """After the cause is gone."""
    checked.forge.workflows.clear()
    promotion = promoted(checked)
    checked.until(lambda: checked.newest().stage is Stage.HELD)
    checked.forge.workflows.add("integration.yml")
    checked.say("ada", "/retry", promotion.pull)
    checked.until(lambda: bool(checked.forge.dispatched))
    conclude(checked, "success")
    checked.until(lambda: checked.newest().stage is Stage.PASSED)


def test_a_check_beside_a_canary_stops_it_early(checked):
    """Minutes before the SLO would tell."""
    slo = "        policy: quick\n        slo: {preset: fastapi, errors: {objective: 99%}}\n        checks:"
    checked.configure(
        {"slipway.yaml": CONFIG.replace("        policy: quick\n        checks:", slo, 1).encode()}
    )
    checked.services.answers[PREDICT] = answer({"predictions": ["fraud", 0.75]})
    promoted(checked)
    began = checked.clock.now()
    checked.until(lambda: checked.newest().stage is Stage.REVERTED)

    assert (checked.clock.now() - began).total_seconds() < 45
    assert "Check same: /0 is 'fraud' instead of 0.25" in checked.newest().revert_reason


def test_a_forbidden_workflow_is_no_verdict(checked):
    """The App's rights are ours, not the candidate's."""

    def forbidden(*_):
        raise Forbidden("GitHub", "Resource not accessible by integration")

    checked.forge.workflow_run = forbidden
    promoted(checked)
    checked.until(lambda: checked.newest().stage is Stage.HELD)
    assert "Resource not accessible by integration" in checked.newest().reason
