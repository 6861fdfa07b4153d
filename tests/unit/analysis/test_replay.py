"""Anybody can recompute a verdict from what was stored, and look at what a policy would have done."""

import json
from dataclasses import replace

from bot.analysis.backtest import backtest
from bot.analysis.canary import Watch
from bot.analysis.objectives import GaugeLimit, Objective
from bot.analysis.replay import Record, replay
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

SLOS = (Objective("errors", 0.99, query="http_requests_total"), GaugeLimit("drift", above=0.3))
SETTINGS = Settings(bake=600, max_bake=1200)


def windows(bad, count=60, start=0):
    return tuple(
        Window(at=15.0 * (start + k), candidate={"errors": Count(300.0, float(bad))}, gauges={"drift": 0.1})
        for k in range(1, count + 1)
    )


def judged(bad):
    watch = Watch(SLOS, windows(1, 240, -240), SETTINGS)
    seen = []
    for window in windows(bad):
        seen.append(window)
        if (verdict := watch.observe(window)) is not None:
            return Record(SLOS, windows(1, 240, -240), SETTINGS, tuple(seen)), verdict
    raise AssertionError("no verdict")


def test_a_stored_verdict_comes_out_the_same():
    """Through JSON and back, to the last digit."""
    for bad, outcome in ((1, Outcome.PASSED), (30, Outcome.FAILED)):
        record, verdict = judged(bad)
        again = replay(Record.from_json(json.loads(json.dumps(record.to_json()))), verdict)

        assert again.agrees, again.sentence
        assert again.verdict == verdict
        assert verdict.outcome is outcome


def test_a_verdict_that_came_later_in_the_same_watch_comes_out_the_same():
    """A check or a step was waited for after the first verdict: the stored one is of a later look."""
    record, first = judged(1)
    after = windows(30, 40, len(record.windows))
    watch = Watch(SLOS, record.history, SETTINGS)
    seen = []
    for window in (*record.windows, *after):
        seen.append(window)
        verdict = watch.observe(window)
        if verdict is not None:
            watch = Watch.restore(SLOS, record.history, SETTINGS, json.loads(json.dumps(watch.state())))
        if verdict is not None and verdict.outcome is Outcome.FAILED:
            break
    again = replay(replace(record, windows=tuple(seen)), verdict)

    assert (first.outcome, verdict.outcome) == (Outcome.PASSED, Outcome.FAILED)
    assert again.agrees, again.sentence
    assert again.verdict == verdict
    tampered = replay(replace(record, windows=tuple(seen)), replace(verdict, outcome=Outcome.PASSED))
    assert tampered.sentence.startswith("Stored was `passed`, recomputed is `failed`")


def test_changed_data_is_noticed():
    """One request more in one window, and the replay does not agree."""
    record, verdict = judged(30)
    other = replace(record.windows[0], candidate={"errors": Count(301.0, 30.0)})
    again = replay(replace(record, windows=(other, *record.windows[1:])), verdict)

    assert not again.agrees
    assert again.sentence == "The same outcome, `failed`, but from other data."


def test_a_decision_from_outside_is_called_so():
    """What a person decided does not follow from the windows."""
    record, verdict = judged(1)
    again = replay(replace(record, windows=record.windows[:5]), replace(verdict, reason="ann said so"))

    assert again.sentence == "The windows alone give no verdict; `passed` came from outside: ann said so"


def test_a_backtest_of_a_healthy_past_raises_no_alarm_and_catches_harm():
    """Ten hours of health: no false alarm, and every injected regression is caught, the worse the sooner."""
    result = backtest(SLOS[:1], windows(1, 2400), SETTINGS)

    assert (result.every, result.alarms) == (SETTINGS.bake, ())
    assert result.starts == 53
    assert result.sentence == "53 starts in the past as it was: 0 would have been reverted (0%)."
    assert [len(catch.delays) for catch in result.catches] == [catch.starts for catch in result.catches]
    medians = [catch.median for catch in result.catches]
    assert medians == sorted(medians, reverse=True)
    assert (result.past[0].total, result.past[0].bad) == (2400 * 300, 2400)


def test_a_backtest_finds_the_outage_of_yesterday():
    """A past with an outage says when it would have been reverted."""
    past = [*windows(1, 1000), *windows(90, 20, 1000), *windows(1, 2000, 1020)]
    result = backtest(SLOS[:1], past, Settings(bake=3600, max_bake=3600))

    assert len(result.alarms) == 1
    assert 15000 <= result.alarms[0].at + result.alarms[0].after <= 15300


def test_too_short_a_past_says_so():
    """No starts, no claims."""
    assert backtest(SLOS[:1], windows(1, 100), SETTINGS).sentence.startswith("There is not enough past")
