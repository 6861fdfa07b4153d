"""Candidate beside baseline: what is better, what is worse, what cannot be said."""

import math

import pytest

from bot.domain.comparison import Direction, compare, direction, web_address
from bot.domain.evidence import Column, Metric, Signature
from tests.fakes import samples


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", "higher"),
        ("val_auc", "higher"),
        ("testF1Score", "higher"),
        ("f1/macro", "higher"),
        ("roc-auc", "higher"),
        ("r2", "higher"),
        ("log_loss", "lower"),
        ("validation loss", "lower"),
        ("RMSE", "lower"),
        ("error_score", "lower"),
        ("p95_latency", "lower"),
        ("toxicity/v1/mean", "lower"),
        ("training_seconds", "unknown"),
        ("rows", "unknown"),
        ("lossless", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_name_of_a_metric_tells_its_direction(name, expected):
    """By whole words; nobody is guessed at."""
    assert direction(name) == expected


def test_a_policy_knows_better_than_the_name():
    """Overrides win."""
    assert direction("profit", {"profit": Direction.HIGHER}) is Direction.HIGHER
    assert direction("accuracy", {"accuracy": Direction.LOWER}) is Direction.LOWER


def only(candidate, baseline):
    """The one metric of a comparison of two lists of metrics."""
    (change,) = compare(
        samples.evidence("3", metrics=candidate), samples.evidence("2", metrics=baseline)
    ).metrics
    return change


@pytest.mark.parametrize(
    ("name", "new", "old", "better", "worse_by"),
    [
        ("auc", 0.9, 0.8, True, 0.0),
        ("auc", 0.8, 0.8, None, 0.0),
        ("auc", 0.72, 0.8, False, 0.1),
        ("loss", 0.2, 0.1, False, 1.0),
        ("loss", 0.1, 0.2, True, 0.0),
        ("loss", 0.1, 0.0, False, math.inf),
        ("loss", -0.2, -0.1, True, 0.0),
        ("r2", -0.2, -0.1, False, 1.0),
        ("rows", 5.0, 4.0, None, None),
        ("auc", math.nan, 0.8, None, None),
        ("auc", 0.8, math.nan, None, None),
    ],
)
def test_worse_is_a_part_of_the_baseline(name, new, old, better, worse_by):
    """Relative to the baseline's size, in the direction of the metric; NaN is never judged."""
    change = only((Metric(name, new),), (Metric(name, old),))

    assert change.better is better
    assert change.worse_by == (pytest.approx(worse_by) if worse_by is not None else None)


def test_a_metric_is_compared_on_the_same_data():
    """Of several values of one name, those of equal data sets are put together."""
    new = (Metric("auc", 0.9, "test", "t"), Metric("auc", 0.99, "train", "r"))
    old = (Metric("auc", 0.98, "train", "r"), Metric("auc", 0.8, "test", "t"))
    changes = compare(samples.evidence("3", metrics=new), samples.evidence("2", metrics=old)).metrics

    assert [(c.dataset, c.candidate, c.baseline, c.same_dataset) for c in changes] == [
        ("test", 0.9, 0.8, True),
        ("train", 0.99, 0.98, True),
    ]


def test_other_data_is_told_apart_from_unknown_data():
    """False: different digests. None: somebody recorded none."""
    assert only((Metric("auc", 1, "a", "x"),), (Metric("auc", 1, "a", "y"),)).same_dataset is False
    assert only((Metric("auc", 1, "a", "x"),), (Metric("auc", 1),)).same_dataset is None


def test_missing_is_missing_on_either_side():
    """A metric that one of both lacks is shown with None, and told where it can be judged."""
    comparison = compare(
        samples.evidence("3", metrics=(Metric("f1", 0.5),)),
        samples.evidence("2", metrics=(Metric("auc", 0.9), Metric("rows", 7))),
    )

    assert [(c.name, c.candidate, c.baseline) for c in comparison.metrics] == [
        ("auc", None, 0.9),
        ("f1", 0.5, None),
        ("rows", None, 7),
    ]
    assert comparison.missing_metrics == ("auc",)


def test_the_first_version_has_no_baseline():
    """Its metrics stand alone, and nothing changed."""
    comparison = compare(samples.evidence("1"), None)

    assert comparison.baseline is None
    assert comparison.signature is None
    assert comparison.parameters == ()
    assert {change.baseline for change in comparison.metrics} == {None}


def changed(old, new):
    """How the inputs' signature changed."""
    return compare(
        samples.evidence("3", signature=Signature(new, ())),
        samples.evidence("2", signature=Signature(old, ())),
    ).signature


A, A_TEXT, A_OPTIONAL = Column("a", "double"), Column("a", "string"), Column("a", "double", required=False)


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        ((A,), (A,), ()),
        ((A,), (), ("input `a` was removed",)),
        ((A_OPTIONAL,), (), ()),
        ((A,), (A_TEXT,), ("input `a` changed its type from double to string",)),
        ((), (A,), ("new input `a` is required",)),
        ((), (A_OPTIONAL,), ()),
        ((A,), (A_OPTIONAL,), ()),
        ((A_OPTIONAL,), (A,), ("input `a` became required",)),
        ((Column("a", "integer"),), (Column("a", "long"),), ()),
        (
            (Column("a", "long"),),
            (Column("a", "integer"),),
            ("input `a` changed its type from long to integer",),
        ),
    ],
)
def test_what_callers_would_notice_is_breaking(old, new, breaks):
    """Removed or retyped required inputs, and inputs that callers do not send yet."""
    change = changed(old, new)

    assert change.breaks == breaks
    assert change.breaking is bool(breaks)
    assert change.unchanged is (
        old == new
        or (not breaks and {c.name for c in old} == {c.name for c in new} and old[0].type == new[0].type)
    )


