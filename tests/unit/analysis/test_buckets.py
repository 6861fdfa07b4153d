"""A latency threshold meets the buckets that a histogram really has."""

import pytest

from bot.analysis.buckets import choose_bound, choose_bounds


@pytest.mark.parametrize(
    ("les", "threshold", "bound"),
    [
        (["0.1", "0.5", "1.0", "+Inf"], 0.5, 0.5),
        (["0.1", "0.50", "1", "+Inf"], 0.5, 0.5),
        (["100", "500.0", "+Inf"], 500.0, 500.0),
        (["0.1", "1.0", "+Inf"], 0.5, 1.0),
        (["0.1", "0.25", "+Inf"], 0.5, None),
        (["0.1", "0.5", "1"], 0.5, None),
        (["+Inf"], 0.5, None),
        ([], 0.5, None),
        (["", "nonsense", "NaN", "0.5", "+Inf"], 0.5, 0.5),
    ],
)
def test_the_bound_is_the_threshold_or_the_next_larger(les, threshold, bound):
    """Bounds are compared as numbers; what lies between threshold and bound is forgiven."""
    assert choose_bound(les, threshold).bound == bound


def test_a_threshold_that_is_no_bound_says_which_is_used():
    """The person learns that another bound stands for the threshold."""
    assert (
        choose_bound(["0.1", "1", "+Inf"], 0.5).sentence == "0.5 is no bucket bound; the next one, 1, is used"
    )


def test_a_threshold_above_every_bound_is_refused_with_a_reason():
    """Nothing is judged by guesswork."""
    sentence = choose_bound(["0.1", "0.25", "+Inf"], 0.5).sentence

    assert sentence == "0.5 is above the largest bucket bound, 0.25: slow requests cannot be told"


def test_each_histogram_has_its_own_bound():
    """A candidate with other buckets than the baseline is not judged by the baseline's."""
    old = [{"pod": "a", "le": le} for le in ("0.5", "1", "+Inf")]
    new = [{"pod": "b", "le": le} for le in ("0.1", "0.25", "+Inf")]
    choices = choose_bounds([*old, *new], 0.5)

    assert sorted((choice.bound for choice in choices.values()), key=str) == [0.5, None]
