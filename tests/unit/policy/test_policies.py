"""Policy files: what extending means, every mistake with its place, and nothing let through by a broken file."""

from datetime import timedelta

import pytest

from bot.domain import expression
from bot.domain.facts import for_expressions
from bot.domain.gates import evaluate
from bot.domain.mistake import ConfigError
from bot.domain.policies import load, resolve
from bot.domain.policy import BrokenPolicy, Policy
from bot.domain.pull import Permission
from tests.fakes import samples

BASE = """\
description: base
live_within: 20m
metrics: {tolerance: 2%, directions: {profit: higher}}
freeze:
  - {cron: "0 16 * * FRI", duration: 64h}
gates:
  - {id: accuracy, expression: candidate.metrics.accuracy > 0.9}
  - {id: code, expression: candidate.commit != null}
"""


def test_every_mistake_is_told_at_once_with_its_place():
    """Line, column and key of each; nothing is loaded."""
    text = """\
promote: automagic
soak: 1 hour
gates:
  - {id: A B, expression: "1 +"}
  - {id: twice, expression: "true"}
  - {id: twice, expression: "nowhere.x"}
freeze:
  - {cron: "every friday", duration: 1h}
  - {ical: ../secrets.ics}
  - {cron: "0 0 * * *", duration: 1h, time_zone: Mars/Olympus}
"""
    with pytest.raises(ConfigError) as caught:
        load(text, "policies/production.yaml")
    places = {(mistake.line, mistake.key) for mistake in caught.value.mistakes}

    assert {line for line, _ in places} >= {1, 2, 4, 6, 8, 9, 10}
    assert places >= {(4, "gates[0].expression"), (6, "gates[2].id"), (6, "gates[2].expression")}
    assert (1, "promote") in places
    assert (8, "freeze[0].cron") in places
    assert all(mistake.file == "policies/production.yaml" for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 +", "does not compile"),
        ("nowhere.x > 1", "`nowhere` is no fact"),
        ("shell('id')", "`shell` is no function"),
        ("candidate.flavors.all(x, candidate.flavors.all(y, x == y))", "nested"),
        ("candidate.flavors.map(x, x).all(x, true)", "nested or chained"),
        ("true " + "&& true " * 200, "at most 1,000"),
    ],
)
def test_an_expression_that_cannot_work_is_a_mistake_where_it_stands(expression, said):
    """Expressions are compiled when the file is read, not first when a promotion needs them."""
    with pytest.raises(ConfigError) as caught:
        load(f"gates:\n  - id: x\n    expression: {expression!r}\n", "policies/p.yaml")
    (mistake,) = caught.value.mistakes

    assert said in mistake.message
    assert (mistake.line, mistake.key) == (3, "gates[0].expression")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{candidat.metrics.auc}", "`candidat` is no fact"),
        ("{candidate.metriks.auc}", "`candidate` has no `metriks`; did you mean `metrics`?"),
        ("{candidate.metrics.auc and more", "`{candidate.metrics.auc and more` is no fact in braces"),
        ("{Candidate}", "`{Candidate}` is no fact in braces"),
        ("{}", "`{}` is no fact in braces"),
    ],
)
@pytest.mark.parametrize("key", ["message", "holds"])
def test_a_sentence_that_names_no_fact_is_a_mistake_where_it_stands(key, template, said):
    """Nobody is told "not recorded" of a fact that is misspelt."""
    with pytest.raises(ConfigError) as caught:
        load(f"gates:\n  - {{id: a, expression: 'true', {key}: '{template}'}}\n", "policies/x.yaml")
    (mistake,) = caught.value.mistakes

    assert mistake.key == f"gates[0].{key}"
    assert said in mistake.message


def test_a_sentence_may_name_whatever_a_version_records():
    """Metrics by data set and with slashes in their names, as a percentage too."""
    template = "{candidate.metrics.toxicity/mean} {baseline.metrics.auc@holdout%} {now} {candidate.tags.a-b}"

    load(f"gates:\n  - {{id: a, expression: 'true', message: '{template}'}}\n", "policies/x.yaml")


def test_a_base_that_is_not_there_is_told_beside_the_other_mistakes_of_the_file():
    """On its own line, once."""
    wrong = "# production\nextends: strct\npromote: automagic\n"
    mistakes = resolve({"policies/x.yaml": wrong}, {"policies/strict.yaml": "{}\n"}).mistakes
    alone = resolve(
        {"policies/x.yaml": "# production\nextends: strct\n"}, {"policies/strict.yaml": "{}\n"}
    ).mistakes

    assert [(m.line, m.column, m.key, m.hint) for m in mistakes] == [
        (2, 10, "extends", "did you mean `strict`?"),
        (3, 10, "promote", "did you mean `automatic`?"),
    ]
    assert alone == mistakes[:1]


def test_a_circle_of_policies_is_told_where_it_closes():
    """Neither of the two can be read."""
    circle = {"policies/a.yaml": "extends: b\n", "policies/b.yaml": "extends: a\n"}

    assert {m.message for m in resolve(circle).mistakes} == {"it extends itself"}


def test_a_freeze_is_a_cron_or_a_calendar():
    """Who writes both is told so, and not that a key is misspelt."""
    with pytest.raises(ConfigError) as caught:
        load('freeze:\n  - {cron: "0 16 * * FRI", duration: 1h, ical: x.ics}\n', "policies/x.yaml")

    assert [m.message for m in caught.value.mistakes] == [
        "a freeze is written as `cron` or as `ical`, not both"
    ]


