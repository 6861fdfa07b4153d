"""Workflows and events: the forge in memory, and the real adapter over a real server, alike."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.ports import Forbidden, NotFound, Refused

INTEGRATION = b"""\
name: Integration
run-name: "Check ${{ inputs.version }} (${{ inputs.slipway }})"
on:
  workflow_dispatch:
    inputs: {model: {}, version: {}, environment: {}, address: {}, slipway: {}}
jobs: {check: {runs-on: ubuntu-latest, steps: [{run: "true"}]}}
"""
INPUTS = {
    "model": "fraud",
    "version": "7",
    "environment": "staging",
    "address": "http://s/",
    "slipway": "p1-x",
}


def now() -> datetime:
    return datetime.now(UTC)


def test_a_dispatched_run_is_found_by_its_name_until_it_ends(world):
    """Dispatch answers nothing: the input in the run's name is all there is to find it by."""
    world.workflow("integration.yml", INTEGRATION)
    began = now()
    assert world.forge.workflow_run("integration.yml", "p1-x", began) is None

    world.forge.dispatch_workflow("integration.yml", INPUTS)
    world.forge.dispatch_workflow("integration.yml", {**INPUTS, "slipway": "p2-y"})
    run = world.forge.workflow_run("integration.yml", "p1-x", began)
    assert run is not None
    assert run.conclusion is None
    assert str(run.id) in run.url

    world.conclude(run.id, "failure")
    ended = world.forge.workflow_run("integration.yml", "p1-x", began)
    other = world.forge.workflow_run("integration.yml", "p2-y", began)
    assert (ended.id, ended.conclusion) == (run.id, "failure")
    assert other is not None
    assert (other.id != run.id, other.conclusion) == (True, None)


def test_a_workflow_that_is_not_there_is_told(world):
    """Both when it is looked for and when it is asked for."""
    with pytest.raises(NotFound):
        world.forge.workflow_run("absent.yml", "p1-x", now())
    with pytest.raises(NotFound):
        world.forge.dispatch_workflow("absent.yml", INPUTS)


def test_an_event_arrives_with_its_evidence(world):
    """What whoever trains listens to."""
    world.forge.dispatch_event("slipway-retrain", {"model": "fraud", "evidence": {"value": 0.4}})

    assert world.events() == [("slipway-retrain", {"model": "fraud", "evidence": {"value": 0.4}})]


def test_older_runs_are_not_listed(server_world):
    """The listing is asked from the beginning of the watch."""
    server_world.workflow("integration.yml", INTEGRATION)
    server_world.forge.dispatch_workflow("integration.yml", INPUTS)

    assert server_world.forge.workflow_run("integration.yml", "p1-x", now() + timedelta(hours=1)) is None


def test_what_a_workflow_does_not_take_is_refused_with_githubs_sentence(server_world):
    """No `workflow_dispatch`, or other inputs."""
    server_world.workflow("integration.yml", b"on: {push: {}}\n")
    with pytest.raises(Refused, match="workflow_dispatch"):
        server_world.forge.dispatch_workflow("integration.yml", INPUTS)

    server_world.workflow("integration.yml", b"on: {workflow_dispatch: {inputs: {model: {}}}}\n")
    with pytest.raises(Refused, match="Unexpected inputs"):
        server_world.forge.dispatch_workflow("integration.yml", INPUTS)


def test_without_the_right_it_is_forbidden(server_world, wire):
    """The App must be given `actions: write`."""
    server_world.workflow("integration.yml", INTEGRATION)
    server_world.forge.default_branch()
    wire.denied["/dispatches"] = 403

    with pytest.raises(Forbidden):
        server_world.forge.dispatch_workflow("integration.yml", INPUTS)
