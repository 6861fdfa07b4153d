"""The parts under the watch: what history teaches, when budgets burn, how wide an interval is."""

import pytest

from bot.analysis.burn import BurnAlarm
from bot.analysis.dispersion import past, prior_cv2
from bot.analysis.evidence import Prior
from bot.analysis.interval import ratio_interval
from bot.analysis.objectives import percent
from bot.analysis.windows import Count


def test_without_history_the_prior_holds():
    """Nothing known is not the same as no scatter."""
    learned = past([], 0.01)

    assert (learned.ratio, learned.cv2, learned.windows) == (None, prior_cv2(0.01), 0)


def test_a_steady_history_teaches_little_scatter():
    """Hours of an even ratio, and requests count nearly as independent."""
    learned = past([Count(300, 2 + k % 3) for k in range(240)], 0.01)

    assert learned.ratio == pytest.approx(0.01)
    assert learned.cv2 < prior_cv2(0.01) / 20


def test_bunches_are_learned_over_several_windows():
    """The same errors in long bunches scatter more than in short ones."""
    short = past([Count(300, 6 if k % 2 else 2) for k in range(240)], 0.01)
    long = past([Count(300, 6 if k % 16 < 8 else 2) for k in range(240)], 0.01)

    assert long.cv2 > 2 * short.cv2
    assert long.cv2 > 1.0


def test_one_outlier_teaches_little():
    """A single outage of a window is not how a service scatters."""
    counts = [Count(300, 1)] * 240
    counts[100] = Count(300, 300)

    assert past(counts, 0.01).typical == pytest.approx(1 / 300)


def test_idle_windows_and_nonsense_teach_nothing():
    """Only windows with requests are history."""
    assert past([Count(0, 0), Count(5, 9), Count(float("nan"), 1)], 0.01).windows == 0


@pytest.mark.parametrize(("bad", "ratio"), [(0, 0.0), (300, 1.0)])
def test_extreme_histories_are_survived(bad, ratio):
    """No errors at all, or nothing but errors."""
    assert past([Count(300, bad)] * 50, 0.01).ratio == ratio


def test_all_the_weight_is_given_out_in_time():
    """Half of the prior at the start, the rest by the horizon, never more than all."""
    prior = Prior(warm_up=60, horizon=3600, scale=60)
    given = [prior.given(t) for t in range(0, 7200, 15)]

    assert given[0] == given[4] == 0.5
    assert given == sorted(given)
    assert given[-1] == pytest.approx(1.0)


def burning(ratios, per_minute=600.0, allowed=0.01):
    alarm, found = BurnAlarm(allowed), None
    for minute, ratio in enumerate(ratios):
        alarm.observe(60.0 * minute, Count(per_minute, per_minute * ratio))
        found = found or alarm.burning(60.0 * minute)
    return found


def test_a_fast_burn_is_seen_over_an_hour():
    """15 times the even pace, over the long and the short stretch."""
    assert burning([0.15] * 60).factor == 14.4


def test_a_slow_burn_needs_hours():
    """7 times the even pace only shows over six hours."""
    assert burning([0.07] * 60) is None
    assert burning([0.07] * 240).factor == 6.0


def test_a_burn_that_ended_is_no_alarm():
    """The short stretch ends the alarm with the trouble."""
    assert burning([0.001] * 30 + [0.9] * 4 + [0.0] * 6 + [0.001] * 60) is None


def test_the_interval_holds_the_ratio_and_widens_with_bunches():
    """Wilson's interval, wider where requests tell less."""
    low, high = ratio_interval(1000, 10)
    wide_low, wide_high = ratio_interval(1000, 10, deff=5)

    assert wide_low < low < 0.01 < high < wide_high
    assert ratio_interval(20, 0)[0] == 0.0


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.01, "1%"), (0.012345, "1.23%"), (0, "0%"), (1, "100%"), (0.00012, "0.012%"), (0.999, "99.9%")],
)
def test_percentages_are_short(ratio, text):
    """Three digits are enough for a person."""
    assert percent(ratio) == text
