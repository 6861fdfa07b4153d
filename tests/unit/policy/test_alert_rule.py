"""An alert fails a canary only where the policy names it and it is about the promotion."""

import pytest
from pydantic import ValidationError

from bot.domain.alert_rule import AlertRule, named
from bot.domain.policy import CanaryPolicy

NAMES = {
    "model": "fraud",
    "version": "3",
    "baseline": "2",
    "environment": "production",
    "namespace": "production",
}


@pytest.mark.parametrize(
    ("asked", "carried", "concerned"),
    [
        ({}, {}, True),
        ({}, {"severity": "page", "pod": "x"}, True),
        ({}, {"model": "fraud"}, True),
        ({}, {"model": "churn"}, False),
        ({}, {"version": "2"}, False),
        ({}, {"version": "3", "environment": "production", "namespace": "production"}, True),
        ({}, {"environment": "staging"}, False),
        ({}, {"namespace": "ml"}, False),
        ({"namespace": "ml"}, {"namespace": "ml"}, True),
        ({"namespace": "ml-{environment}"}, {"namespace": "ml-production"}, True),
        ({"namespace": "ml-{environment}"}, {"namespace": "production"}, False),
        ({"team": "risk"}, {}, False),
        ({"team": "risk"}, {"team": "risk", "model": "churn"}, False),
        ({"app": "{model}-v{version}"}, {"app": "fraud-v3"}, True),
        ({"app": "{unknown}"}, {"app": "{unknown}"}, True),
    ],
)
def test_its_labels_say_whom_it_is_about(asked, carried, concerned):
    """Labels of a promotion must fit where it has them, and what the policy asks for must be there."""
    assert AlertRule(name="ErrorsHigh", labels=asked).concerns(carried, NAMES) is concerned


def test_a_value_of_the_promotion_is_not_filled_in_again():
    """A model may be called as a placeholder is."""
    names = {**NAMES, "model": "{version}"}

    assert not AlertRule(name="A", labels={"app": "{model}"}).concerns({"app": "3"}, names)
    assert AlertRule(name="A", labels={"app": "{model}"}).concerns({"app": "{version}"}, names)


def test_rules_are_found_by_the_exact_name():
    """A bare name asks for no labels; one alert may have several rules."""
    rules = ("ErrorsHigh", AlertRule(name="Restarts", labels={"namespace": "a"}), AlertRule(name="Restarts"))

    assert named(rules, "ErrorsHigh") == (AlertRule(name="ErrorsHigh"),)
    assert [rule.labels for rule in named(rules, "Restarts")] == [{"namespace": "a"}, {}]
    assert named(rules, "errorshigh") == named((), "ErrorsHigh") == ()


def test_a_policy_takes_names_and_rules_and_refuses_the_rest():
    """Both ways of writing; an empty name or an unknown key is a mistake."""
    policy = CanaryPolicy.model_validate({"alerts": ["A", {"name": "B", "labels": {"x": "y"}}]})

    assert policy.alerts == ("A", AlertRule(name="B", labels={"x": "y"}))
    for wrong in ({"name": ""}, {"labels": {}}, {"name": "B", "label": {}}):
        with pytest.raises(ValidationError):
            CanaryPolicy.model_validate({"alerts": [wrong]})
