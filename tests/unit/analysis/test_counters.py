"""Raw counters become increments by the rules of FACTS: nothing lost, nothing invented."""

import json
import math

import pytest

from bot.analysis.counters import Counters, Targets
from bot.domain.series import Series

A = {"job": "m", "instance": "a"}


def increments(answers, born_after=None):
    targets, counters, found, oddities = Targets(born_after), Counters(), [], set()
    for answer in answers:
        targets.note([answer])
        new, odd = counters.ingest(answer, targets)
        found += [(i.at, i.amount) for i in new]
        oddities |= odd
    return found, oddities


def test_the_first_sample_of_a_running_target_is_only_a_reference():
    """What a process counted before the watch is not the candidate's."""
    found, _ = increments([[Series(A, ((10.0, 500.0), (25.0, 503.0)))]])

    assert found == [(25.0, 3.0)]


def test_a_drop_counts_from_zero():
    """A restarted process counts again from zero."""
    found, _ = increments([[Series(A, ((10.0, 500.0), (25.0, 4.0), (40.0, 6.0)))]])

    assert found == [(25.0, 4.0), (40.0, 2.0)]


def test_a_new_error_series_on_a_known_target_counts_from_zero():
    """The first errors of a new series are not lost."""
    ok, errors = {**A, "status": "2xx"}, {**A, "status": "5xx"}
    found, _ = increments([[Series(ok, ((10.0, 5.0), (25.0, 5.0)))], [Series(errors, ((40.0, 7.0),))]])

    assert found == [(40.0, 7.0)]


def test_a_pod_born_after_the_merge_counts_from_zero():
    """A new pod's first sample is all its own work."""
    found, _ = increments([[Series(A, ((100.0, 9.0), (115.0, 12.0)))]], born_after=90.0)

    assert found == [(100.0, 9.0), (115.0, 3.0)]


def test_a_pod_from_before_the_merge_does_not():
    """A pod that was scraped before the merge keeps its history out."""
    found, _ = increments([[Series(A, ((80.0, 900.0), (100.0, 909.0)))]], born_after=90.0)

    assert found == [(100.0, 9.0)]


def test_samples_read_twice_count_once():
    """Overlapping reads double nothing."""
    samples = ((10.0, 1.0), (25.0, 3.0), (40.0, 6.0))
    found, _ = increments([[Series(A, samples[:2])], [Series(A, samples)]])

    assert sum(amount for _, amount in found) == 5.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_what_is_no_count_is_left_out_and_told(value):
    """NaN, infinity and negative values are no samples, and the person is told."""
    found, oddities = increments([[Series(A, ((10.0, 1.0), (25.0, value), (40.0, 6.0)))]])

    assert found == [(40.0, 5.0)]
    assert len(oddities) == 1


def test_duplicate_timestamps_count_once():
    """Of two samples at one time the first holds."""
    found, _ = increments([[Series(A, ((10.0, 1.0), (25.0, 3.0), (25.0, 9.0), (40.0, 10.0)))]])

    assert found == [(25.0, 2.0), (40.0, 7.0)]


def test_differences_are_taken_before_sums():
    """One pod's restart does not hide behind another pod's growth."""
    b = {"job": "m", "instance": "b"}
    found, _ = increments(
        [[Series(A, ((10.0, 100.0), (25.0, 2.0))), Series(b, ((10.0, 0.0), (25.0, 200.0)))]]
    )

    assert sorted(found) == [(25.0, 2.0), (25.0, 200.0)]


def test_state_survives_json():
    """Counting goes on after a restart as if nothing had been."""
    targets, counters = Targets(None), Counters()
    targets.note([[Series(A, ((10.0, 5.0),))]])
    counters.ingest([Series(A, ((10.0, 5.0),))], targets)
    again = Counters()
    again.restore(json.loads(json.dumps(counters.state())))

    found, _ = again.ingest([Series(A, ((25.0, 8.0),))], targets)
    assert [(i.at, i.amount) for i in found] == [(25.0, 3.0)]


def test_what_was_odd_is_told_once():
    """A restart and a doubled moment have their sentences, whatever their numbers."""
    _, oddities = increments(
        [[Series(A, ((10.0, 9.0), (25.0, 4.0), (40.0, 2.0), (40.0, 3.0), (55.0, -1.0), (70.0, -2.0)))]]
    )

    assert oddities == {
        "a counter fell, as one does that starts again: it counts from zero",
        "two samples at the same moment: the first one counts",
        "a counter was negative: that sample was left out",
    }


def test_a_series_that_counts_something_else_is_rebased():
    """What a series counted before is measured anew from the samples that are read again."""
    targets, counters = Targets(None), Counters()
    before, after = Series(A, ((10.0, 5.0), (25.0, 8.0))), Series(A, ((25.0, 80.0), (40.0, 90.0)))
    targets.note([[before]])
    counters.ingest([before], targets)
    counters.rebase(after)
    found, _ = counters.ingest([after], targets)

    assert [(i.at, i.amount) for i in found] == [(40.0, 10.0)]