def test_the_names_of_the_facts_are_those_that_expressions_see():
    """What the check of a file knows and what a promotion gives are the same."""
    given = for_expressions(samples.facts(), Policy())
    seen = {name: frozenset(value) for name, value in given.items() if isinstance(value, dict)}
    seen["candidate.image"] = frozenset(given["candidate"]["image"])

    assert seen == expression.FIELDS
    assert set(given) == expression.FACTS


def test_extending_replaces_values_and_adds_gates_and_freezes():
    """Single values replace, mappings merge, gates merge by id, freezes add up."""
    child = """\
extends: base
live_within: 5m
metrics: {directions: {churn: lower}}
freeze:
  - {ical: policies/holidays.ics}
gates:
  - {id: code, expression: "true", enforce: warn}
  - {id: own, expression: "true"}
"""
    policy = resolve({"policies/base.yaml": BASE, "policies/child.yaml": child}).get("child")

    assert policy.name == "child"
    assert policy.live_within == timedelta(minutes=5)
    assert policy.description == "base"
    assert policy.metrics.tolerance == 0.02
    assert dict(policy.metrics.directions) == {"profit": "higher", "churn": "lower"}
    assert len(policy.freeze) == 2
    assert [(gate.id, str(gate.enforce)) for gate in policy.gates] == [
        ("accuracy", "block"),
        ("code", "warn"),
        ("own", "block"),
    ]


def test_a_file_of_the_repository_replaces_the_shipped_one_and_may_extend_it():
    """`extends: base` in `base.yaml` means the shipped `base`."""
    own = "extends: base\nlive_within: 7m\n"
    policies = resolve({"policies/base.yaml": own}, {"policies/base.yaml": BASE})

    assert policies.mistakes == ()
    assert policies.get("base").live_within == timedelta(minutes=7)
    assert len(policies.get("base").gates) == 2


@pytest.mark.parametrize(
    "files",
    [
        {"policies/a.yaml": "extends: b\n", "policies/b.yaml": "extends: a\n"},
        {"policies/a.yaml": "extends: a\n"},
        {"policies/a.yaml": "extends: nobody\n"},
        {"policies/a.yaml": "gates: [\n"},
        {"policies/a.yaml": "name: b\n"},
        {"policies/a.yaml": "extends: b\n", "policies/b.yaml": "unknown: 1\n"},
        {},
    ],
)
def test_a_policy_that_cannot_be_read_blocks_and_says_why(files):
    """Whatever is wrong, the answer is a gate that blocks; an absent policy too."""
    policies = resolve(files)
    (gate,) = evaluate(policies.get("a"), samples.facts())

    assert gate.blocks
    assert gate.id == "policy"
    assert len(gate.reason) > 10
    assert bool(policies.mistakes) is bool(files)


def test_what_can_be_read_of_a_broken_policy_stays_in_force_for_what_is_merged():
    """A rule that does not compile changes neither the watch, nor the revert, nor anybody's rights."""
    files = {
        "policies/x.yaml": "extends: base\nrevert: propose\ncanary: {bake: 3h}\nlive_within: soon\n"
        "commands: {rollback: {role: admin}}\ngates: [{id: a, expression: '1 +', enforced: warn}]\n",
        "policies/base.yaml": "on_failure: report\n",
        "policies/text.yaml": "just text\n",
    }
    broken, text = (resolve(files).get(name) for name in ("x", "text"))

    assert isinstance(broken, BrokenPolicy)
    assert (broken.revert, broken.on_failure, broken.canary.bake) == ("propose", "report", timedelta(hours=3))
    assert broken.commands["rollback"].permission is Permission.ADMIN
    assert broken.live_within == timedelta(minutes=15)
    assert isinstance(text, BrokenPolicy)
    assert len(broken.reasons) == 3


def test_a_misspelt_name_is_answered_with_the_right_one():
    """The reason names what was probably meant."""
    (reason,) = resolve({"policies/production.yaml": ""}, samples.shipped_policies()).get("baselin").reasons

    assert "`baseline`" in reason


def test_rights_name_roles_and_teams():
    """`commands:` says who may do what."""
    policy = resolve(
        {
            "policies/a.yaml": "commands:\n  override: {role: read, teams: [sre]}\n  release_quarantine: {role: admin}\n"
        }
    ).get("a")

    assert policy.commands["override"].teams == ("sre",)
    assert policy.commands["release_quarantine"].permission is Permission.ADMIN


@pytest.mark.parametrize("name", ["baseline", "strict", "llm", "regulated"])
def test_the_shipped_policies_are_without_mistakes(name):
    """Each is useful as it stands."""
    policies = resolve({}, samples.shipped_policies())

    assert policies.mistakes == ()
    assert not isinstance(policies.get(name), BrokenPolicy)
    assert policies.get(name).gates
    assert all(gate.message for gate in policies.get(name).gates)
    assert [wrong for gate in policies.get(name).gates if (wrong := expression.check(gate.expression))] == []


def test_the_baseline_holds_for_a_better_version():
    """Somebody who starts with the shipped baseline gets a promotion through."""
    gates = evaluate(resolve({}, samples.shipped_policies()).get("baseline"), samples.facts())

    assert [gate.id for gate in gates if not gate.holds] == []
