"""`slipway policy`: cases and simulations, as a person at a terminal sees them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.domain.policies import resolve
from bot.domain.policy_case import load
from bot.domain.policy_trial import coverage, run
from tests.fakes import samples

CASES = Path(__file__).parents[2] / "policies"


def invoke(*arguments):
    return CliRunner().invoke(app, ["policy", *map(str, arguments)])


@pytest.mark.parametrize("name", ["baseline", "strict", "llm", "regulated"])
def test_the_cases_of_the_shipped_policies_see_every_rule_hold_and_not_hold(name):
    """Each rule of a shipped policy is tried both ways."""
    policy = resolve({}, samples.shipped_policies()).get(name)
    trials = run(load((CASES / f"{name}.yaml").read_text(), f"{name}.yaml"), policy)
    own = {gate.id for gate in policy.gates}

    assert [sentence for trial in trials for sentence in trial.wrong] == []
    assert [gate.gate for gate in coverage(policy, trials) if gate.gate in own and not gate.complete] == []


def test_the_cases_of_the_shipped_policies_are_met():
    """The command runs them all and says so."""
    result = invoke("test", CASES)

    assert result.exit_code == 0, result.output
    assert "FAILED" not in result.output
    for name, count in (("baseline", 12), ("strict", 18), ("llm", 13), ("regulated", 25)):
        assert f"Policy {name}: {count} of {count} gates seen both holding and not holding" in result.output
    assert result.output.endswith("cases, 0 failed\n")


def test_a_case_that_is_not_met_is_told_with_the_reason(tmp_path):
    """Which gate, what it answered, what was expected; exit 1."""
    (tmp_path / "x.yaml").write_text(
        "policy: baseline\ncases:\n  - name: hopeful\n    merges: true\n    expect: {evidence: holds, nothing: fails}\n"
    )
    result = invoke("test", tmp_path)

    assert result.exit_code == 1
    assert "FAILED x.yaml: hopeful" in result.output
    assert "evidence fails, expected holds: No metric is recorded" in result.output
    assert "nothing was not asked" in result.output
    assert "expected that it merges: stopped by evidence" in result.output
    assert "not-worse: never failed" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("policy: baseline\ncasse: []\n", "unknown key `casse`"),
        (
            "policy: baseline\ncases:\n  - {name: x, given: {candidate: {metric: 1}}}\n",
            "did you mean `metrics`?",
        ),
        (
            "policy: baseline\ngiven: {candidate: {age: soon}}\ncases:\n  - {name: x}\n",
            "x.yaml:2:26: this is not a duration",
        ),
        (
            "policy: baseline\ncases:\n  - name: x\n    given: {candidate: {version: null}, approvals: [{bye: x}]}\n",
            "x.yaml:4:54: unknown key `bye`",
        ),
        ("policy: nobody\ncases:\n  - {name: x, merges: true}\n", "there is no policy nobody"),
    ],
)
def test_mistakes_in_cases_are_told(tmp_path, text, said):
    """With the place or the fact that is wrong; exit 1."""
    (tmp_path / "x.yaml").write_text(text)
    result = invoke("test", tmp_path)

    assert result.exit_code == 1
    assert said in result.output


def test_a_folder_without_cases_is_a_failure(tmp_path):
    """Nothing tried is nothing proved."""
    result = invoke("test", tmp_path)

    assert result.exit_code == 1
    assert "no cases in" in result.output


def test_policies_of_the_repository_are_tried(tmp_path):
    """`--repo` reads the policies of a checkout."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.yaml").write_text(
        "gates: [{id: mine, expression: candidate.metrics.auc > 0.5}]\n"
    )
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "own.yaml").write_text(
        "policy: own\ncases:\n"
        "  - {name: good, given: {candidate: {metrics: {auc: 0.9}}}, expect: {mine: holds}}\n"
        "  - {name: bad, given: {candidate: {metrics: {auc: 0.1}}}, expect: {mine: fails}}\n"
    )
    result = invoke("test", tmp_path / "cases", "--repo", tmp_path)

    assert result.exit_code == 0, result.output
