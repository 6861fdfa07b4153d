"""The watch: what ends it, how soon, and what never does."""

import json
import math

import pytest

from bot.analysis.canary import Watch
from bot.analysis.objectives import GaugeLimit, Objective
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.slo import OnBreach
from bot.domain.verdict import Outcome

ERRORS = Objective("errors", 0.99)
LATENCY = Objective("latency", 0.95, slow_start=True)
SHORT = Settings(bake=600, max_bake=1200)
CALM = [Window(at=15.0 * k, candidate={"errors": Count(300, k % 2)}) for k in range(-240, 0)]


def play(watch, counts, start=15.0, step=15.0):
    """Feeds counts of errors, one window each; the verdict and when it came."""
    for k, count in enumerate(counts):
        at = start + k * step
        candidate = {} if count is None else {"errors": Count(*count)}
        if (verdict := watch.observe(Window(at=at, candidate=candidate))) is not None:
            return verdict, at
    return None, None


def test_a_healthy_service_passes_when_the_bake_is_over():
    """Nothing but time is needed to pass."""
    verdict, at = play(Watch([ERRORS], CALM, SHORT), [(300, 1)] * 100)

    assert (verdict.outcome, at) == (Outcome.PASSED, 600.0)
    assert verdict.reason == "Errors: 0.333% of 12,000 requests were bad, where 1% are allowed."


@pytest.mark.parametrize(("bad", "within"), [(300, 60), (60, 120), (15, 120), (9, 240)])
def test_a_broken_service_fails_soon(bad, within):
    """The worse it is, the sooner it is known."""
    verdict, at = play(Watch([ERRORS], CALM, SHORT), [(300, bad)] * 100)

    assert verdict.outcome is Outcome.FAILED
    assert at <= within


def test_a_regression_that_begins_later_is_seen_too():
    """Ten good minutes do not buy a bad one."""
    watch = Watch([ERRORS], CALM, Settings())
    verdict, at = play(watch, [(300, 1)] * 40 + [(300, 30)] * 60)

    assert verdict.outcome is Outcome.FAILED
    assert at <= 600 + 135


@pytest.mark.parametrize("start", [5, 20, 100])
def test_a_blip_of_a_minute_fails_nobody(start):
    """A minute of trouble of any size is not a broken version."""
    counts = [(300, 1)] * 200
    counts[start : start + 4] = [(300, 150)] * 4
    verdict, _ = play(Watch([ERRORS], CALM, Settings()), counts)

    assert verdict is None


def test_a_warm_up_spike_fails_nobody():
    """The first minute is for warming up."""
    verdict, _ = play(Watch([ERRORS], CALM, Settings()), [(300, 120)] * 4 + [(300, 1)] * 100)

    assert verdict is None


def test_one_or_two_windows_never_fail():
    """Whatever they hold."""
    watch = Watch([ERRORS], (), Settings(warm_up=0))

    assert play(watch, [(10**6, 10**6)] * 2) == (None, None)


def test_a_shared_outage_cancels_side_by_side():
    """When the baseline beside suffers as much, the candidate is not to blame."""
    watch = Watch([ERRORS], CALM, SHORT)
    for k in range(1, 41):
        bad = 120 if 10 <= k < 30 else 1
        both = {"errors": Count(300, bad)}
        verdict = watch.observe(Window(at=15.0 * k, candidate=both, baseline=both))

    assert verdict is None or verdict.outcome is not Outcome.FAILED


def test_side_by_side_a_broken_candidate_fails():
    """The baseline beside is well, the candidate is not."""
    watch = Watch([ERRORS], CALM, SHORT)
    verdict = None
    for k in range(1, 13):
        window = Window(at=15.0 * k, candidate={"errors": Count(300, 15)}, baseline={"errors": Count(300, 1)})
        verdict = verdict or watch.observe(window)

    assert verdict is not None
    assert verdict.outcome is Outcome.FAILED


