"""`slipway policy simulate` against a real registry."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

SLIPWAY = """\
version: 1
models:
  fraud-detector:
    image: {repository: registry.example.com/ml/fraud, tag: "v{version}"}
    environments:
      staging:
        targets: [{helm: fraud/staging.yaml, path: image}]
      production:
        after: staging
        alias: champion
        policy: production
        targets: [{helm: fraud/production.yaml, path: image}]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "slipway.yaml").write_text(SLIPWAY)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "production.yaml").write_text("extends: baseline\napprovals: {count: 1}\n")
    return tmp_path


def simulate(repository, server, *more):
    arguments = ["policy", "simulate", "--repo", repository, "--mlflow", server, "--model", "fraud-detector"]
    return CliRunner().invoke(app, [*map(str, arguments), "--environment", "production", *more])


def test_what_would_happen_is_said_with_every_reason(repository, mlflow_server, trained):
    """Against the version that the alias names; nothing is changed."""
    result = simulate(repository, mlflow_server, "--version", "2")

    assert result.exit_code == 0, result.output
    assert "fraud-detector version 2 into production, against version 1, policy production:" in result.output
    assert "it needs 1 approval, 0 given" in result.output
    assert result.output.endswith("It would wait for: approvals.\n")


def test_what_if_somebody_approved(repository, mlflow_server, trained):
    """A pure decision answers what-if questions."""
    result = simulate(repository, mlflow_server, "--version", "2", "--approved-by", "paula")

    assert result.output.endswith("It would merge as soon as somebody comments /promote.\n")


def test_a_worse_version_would_not_merge(repository, mlflow_server, trained):
    """Version 1 against version 2: the accuracy sank."""
    (repository / "policies" / "production.yaml").write_text("extends: baseline\nmetrics: {tolerance: 0%}\n")
    result = simulate(repository, mlflow_server, "--version", "1", "--baseline", "2")

    assert "It would not merge because of: not-worse." in result.output


def test_a_version_that_does_not_exist_is_told(repository, mlflow_server, trained):
    """In the registry's words; exit 1."""
    result = simulate(repository, mlflow_server, "--version", "99")

    assert result.exit_code == 1
    assert "not found" in result.output


def test_a_prompt_is_simulated_like_a_model(repository, mlflow_server, trained):
    """Its variables are its signature: callers that do not send the new one would break."""
    target = "{targets: [{file: prompt.yaml, pointer: /prompt}], policy: llm, alias: champion}"
    with (repository / "slipway.yaml").open("a") as file:
        file.write(f"prompts:\n  greeting:\n    environments:\n      production: {target}\n")
    arguments = ["policy", "simulate", "--repo", repository, "--mlflow", mlflow_server, "--model", "greeting"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--version", "2", "--environment", "production"])

    assert result.exit_code == 0, result.output
    assert "greeting version 2 into production, against version 1, policy llm:" in result.output
    assert "holds evaluated" in result.output
    assert "Callers of the baseline may break: new input age is required" in result.output
    assert result.output.endswith("It would not merge because of: signature.\n")
