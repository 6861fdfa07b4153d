"""What holds for every trace, however it was cut and whatever it says."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.canary import Watch
from bot.analysis.objectives import Objective
from bot.analysis.settings import Settings
from bot.analysis.windows import Count, Window
from bot.domain.verdict import Outcome

SLOS = [Objective("errors", 0.99)]
LONG = Settings(bake=10**6, max_bake=10**6)

counts = st.integers(0, 400).flatmap(lambda total: st.tuples(st.just(total), st.integers(0, min(total, 40))))
traces = st.lists(counts, min_size=1, max_size=40)
LOADED = [(total, round(total * total / 30000)) for k in range(240) for total in (50 + 50 * (k // 5 % 7),)]
"""A baseline that load harms, so that a curve is learned."""
histories = st.one_of(st.lists(counts, max_size=40), st.just(LOADED))
steady = st.tuples(
    st.sampled_from([0.001, 0.002, 0.003, 0.04, 0.1, 0.5, 1.0]),
    st.integers(200, 400),
    st.lists(st.integers(0, 1), min_size=220, max_size=220),
)
"""A service that is plainly well or plainly broken: its ratio, requests in a window, and some chance."""


def past(history):
    return [
        Window(at=15.0 * (k - len(history)), candidate={"errors": Count(*count)})
        for k, count in enumerate(history)
    ]


def play(trace, history=()):
    """E of every window, and whether the watch failed."""
    watch = Watch(SLOS, past(history), LONG)
    for k, count in enumerate(trace, 1):
        verdict = watch.observe(Window(at=15.0 * k, candidate={"errors": Count(*count)}))
        if verdict is not None:
            return [value for _, value in verdict.slos[0].evidence], verdict.outcome
    return [value for _, value in watch.progress().slos[0].evidence], None


@settings(max_examples=60, deadline=None)
@given(trace=traces, history=histories, where=st.data())
def test_more_bad_requests_never_lower_the_evidence(trace, history, where):
    """Turning good requests into bad ones never lowers E, and never saves a failed candidate."""
    k = where.draw(st.integers(0, len(trace) - 1))
    total, bad = trace[k]
    worse = [*trace]
    worse[k] = (total, where.draw(st.integers(bad, total)))
    before, outcome = play(trace, history)
    after, worse_outcome = play(worse, history)

    # E is kept with four digits for show.
    assert all(a >= b * 0.999 for b, a in zip(before, after, strict=False))
    assert not (outcome is Outcome.FAILED and worse_outcome is None)


@settings(max_examples=60, deadline=None)
@given(trace=traces, history=histories, parts=st.lists(st.integers(1, 4), min_size=40, max_size=40))
def test_cutting_scrapes_finer_never_flips_a_verdict(trace, history, parts):
    """Windows cut into pieces end with the same evidence: what was found still is, at the latest."""
    watch = Watch(SLOS, past(history), LONG)
    whole, outcome = play(trace, history)
    verdict = None
    for k, ((total, bad), pieces) in enumerate(zip(trace, parts, strict=False), 1):
        for piece in range(pieces):
            count = Count(_part(total, pieces, piece), _part(bad, pieces, piece))
            at = 15.0 * k - (pieces - 1 - piece) * 1.5
            verdict = verdict or watch.observe(
                Window(at=at, candidate={"errors": count}, seconds=15.0 / pieces)
            )
    if outcome is Outcome.FAILED:
        assert verdict is not None
    elif verdict is None:
        final = watch.progress().slos[0].evidence[-1][1] if watch.progress().slos[0].evidence else 1.0
        assert abs(final - whole[-1] if whole else 0.0) <= 0.002 * max(final, whole[-1] if whole else 1.0)


def _part(amount, pieces, piece):
    """Shares that are whole and add up."""
    return amount * (piece + 1) // pieces - amount * piece // pieces


@settings(max_examples=40, deadline=None)
@given(trace=traces, history=histories)
def test_a_service_without_bad_requests_is_never_failed(trace, history):
    """No bad requests, no failure, whatever the history was."""
    _, outcome = play([(total, 0) for total, _ in trace], history)

    assert outcome is None


@settings(max_examples=40, deadline=None)
@given(trace=traces, history=histories, cut=st.integers(0, 40))
def test_a_restart_anywhere_gives_the_same_verdict(trace, history, cut):
    """State through JSON after any window: equal to the last digit."""
    straight = Watch(SLOS, past(history), LONG)
    resumed = Watch(SLOS, past(history), LONG)
    for k, count in enumerate(trace, 1):
        window = Window(at=15.0 * k, candidate={"errors": Count(*count)})
        if k == cut:
            resumed = Watch.restore(SLOS, past(history), LONG, json.loads(json.dumps(resumed.state())))
        verdict = straight.observe(window)
        assert verdict == resumed.observe(window)
        if verdict is not None:
            break
    assert straight.progress() == resumed.progress()


HALF = Settings(bake=1800, max_bake=2700)
CALM = [(300, k % 2) for k in range(240)]


def windows_of(service):
    ratio, total, chance = service
    bad = [min(total, int(ratio * total) + extra) for extra in chance]
    return [Window(at=15.0 * k, candidate={"errors": Count(total, b)}) for k, b in enumerate(bad, 1)]


def merged(group):
    """What a look sees that comes late: the counters tell it all at once."""
    total = sum((window.candidate["errors"] for window in group), Count(0, 0))
    return Window(at=group[-1].at, candidate={"errors": total})


def outcome_of(windows):
    watch = Watch(SLOS, past(CALM), HALF)
    for window in windows:
        if (verdict := watch.observe(window)) is not None:
            return verdict.outcome
    return None


@settings(max_examples=15, deadline=None)
@given(service=steady, start=st.integers(0, 110), restart=st.integers(0, 200))
def test_an_outage_of_ten_minutes_and_a_restart_change_no_verdict(service, start, restart):
    """The metrics server is away at any time, Slipway starts anew at any time: the same outcome."""
    windows = windows_of(service)
    watch, verdict = Watch(SLOS, past(CALM), HALF), None
    for k, window in enumerate(windows):
        if k == restart:
            watch = Watch.restore(SLOS, past(CALM), HALF, json.loads(json.dumps(watch.state())))
        if start <= k < start + 40:
            verdict = watch.source_down(window.at, "timeout")
        else:
            seen = merged(windows[start : k + 1]) if k == start + 40 else window
            verdict = watch.observe(seen)
        if verdict is not None:
            break

    assert verdict is not None
    assert verdict.outcome is outcome_of(windows)


@settings(max_examples=15, deadline=None)
@given(service=steady, sizes=st.lists(st.integers(1, 4), min_size=220, max_size=220))
def test_merging_scrapes_never_flips_a_verdict(service, sizes):
    """Looks that come seldom and at random see the same service."""
    windows = windows_of(service)
    rest, groups = windows, []
    for size in sizes:
        if rest:
            groups.append(merged(rest[:size]))
            rest = rest[size:]

    assert outcome_of(groups) is outcome_of(windows)


@settings(max_examples=40, deadline=None)
@given(trace=traces, start=st.integers(0, 40))
def test_an_outage_by_itself_never_fails_a_candidate(trace, start):
    """Looks without an answer bring no evidence, whatever came before."""
    watch = Watch(SLOS, past(CALM), LONG)
    for k, count in enumerate(trace[:start], 1):
        if watch.observe(Window(at=15.0 * k, candidate={"errors": Count(*count)})) is not None:
            return
    for k in range(40):
        assert watch.source_down(15.0 * (start + k + 1), "timeout") is None


numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=80, deadline=None)
@given(trace=st.lists(st.tuples(numbers, numbers, numbers), max_size=30))
def test_nonsense_never_raises(trace):
    """Whatever numbers come, the watch lives; with no sound count it never fails the candidate."""
    watch = Watch(SLOS, (), replace(LONG, bake=600, max_bake=900))
    sound = 0
    for at, total, bad in trace:
        if at == at and abs(at) != float("inf"):  # noqa: PLR0124 - NaN is what differs from itself
            count = Count(total, bad)
            sound += count.fault() is None and bad > 0
            verdict = watch.observe(Window(at=at % 1e9, candidate={"errors": count}))
            if verdict is not None and not sound:
                assert verdict.outcome is not Outcome.FAILED


@settings(max_examples=60, deadline=None)
@given(trace=traces)
def test_windows_survive_json(trace):
    """What is stored for replay is what was seen."""
    for k, count in enumerate(trace):
        window = Window(
            at=15.0 * k, candidate={"errors": Count(*map(float, count))}, gauges={"g": 0.5}, seconds=15.0
        )

        assert Window.from_json(json.loads(json.dumps(window.to_json()))) == window