def test_worse_than_the_baseline_fails_where_the_policy_says_so():
    """Within the objective, but four times the baseline's ratio, where half as much more is accepted."""
    objective = Objective("errors", 0.9, max_regression=0.5)
    verdict, _ = play(Watch([objective], CALM, SHORT), [(300, 6)] * 60)

    assert verdict.outcome is Outcome.FAILED
    assert "more than 1.5 times the baseline's 0.167%" in verdict.reason


def test_a_baseline_that_broke_the_slo_itself_is_the_measure():
    """A candidate no worse than what it replaces is not taken back."""
    poor = [Window(at=15.0 * k, candidate={"errors": Count(300, 6)}) for k in range(-240, 0)]
    verdict, _ = play(Watch([ERRORS], poor, SHORT), [(300, 6)] * 60)

    assert verdict.outcome is Outcome.PASSED
    assert "where the baseline itself had up to" in verdict.reason


def test_too_few_requests_extend_and_then_hold():
    """Three requests are no evidence either way."""
    verdict, at = play(Watch([ERRORS], CALM, SHORT), [(1, 0)] * 3 + [(0, 0)] * 200)

    assert (verdict.outcome, at) == (Outcome.INCONCLUSIVE, 1200.0)
    assert "only 3 requests" in verdict.reason


def test_the_watch_begins_with_the_first_request():
    """Minutes without traffic are not baked."""
    verdict, at = play(Watch([ERRORS], CALM, SHORT), [(0, 0)] * 20 + [(300, 1)] * 60)

    assert (verdict.outcome, at) == (Outcome.PASSED, 300.0 + 600.0)


def test_no_series_at_all_is_no_data():
    """Silence of the metrics is neither good nor bad."""
    verdict, _ = play(Watch([ERRORS], CALM, SHORT), [None] * 200)

    assert verdict.outcome is Outcome.NO_DATA


def test_an_slo_without_series_is_no_data_though_another_has_some():
    """One SLO's health does not speak for another's."""
    verdict, _ = play(Watch([ERRORS, LATENCY], CALM, SHORT), [(300, 1)] * 200)

    assert verdict.outcome is Outcome.NO_DATA
    assert verdict.reason == "Latency: no such series."


@pytest.mark.parametrize("ratio", [1, 9])
def test_an_outage_of_the_metrics_server_changes_no_verdict(ratio):
    """Ten minutes without an answer, then the counters tell the rest: the same verdict."""
    quiet, away = Watch([ERRORS], CALM, Settings()), Watch([ERRORS], CALM, Settings())
    without, _ = play(quiet, [(300, ratio)] * 300)
    play(away, [(300, ratio)] * 4)
    for at in range(75, 660, 15):
        assert away.source_down(float(at), "timeout") is None
    late, _ = play(away, [(300 * 40, ratio * 40)] + [(300, ratio)] * 300, start=660.0)

    assert late.outcome is without.outcome


def test_a_source_that_stays_away_is_source_down():
    """After the limit a person must look; nothing is reverted."""
    watch = Watch([ERRORS], CALM, Settings(source_down_limit=600))
    watch.observe(Window(at=15.0, candidate={"errors": Count(300, 300)}))
    assert watch.source_down(30.0, "refused") is None
    verdict = watch.source_down(630.0, "refused")

    assert verdict.outcome is Outcome.SOURCE_DOWN
    assert verdict.reason == "The metrics server has been away for 10 minutes: refused"


BAD_COUNTS = [
    Count(math.nan, 1),
    Count(300, math.nan),
    Count(math.inf, math.inf),
    Count(300, -math.inf),
    Count(-5, 0),
    Count(300, -1),
    Count(10, 300),
]


@pytest.mark.parametrize("count", BAD_COUNTS, ids=str)
def test_what_is_no_count_is_told_and_never_failed(count):
    """Each kind of nonsense has its sentence, and none of them fails a candidate."""
    watch = Watch([ERRORS], CALM, SHORT)
    verdict = None
    for k in range(1, 200):
        window = Window(at=15.0 * k, candidate={"errors": count if k % 2 else Count(300, 1)})
        verdict = verdict or watch.observe(window)

    assert verdict.outcome is Outcome.PASSED
    assert len(verdict.notes) == 1
    assert verdict.notes[0].startswith("errors: ")


