"""The load that slows a service down is told apart from a version that does."""

import json
import math

import pytest

from bot.analysis.canary import Watch
from bot.analysis.dispersion import Past, past
from bot.analysis.load import LoadCurve, load_curve
from bot.analysis.objectives import Objective
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

LATENCY = Objective("latency", 0.95, slow_start=True)
RATES = (100, 150, 250, 400, 600, 900, 600, 400, 250, 150)


def at_load(rate, ratio=0.02, slope=0.8):
    """Requests at this rate, of which the load makes more or fewer slow."""
    odds = ratio / (1 - ratio) * (rate / 300) ** slope
    return Count(rate, round(rate * odds / (1 + odds)))


BUSY = [at_load(RATES[k // 4 % len(RATES)]) for k in range(240)]
HISTORY = [Window(at=15.0 * k, candidate={"latency": count}) for k, count in enumerate(BUSY, -240)]


def test_the_slope_is_learned_from_history():
    """Odds that grow with the rate to the power of 0.8, a little less where the curve is kept flat."""
    curve = load_curve(BUSY)

    assert curve is not None
    assert 0.6 < curve.slope < 1.0
    assert sum(curve.shifted(0.03, count.total) * count.total for count in BUSY) == pytest.approx(
        0.03 * sum(count.total for count in BUSY), rel=0.1
    )


NO_LOAD = {
    "even traffic": [Count(300, 6 + k % 3) for k in range(240)],
    "a ratio that does not follow the load": [
        Count(RATES[k // 4 % 10], RATES[k // 4 % 10] * 0.02) for k in range(240)
    ],
    "a ratio that falls with the load": [at_load(RATES[k // 4 % 10], slope=-0.8) for k in range(240)],
    "too few windows": BUSY[:40],
    "too few bad requests": [Count(count.total, 0.05) for count in BUSY],
    "no bad request": [Count(count.total, 0) for count in BUSY],
    "nothing but bad requests": [Count(count.total, count.total) for count in BUSY],
}


@pytest.mark.parametrize("counts", NO_LOAD.values(), ids=NO_LOAD)
def test_where_load_does_no_harm_there_is_no_curve(counts):
    """Only what is plain excuses anything."""
    assert load_curve(counts) is None


def test_chance_is_no_load():
    """A slope within two standard errors is none: one slow busy minute in an hour."""
    counts = [Count(RATES[k // 4 % 10], 4 + (k % 7 == 0)) for k in range(240)]
    counts[100] = Count(900, 30)

    assert load_curve(counts) is None


def test_the_curve_is_flat_below_and_ends_above():
    """An idle server is not much quicker; nobody knows what twice the heaviest known load does."""
    curve = LoadCurve(slope=0.8, usual=300, lowest=math.log(0.5), highest=math.log(3))
    ratios = [curve.shifted(0.05, rate) for rate in (1, 150, 300, 900, 1800, 10**6)]

    assert ratios == sorted(ratios)
    assert ratios[0] == ratios[1] < ratios[2] == pytest.approx(0.05)
    assert ratios[3] < ratios[4] == ratios[5] < 0.25
    assert curve.shifted(0.05, 0) == 0.05


def test_what_was_learned_survives_json():
    """History is learned once."""
    learned = past(BUSY, 0.05)

    assert learned.load is not None
    assert Past.restore(json.loads(json.dumps(learned.state()))) == learned


def test_what_follows_the_load_is_no_bunching():
    """The same scatter teaches caution where it comes from nowhere, and little where the load explains it."""
    shuffled = [Count(300, count.bad * 300 / count.total) for count in BUSY]

    assert past(BUSY, 0.05).cv2 < past(shuffled, 0.05).cv2 / 10


def play(counts, history=HISTORY):
    watch = Watch([LATENCY], history, Settings(bake=1800, max_bake=3600))
    for k, count in enumerate(counts, 1):
        verdict = watch.observe(Window(at=15.0 * k, candidate={"latency": count}))
        if verdict is not None:
            return verdict
    return None


def test_a_busy_hour_fails_no_healthy_version():
    """Twice the usual load makes 6% slow, as it did before the version came; 5% are allowed at the usual."""
    verdict = play([at_load(600 + 300 * (k % 8 < 4), ratio=0.03) for k in range(240)])

    assert verdict is None or verdict.outcome is not Outcome.FAILED


def test_a_version_that_is_slower_at_any_load_fails_soon():
    """Ten times the odds at every load, in traffic that hides it."""
    verdict = play([at_load(RATES[k // 4 % 10], ratio=0.17) for k in range(120)])

    assert verdict.outcome is Outcome.FAILED
    assert (verdict.decided_at - verdict.started_at).total_seconds() < 300


def test_what_the_load_excuses_is_told():
    """The sentence names what was allowed at the load there was."""
    verdict = play([at_load(900, ratio=0.3)] * 120)

    assert verdict.outcome is Outcome.FAILED
    assert "where 5% are allowed, and " in verdict.reason
    assert verdict.reason.endswith("% at this load.")


def test_a_version_that_keeps_its_objective_is_never_failed_for_a_light_load():
    """4% where the baseline had 1% at so little traffic: not as good, and within the objective."""
    verdict = play([Count(100, 4)] * 240)

    assert verdict.outcome is Outcome.PASSED
