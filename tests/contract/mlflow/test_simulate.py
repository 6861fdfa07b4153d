"""`slipway policy simulate` against a real registry."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

SLIPWAY = """\
version: 1
models:
  fraud-detector:
    image: {repository: 127.0.0.1:1/ml/fraud, tag: "v{version}"}
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
    assert "Callers of the baseline may break: new input `age` is required" in result.output
    assert result.output.endswith("It would not merge because of: signature.\n")


DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def images():
    """A registry that has version 2's image with nothing attached to it, and no other; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            there = self.path == "/v2/ml/fraud/manifests/v2"
            self.send_response(200 if there else 404)
            if there:
                self.send_header("Docker-Content-Digest", DIGEST)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_image_is_looked_for_in_its_registry(repository, images, mlflow_server, trained):
    """By its digest, as the bump would pin it; one that is not there is waited for."""
    pinned = SLIPWAY.replace("127.0.0.1:1", images).replace('"v{version}"', '"v{version}", pin: digest')
    (repository / "slipway.yaml").write_text(pinned)
    there = simulate(repository, mlflow_server, "--version", "2", "--approved-by", "paula")
    absent = simulate(repository, mlflow_server, "--version", "1", "--baseline", "2")

    assert f"`{images}/ml/fraud:v2` is `sha256:aaaaaaaaaaaa…`" in there.output
    assert f"waits image                `{images}/ml/fraud:v1` is not in the registry yet" in absent.output
    assert "not looked at" not in there.output + absent.output


def test_a_rule_on_an_image_that_nobody_could_look_at_does_not_hold(repository, mlflow_server, trained):
    """And it is said that nobody could, and what else only the running Slipway knows."""
    rule = "{id: signed, expression: candidate.image == null || candidate.image.signed == true}"
    (repository / "policies" / "production.yaml").write_text(f"extends: baseline\ngates: [{rule}]\n")
    result = simulate(repository, mlflow_server, "--version", "2")

    assert "fails signed" in result.output
    assert "The image was not looked at: " in result.output
    assert (
        "Holds, quarantines and what happened here before are the running Slipway's: see --pr."
        in result.output
    )


@pytest.mark.parametrize(
    ("name", "place", "said"),
    [
        ("fraud-detctor", "production", "no model or prompt fraud-detctor: did you mean `fraud-detector`?"),
        (
            "fraud-detector",
            "prodction",
            "no environment prodction of fraud-detector: did you mean `production`?",
        ),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_one(repository, name, place, said):
    """Before anything is asked."""
    arguments = [
        "policy",
        "simulate",
        "--repo",
        repository,
        "--mlflow",
        "http://127.0.0.1:1",
        "--model",
        name,
    ]
    result = CliRunner().invoke(app, [*map(str, arguments), "--version", "2", "--environment", place])

    assert result.exit_code == 1
    assert said in result.output