def test_nonsense_alone_is_no_data():
    """Where no count can be believed there is no data."""
    verdict, _ = play(Watch([ERRORS], CALM, SHORT), [(math.nan, math.nan)] * 200)

    assert verdict.outcome is Outcome.NO_DATA


def test_a_window_from_the_past_is_ignored():
    """Duplicate and backward timestamps are told and change nothing."""
    watch = Watch([ERRORS], CALM, SHORT)
    watch.observe(Window(at=30.0, candidate={"errors": Count(300, 1)}))
    before = watch.progress().slos
    watch.observe(Window(at=30.0, candidate={"errors": Count(300, 300)}))
    watch.observe(Window(at=15.0, candidate={"errors": Count(300, 300)}))

    assert watch.progress().slos == before
    assert len(watch.progress().notes) == 2


def kayenta(counts, history=CALM, objective=ERRORS):
    return play(Watch([objective], history, Settings()), counts)[0]


def test_kayenta_fires_on_a_handful_of_errors():
    """A rank test calls [0, 1, 2, 1, 0, 0] errors against zeros "High"; of thousands of requests it is
    nothing.
    """
    zeros = [Window(at=15.0 * k, candidate={"errors": Count(300, 0)}) for k in range(-240, 0)]

    assert kayenta([(300, bad) for bad in (0, 1, 2, 1, 0, 0)] * 30, zeros) is None


def test_kayenta_fires_on_a_difference_that_does_not_matter():
    """Each window 0.1 points worse than the baseline's is significant by ranks, and well within the SLO."""
    steady = [Window(at=15.0 * k, candidate={"errors": Count(3000, 3)}) for k in range(-240, 0)]

    assert kayenta([(3000, 6)] * 180, steady) is None


def test_kayenta_is_blind_to_rare_disasters():
    """Ranks do not weigh: two minutes of outage in every half an hour leave most ranks as they were."""
    assert kayenta(([(300, 1)] * 30 + [(300, 300)] * 8) * 4).outcome is Outcome.FAILED


def test_a_restart_in_mid_watch_changes_nothing():
    """State goes through JSON at every look, and the verdict is the same to the last digit."""
    counts = [(300, 2 + 3 * (k > 20)) for k in range(200)]
    straight = play(Watch([ERRORS, LATENCY], CALM, Settings()), counts)
    watch = Watch([ERRORS, LATENCY], CALM, Settings())
    verdict = None
    for k, count in enumerate(counts):
        watch = Watch.restore([ERRORS, LATENCY], CALM, Settings(), json.loads(json.dumps(watch.state())))
        verdict = watch.observe(Window(at=15.0 + 15.0 * k, candidate={"errors": Count(*count)}))
        if verdict is not None:
            break

    assert verdict == straight[0]


def test_a_state_of_an_older_version_begins_anew_and_says_so():
    """Its evidence was weighed otherwise: nothing of it is gone on with."""
    watch = Watch([ERRORS], CALM, SHORT)
    play(watch, [(300, 1)] * 10)
    older = {key: value for key, value in watch.state().items() if key != "version"}
    again = Watch.restore([ERRORS], CALM, SHORT, older)

    assert again.progress().elapsed == 0.0
    assert again.progress().notes == (
        "the watch began anew: what was stored of it is of another version of Slipway",
    )


def test_a_blip_soon_after_the_start_speaks_for_no_small_regression():
    """45 s of 30% errors after three good minutes: too many for a version that is slightly worse."""
    counts = [(300, 1)] * 12 + [(300, 90)] * 3 + [(300, 1)] * 100

    assert play(Watch([ERRORS], CALM, Settings()), counts) == (None, None)


def test_a_verdict_stays():
    """Once decided, later windows change nothing."""
    watch = Watch([ERRORS], CALM, SHORT)
    verdict, at = play(watch, [(300, 300)] * 20)

    assert watch.observe(Window(at=at + 15, candidate={"errors": Count(300, 0)})) is verdict


