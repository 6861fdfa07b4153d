"""`checks:` of an environment: what is right, and every mistake with its line."""

import pytest

from bot.domain.checks import Parity, Probe, Workflow
from bot.domain.loading import load, load_partly

SLIPWAY = """\
version: 1
models:
  fraud:
    environments:
      staging:
        targets: [{file: a.yaml, pointer: /uri}]
        checks:
          alive: {probe: "https://{model}.{environment}.svc/healthz", within: 2s}
          answers:
            probe: "http://fraud/predict"
            method: POST
            body: {instances: [[1, 2]]}
            answer: {/predictions/0: fraud, /version: "7"}
          same: {parity: "http://fraud/predict", sends: records, tolerance: 0.1%, on_failure: hold}
          integration: {workflow: integration.yml, within: 1h}
"""


def test_three_kinds_of_checks():
    """Told by their first key."""
    checks = load(SLIPWAY).models["fraud"].environments["staging"].checks

    assert [type(check) for check in checks.values()] == [Probe, Probe, Parity, Workflow]
    assert checks["answers"].answer == {"/predictions/0": "fraud", "/version": "7"}
    assert (checks["same"].tolerance, checks["same"].on_failure) == (0.001, "hold")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("https://{model}", "https://{modle}", "{modle} is not known"),
        ("https://{model}", "file:///{model}", ""),
        ("https://{model}", "https://user:secret@{model}", ""),
        ("within: 2s", "within: 2", "a duration needs a unit"),
        ("within: 2s", "within: 5m", ""),
        ("within: 2s", "wihin: 2s", "unknown key `wihin`"),
    ],
)
def test_a_wrong_check_is_told_with_its_line(right, wrong, said):
    """One mistake, on its line."""
    mistakes = load_partly(SLIPWAY.replace(right, wrong, 1)).mistakes

    assert [mistake.line for mistake in mistakes] == [8]
    assert said in mistakes[0].message


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("integration: {workflow: ../other.yml}", 15),
        ("integration: {workflow: integration.sh}", 15),
        ("integration: {wait: 5m}", 15),
        ("integration: {workflow: a.yml, on_failure: explode}", 15),
    ],
)
def test_a_wrong_workflow_is_told(wrong, line):
    """Only a file of `.github/workflows`, only what may be done."""
    mistakes = load_partly(
        SLIPWAY.replace("integration: {workflow: integration.yml, within: 1h}", wrong)
    ).mistakes

    assert mistakes
    assert {mistake.line for mistake in mistakes} == {line}
