"""Answers beside those of the logged model: what is the same, and what is told where they differ."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import parity
from bot.domain.checks import filled

TOLERANCE = 0.0001
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ([0.5, 1.0], [0.50001, 1]),
        ([0.0], [1e-9]),
        ([3], [3.0]),
        (["fraud"], ["fraud"]),
        ([math.nan], [None]),
        ([{"label": "a", "score": 0.25}], [{"label": "a", "score": 0.25000001, "more": 1}]),
        ([], []),
    ],
)
def test_the_same_within_the_tolerance_of_its_type(expected, found):
    """Numbers may be off by a little; what a server adds is its own."""
    assert parity.difference(expected, found, TOLERANCE) is None


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ([0.5, 1.0], [0.5, 1.01], "/1 is 1.01 instead of 1.0"),
        ([3], [4], "/0 is 4 instead of 3"),
        ([1000000], [1000001], "/0 is 1000001 instead of 1000000"),
        ([True], [1], "/0 is 1 instead of True"),
        (["1"], [1], "/0 is 1 instead of '1'"),
        ([0.5], [None], "/0 is None instead of 0.5"),
        ([math.nan], [0.0], "/0 is 0.0 instead of nan"),
        ([1.0, 2.0], [1.0], "1 answers instead of 2"),
        ([{"a": 1}], [{}], "/0/a is missing"),
        ([0.1, 0.2, 0.3], [1.0, 2.0, 3.0], "/0 is 1.0 instead of 0.1 (and 2 more)"),
        ([0.5], "0.5", "the answer is '0.5' instead of [0.5]"),
    ],
)
def test_what_differs_is_told_with_its_place(expected, found, said):
    """The first difference, and how many there are."""
    assert parity.difference(expected, found, TOLERANCE) == said


@given(PLAIN)
def test_everything_is_the_same_as_itself(value):
    """Always, without any tolerance."""
    assert parity.difference(value, value, 0.0) is None


@given(PLAIN, PLAIN)
def test_comparing_never_raises(one, other):
    """Whatever a server answers."""
    parity.difference(one, other, TOLERANCE)


def test_an_example_is_sent_as_the_server_takes_it():
    """MLflow's own form, records, and KServe's instances."""
    split = {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}

    assert parity.body(split, "mlflow") == split
    assert parity.body(split, "records") == {"dataframe_records": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}
    assert parity.body(split, "instances") == {"instances": [[1, 2], [3, 4]]}
    assert parity.body({"inputs": [[1.0]]}, "instances") == {"instances": [[1.0]]}


@pytest.mark.parametrize("example", [{"inputs": {"a": [1]}}, [], None, {"dataframe_split": {"data": 7}}])
def test_an_example_of_another_form_is_told(example):
    """A sentence, not a crash."""
    with pytest.raises(parity.Unsuitable, match="cannot be sent as `records`"):
        parity.body(example, "records")


def test_a_pointer_finds_or_says_what_is_missing():
    """RFC 6901, escapes included."""
    document = {"a/b": [{"~": 7}]}

    assert parity.at(document, "/a~1b/0/~0") == 7
    assert parity.at(document, "") is document
    for pointer in ("/x", "/a~1b/5", "/a~1b/0/~0/more", "/a~1b/zero"):
        with pytest.raises(parity.Unsuitable, match="has nothing at"):
            parity.at(document, pointer)


def test_names_in_an_address_lead_nowhere_else():
    """Whatever a model or a version is called."""
    names = {"model": "a/../b?c#d@e", "version": "7", "baseline": "", "environment": "staging"}

    assert filled("http://m.{environment}.svc/v{version}/{model}", names) == (
        "http://m.staging.svc/v7/a%2F..%2Fb%3Fc%23d%40e"
    )
