"""docs/policies.md tells every key, gate and fact."""

import re
from pathlib import Path

import pytest

from bot.domain import gates
from bot.domain.authorization import Action
from bot.domain.facts import for_expressions
from bot.domain.policy import CanaryPolicy, Policy, PolicyFile
from tests.fakes import samples

DOCS = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
CODE = {word for span in re.findall(r"`([^`\n]+)`", DOCS) for word in re.findall(r"\w+", span)}


def names(facts):
    for name, value in facts.items():
        yield name
        if isinstance(value, dict) and name not in {"tags", "parameters", "libraries", "verified", "metrics"}:
            yield from names(value)


@pytest.mark.parametrize("key", [*PolicyFile.model_fields, *CanaryPolicy.model_fields, *Action])
def test_every_key_and_action_is_documented(key):
    """A key without a word in the documentation fails here."""
    assert str(key) in CODE


@pytest.mark.parametrize("fact", sorted(set(names(for_expressions(samples.facts(), Policy())))))
def test_every_fact_is_documented(fact):
    """A fact without a word in the documentation fails here."""
    assert fact in CODE


def test_every_built_in_gate_is_documented():
    """The table of the module and the table of the documentation name the same gates."""
    told = re.findall(r"^    (\w+) {2,}", gates.__doc__, re.MULTILINE)

    assert len(told) == 9
    assert [gate for gate in told if f"| `{gate}` |" not in DOCS] == []


@pytest.mark.parametrize("name", ["baseline", "strict", "llm", "regulated"])
def test_every_shipped_policy_is_documented(name):
    """With what it is for."""
    assert f"| `{name}` |" in DOCS