def test_an_output_that_disappears_breaks_callers():
    """Outputs are read by somebody; a new one disturbs nobody."""
    two = Signature((), (Column("score", "double"), Column("why", "string")))
    one = Signature((), (Column("score", "double"),))
    old, new = samples.evidence("2", signature=two), samples.evidence("3", signature=one)

    assert compare(new, old).signature.breaks == ("output `why` was removed",)
    assert compare(old, new).signature.breaks == ()


def test_parameters_and_libraries_that_changed():
    """Only what differs, missing as None."""
    comparison = compare(
        samples.evidence("3", parameters={"a": "1", "b": "2"}, python_version="3.12"),
        samples.evidence("2", parameters={"a": "1", "c": "3"}, python_version="3.11"),
    )

    assert [(c.name, c.old, c.new) for c in comparison.parameters] == [("b", None, "2"), ("c", "3", None)]
    assert [(c.name, c.old, c.new) for c in comparison.libraries] == [
        ("python", "3.11", "3.12"),
        ("scikit-learn", "1.2", "1.3"),
    ]


@pytest.mark.parametrize(
    ("written", "page"),
    [
        ("git@github.com:example/training.git", "https://github.com/example/training"),
        ("ssh://git@github.com/example/training.git", "https://github.com/example/training"),
        ("https://github.com/example/training", "https://github.com/example/training"),
        ("https://user:secret@git.example.test:8443/a/b.git/", "https://git.example.test:8443/a/b.git"),
        ("javascript:alert(1)", None),
        ("https://evil.example/a](b)", None),
        ("https://github.com/../x", None),
        ("file:///etc/passwd", None),
        ("", None),
    ],
)
def test_a_repository_has_a_page_or_none(written, page):
    """Only plain addresses become links, and no password survives."""
    found = web_address(written)

    assert found == (page and page.removesuffix(".git"))


def test_code_is_compared_in_one_repository_only():
    """Two commits of one repository have a page; anything else has none."""
    new, old = samples.evidence("3"), samples.evidence("2")

    assert (
        compare(new, old).compare_url
        == f"https://github.com/example/fraud-training/compare/{'2' * 40}...{'3' * 40}"
    )
    assert compare(new, samples.evidence("2", git_commit="main")).compare_url is None
    assert compare(new, samples.evidence("2", git_repository="git@github.com:a/b.git")).compare_url is None
    assert compare(new, samples.evidence("2", git_commit="3" * 40)).compare_url is None
    assert compare(new, None).compare_url is None


def test_prompts_and_tools_of_an_application_are_put_beside_each_other():
    """By name: what changed, what stayed, what is only in one of the two."""
    old = samples.evidence("2", prompts=("greeting/2", "safety/1"), tools={"search": "1.4"})
    new = samples.evidence("3", prompts=("greeting/3", "safety/1"), tools={"search": "1.5", "weather": "2"})
    together = compare(new, old)

    assert [(p.name, p.old, p.new) for p in together.prompts] == [
        ("greeting", "2", "3"),
        ("safety", "1", "1"),
    ]
    assert [(t.name, t.old, t.new) for t in together.tools] == [
        ("search", "1.4", "1.5"),
        ("weather", None, "2"),
    ]
    assert [(p.name, p.old, p.new) for p in compare(old, None).prompts] == [
        ("greeting", None, "2"),
        ("safety", None, "1"),
    ]