def test_a_person_may_end_or_extend_the_watch():
    """`/canary fail` ends it with the evidence so far, `/canary extend` moves its end."""
    watch = Watch([ERRORS], CALM, SHORT)
    play(watch, [(300, 1)] * 10)
    watch.extend(600)
    assert watch.progress().left == 1050.0
    verdict = watch.conclude(Outcome.FAILED, 160.0, "ann said so")

    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "Ann said so")
    assert verdict.slos[0].total == 3000


def test_progress_tells_what_a_status_comment_needs():
    """Counts, ratio, interval, evidence and time left, at any time."""
    watch = Watch([ERRORS], CALM, SHORT)
    assert watch.progress().waiting == "no request has reached the candidate yet"
    play(watch, [(300, 3)] * 10)
    progress = watch.progress()
    (slo,) = progress.slos

    assert (progress.elapsed, progress.left, progress.waiting) == (150.0, 450.0, None)
    assert (slo.total, slo.bad, slo.ratio) == (3000, 30, 0.01)
    assert slo.interval[0] < 0.01 < slo.interval[1]
    assert slo.threshold == pytest.approx(1000)
    assert len(slo.evidence) == 10


def test_the_curve_of_evidence_stays_short():
    """A watch of days is still drawn with a bounded number of points."""
    watch = Watch([ERRORS], CALM, Settings(bake=10**6, max_bake=10**6))
    play(watch, [(300, 1)] * 2000)

    assert 50 <= len(watch.progress().slos[0].evidence) <= 121


def gauge(on_breach):
    return GaugeLimit("drift", above=0.3, hold=60, on_breach=on_breach)


def with_drift(values, on_breach):
    watch = Watch([ERRORS, gauge(on_breach)], CALM, SHORT)
    verdict = None
    for k, value in enumerate(values, 1):
        gauges = {} if value is None else {"drift": value}
        window = Window(at=15.0 * k, candidate={"errors": Count(300, 1)}, gauges=gauges)
        verdict = verdict or watch.observe(window)
    return verdict


def test_a_gauge_held_beyond_its_limit_fails_where_it_may():
    """A minute above the limit is a breach."""
    verdict = with_drift([0.1] * 4 + [0.5] * 5, OnBreach.FAIL)

    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason == "Drift was 0.5, beyond its limit (not above 0.3 for 1 minute)."


def test_a_gauge_that_returns_in_time_does_not():
    """A breach with a break begins anew."""
    assert with_drift(([0.5] * 4 + [0.1]) * 8, OnBreach.FAIL).outcome is Outcome.PASSED


@pytest.mark.parametrize("on_breach", [OnBreach.WARN, OnBreach.SHOW])
def test_a_gauge_that_only_warns_never_decides(on_breach):
    """It is shown as broken, and the canary passes."""
    verdict = with_drift([0.5] * 60, on_breach)

    assert verdict.outcome is Outcome.PASSED
    assert verdict.slos[1].outcome is Outcome.FAILED


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_a_gauge_without_a_value_is_no_breach(value):
    """NaN, infinity and nothing are no value: not failed, but not passed either."""
    watch_verdict = with_drift([value] * 100, OnBreach.FAIL)

    assert watch_verdict.outcome is Outcome.NO_DATA


def test_a_leaning_service_is_watched_longer():
    """Over the objective without certainty when the bake ends: not passed, watched on."""
    verdict, at = play(Watch([ERRORS], (), Settings(bake=120, max_bake=240)), [(100, 2)] * 40)

    assert at > 120
    assert verdict.outcome in (Outcome.INCONCLUSIVE, Outcome.FAILED)


@pytest.mark.parametrize("names", [[], ["errors", "errors"]])
def test_slos_have_names_of_their_own(names):
    """A watch over nothing, or over two of one name, is a mistake."""
    with pytest.raises(ValueError, match="SLO"):
        Watch([Objective(name, 0.99) for name in names])


@pytest.mark.parametrize("wrong", [{"confidence": 1.0}, {"interval": 0}, {"bake": 10, "max_bake": 5}])
def test_settings_that_make_no_sense_are_refused(wrong):
    """A mistake in the settings is told at once."""
    with pytest.raises(ValueError):
        Settings(**wrong)
