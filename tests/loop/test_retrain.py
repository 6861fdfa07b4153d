"""Asking for a new version: once in a window, with the evidence, whatever dies or is repeated."""

import json
import re

import pytest

from bot.domain.promotion import Stage
from bot.domain.series import Series
from bot.ports import HttpAnswer, Unavailable

CONFIG = """\
version: 1
models:
  fraud:
    when: {alias: candidate}
    storage: "models:/{model}/{version}"
    environments:
      production:
        targets: [{file: prod.yaml, pointer: /uri}]
        policy: quick
        retrain:
          signals:
            drift: {query: 'feature_drift{model="{model}",version="{version}"}', above: 0.3, for: 1h}
          after: 7d
          every: 3d
          WAY
"""
DAY = 86_400.0


class Drifting:
    """A metrics server on which the drift is broken, or is not."""

    value: float | None = None
    fails = None

    def __init__(self) -> None:
        self.asked: list[str] = []

    def raw(self, selector, start, end):
        return []

    def instant(self, query, at):
        self.asked.append(query)
        if self.fails is not None:
            raise self.fails
        return [] if self.value is None else [Series({}, ((at, self.value),))]


@pytest.fixture
def drifting(world):
    """Version 2 is live in production and nothing is broken."""
    world.drift = world.traffic = Drifting()
    world.restart()
    configure(world, "event: slipway-retrain")
    world.alias("2")
    world.say("ada", "/promote")
    assert world.newest().stage is Stage.PASSED
    return world


def configure(world, way: str) -> None:
    world.configure({"slipway.yaml": CONFIG.replace("WAY", way).encode()})


def later(world, seconds: float) -> None:
    world.later(seconds)
    world.resync.run()
    world.drain()


def test_a_broken_signal_asks_for_a_new_version_with_the_evidence(drifting):
    """Version, signal, value, limit and the query that was asked."""
    later(drifting, 8 * DAY)
    drifting.drift.value = 0.41
    later(drifting, 120)

    ((kind, payload),) = drifting.forge.events
    assert (kind, payload["model"], payload["version"]) == ("slipway-retrain", "fraud", "2")
    assert payload["evidence"]["value"] == "0.41"
    assert payload["evidence"]["limit"] == "above 0.3 for 1h"
    assert payload["evidence"]["query"] == 'feature_drift{model="fraud",version="2"}'
    (row,) = drifting.store.retrainings(10)
    assert (row.told_at is not None, row.trouble) == (True, None)
    assert any("A new version is asked for" in text for text in drifting.answers(drifting.newest().pull))
    last = drifting.store.transitions(drifting.newest().id)[-1]
    assert last.reason.startswith("A new version is asked for: drift of version 2 has been above 0.3 for 1h")


def test_it_is_asked_at_most_once_in_a_window(drifting):
    """However long it is broken, however often it is looked at, and by whomever."""
    later(drifting, 8 * DAY)
    drifting.drift.value = 0.5
    for _ in range(5):
        later(drifting, 120)
        drifting.restart()
    assert len(drifting.forge.events) == 1

    later(drifting, 3 * DAY)
    assert len(drifting.forge.events) == 2


def test_a_young_version_is_left_in_peace(drifting):
    """It must have been live for a while."""
    drifting.drift.value = 0.9
    later(drifting, 6 * DAY)
    assert drifting.forge.events == []
    assert drifting.drift.asked == []

    later(drifting, 2 * DAY)
    assert len(drifting.forge.events) == 1


def test_nothing_is_asked_while_another_version_is_on_its_way(drifting):
    """The new version may be the answer."""
    later(drifting, 8 * DAY)
    drifting.alias("3")
    drifting.drift.value = 0.9
    later(drifting, 120)

    assert drifting.forge.events == []


def test_a_metrics_server_that_is_away_asks_nobody(drifting):
    """No answer is no drift."""
    later(drifting, 8 * DAY)
    drifting.drift.fails = Unavailable("Prometheus", "connection refused")
    later(drifting, 120)

    assert drifting.store.retrainings(10) == []


def test_what_reached_nobody_is_tried_again(drifting):
    """The row waits, with the reason, and stays the only one."""
    real = drifting.forge.dispatch_event

    def away(*_):
        raise Unavailable("GitHub", "502")

    drifting.forge.dispatch_event = away
    later(drifting, 8 * DAY)
    drifting.drift.value = 0.9
    later(drifting, 120)
    (row,) = drifting.store.retrainings(10)
    assert (row.told_at, row.trouble) == (None, "GitHub: 502")

    drifting.forge.dispatch_event = real
    later(drifting, 120)
    assert len(drifting.forge.events) == 1
    assert drifting.store.retrainings(10)[0].told_at is not None


def test_who_dies_while_telling_tells_nobody_twice(drifting):
    """It may have arrived: at most once means once or not at all."""
    real = drifting.forge.dispatch_event

    def dies(kind, payload):
        real(kind, payload)
        raise KeyboardInterrupt

    drifting.forge.dispatch_event = dies
    later(drifting, 8 * DAY)
    drifting.drift.value = 0.9
    with pytest.raises(KeyboardInterrupt):
        later(drifting, 120)
    drifting.forge.dispatch_event = real
    drifting.restart()
    for _ in range(3):
        later(drifting, 120)

    assert len(drifting.forge.events) == 1


def test_a_workflow_a_webhook_and_a_tag_are_asked_alike(drifting):
    """Whatever starts the training."""
    drifting.forge.workflows.add("retrain.yml")
    drifting.services.answers["http://trainer/fraud/2"] = HttpAnswer(202, b"")
    later(drifting, 8 * DAY)
    drifting.drift.value = 0.9
    for way in (
        "workflow: retrain.yml",
        'webhook: "http://trainer/{model}/{version}"',
        "tag: slipway.retrain",
    ):
        drifting.later(4 * DAY)
        configure(drifting, way)

    ((workflow, inputs),) = drifting.forge.dispatched
    assert (workflow, inputs["version"], json.loads(inputs["evidence"])["value"]) == (
        "retrain.yml",
        "2",
        "0.9",
    )
    assert json.loads(drifting.services.asked[-1].body)["evidence"]["signal"] == "drift"
    assert "drift of version 2" in drifting.registry.version("fraud", "2").tags["slipway.retrain"]


def test_a_webhook_that_refuses_is_told_in_the_row(drifting):
    """And tried again."""
    configure(drifting, 'webhook: "http://trainer/"')
    drifting.services.answers["http://trainer/"] = HttpAnswer(401, b"")
    later(drifting, 8 * DAY)
    drifting.drift.value = 0.9
    later(drifting, 120)

    (row,) = drifting.store.retrainings(10)
    assert row.trouble == "the webhook: it answered 401"


def test_the_question_is_one_that_prometheus_can_answer(drifting):
    """A whole hour beyond the limit, with samples nearly all of the time."""
    later(drifting, 8 * DAY)

    (query,) = set(drifting.drift.asked)
    span = '(feature_drift{model="fraud",version="2"})[3600s:60s]'
    assert query == f"(min_over_time({span}) > 0.3) and (count_over_time({span}) >= 45)"
    assert re.fullmatch(r"[ -~]+", query)
