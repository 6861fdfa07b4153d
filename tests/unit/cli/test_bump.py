"""`slipway bump`: the diff of a promotion, on a local checkout."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

RUN = CliRunner()
DIGEST = "sha256:" + "a" * 64


@pytest.fixture(autouse=True)
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_MLFLOW_TRACKING_URI", raising=False)


def spoil(repository: Path, old: str, new: str) -> None:
    file = repository / "slipway.yaml"
    file.write_text(file.read_text().replace(old, new))


def plain(repository: Path) -> None:
    """A configuration that needs nothing but the version's number."""
    spoil(repository, '    storage: "{source}"\n', "")


def test_the_diff_changes_the_pin_and_nothing_else(repository: Path) -> None:
    """Line ends and a missing final newline are those of the file, and the file stays as it is."""
    plain(repository)
    before = (repository / "fraud" / "values.yaml").read_bytes()

    result = RUN.invoke(app, ["bump", "fraud", "7", "staging", "--repo", str(repository)])

    assert result.exit_code == 0
    assert result.stdout_bytes.decode() == (
        "--- a/fraud/values.yaml\n"
        "+++ b/fraud/values.yaml\n"
        "@@ -1,4 +1,4 @@\n"
        " # pinned by Slipway\r\n"
        " image:\r\n"
        "   repository: registry.example.com/ml/fraud\r\n"
        "-  tag: v1\n"
        "\\ No newline at end of file\n"
        "+  tag: v7\n"
        "\\ No newline at end of file\n"
    )
    assert before == (repository / "fraud" / "values.yaml").read_bytes()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH")
def test_git_applies_the_diff_to_what_write_writes(repository: Path) -> None:
    """Both ways end with the same bytes."""
    plain(repository)
    arguments = ["bump", "fraud", "7", "staging", "--repo", str(repository)]
    diff = RUN.invoke(app, arguments).stdout_bytes

    subprocess.run(["git", "apply", "-"], cwd=repository, input=diff, check=True)
    applied = (repository / "fraud" / "values.yaml").read_bytes()
    (repository / "fraud" / "values.yaml").write_bytes(
        (repository / "fraud" / "production.yaml").read_bytes()
    )
    assert RUN.invoke(app, [*arguments, "--write"]).stdout_bytes == diff

    assert applied == (repository / "fraud" / "values.yaml").read_bytes()
    assert b"tag: v7" in applied


def test_a_version_that_is_pinned_already_changes_nothing(repository: Path) -> None:
    """That is told, and is no failure."""
    plain(repository)

    result = RUN.invoke(app, ["bump", "fraud", "1", "staging", "--repo", str(repository)])

    assert (result.exit_code, result.stdout) == (0, "")
    assert "staging has version 1 already" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["frod", "7", "staging"], "did you mean `fraud`?"),
        (["fraud", "7", "prodution"], "did you mean `production`?"),
    ],
)
def test_a_misspelt_name_is_wrong_usage(repository: Path, arguments: list[str], told: str) -> None:
    """The right one is named."""
    result = RUN.invoke(app, ["bump", *arguments, "--repo", str(repository)], env={"COLUMNS": "200"})

    assert result.exit_code == 2
    assert told in result.stderr


def test_a_configuration_with_mistakes_is_refused_with_them(repository: Path) -> None:
    """As `slipway check` tells them."""
    spoil(repository, "policy: strict", "polcy: strict")

    result = RUN.invoke(app, ["bump", "fraud", "7", "staging", "--repo", str(repository)])

    assert result.exit_code == 1
    assert "unknown key `polcy`" in result.stderr


def test_what_only_the_registry_knows_is_named(repository: Path) -> None:
    """Nothing is guessed."""
    result = RUN.invoke(app, ["bump", "fraud", "7", "staging", "--repo", str(repository)])

    assert result.exit_code == 1
    assert "only MLflow knows {source} of a version: set SLIPWAY_MLFLOW_TRACKING_URI" in result.stderr


class Registry(BaseHTTPRequestHandler):
    """A container registry with one image."""

    def do_HEAD(self) -> None:
        there = self.path == "/v2/ml/fraud/manifests/v7"
        self.send_response(200 if there else 404)
        self.send_header("Docker-Content-Digest", DIGEST)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    """The address of a registry on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pins_digests(repository: Path, registry: str) -> None:
    plain(repository)
    spoil(repository, '"v{version}"}', '"v{version}", pin: digest}')
    spoil(repository, "path: image}", "path: image, insert: true}")
    spoil(repository, "registry.example.com/ml/fraud", f"{registry}/ml/fraud")


def test_a_digest_is_asked_of_the_registry(repository: Path, registry: str) -> None:
    """An image is never pinned by its tag where the configuration says digest."""
    pins_digests(repository, registry)

    found, absent = (
        RUN.invoke(app, ["bump", "fraud", version, "staging", "--repo", str(repository)]) for version in "78"
    )

    assert (found.exit_code, absent.exit_code) == (0, 1)
    assert f"digest: {DIGEST}" in found.stdout
    assert "there is no such image yet" in absent.stderr


def test_a_digest_that_is_given_asks_nobody(repository: Path) -> None:
    """Where the registry is out of reach, the person may know it."""
    pins_digests(repository, "127.0.0.1:1")
    arguments = ["bump", "fraud", "7", "staging", "--repo", str(repository)]

    without, wrong, given = (
        RUN.invoke(app, [*arguments, *more]) for more in ([], ["--digest", "sha256:12"], ["--digest", DIGEST])
    )

    assert (without.exit_code, wrong.exit_code, given.exit_code) == (1, 1, 0)
    assert "Or give --digest" in without.stderr
    assert f"digest: {DIGEST}" in given.stdout


def test_a_pin_that_cannot_be_changed_changes_no_file(repository: Path) -> None:
    """The reason is the one that a promotion would give."""
    plain(repository)
    spoil(
        repository,
        "path: image}\n      production",
        "path: image}\n        - {helm: fraud/missing.yaml, path: image}\n      production",
    )

    result = RUN.invoke(app, ["bump", "fraud", "7", "staging", "--repo", str(repository), "--write"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no file fraud/missing.yaml" in result.stderr
    assert b"tag: v1" in (repository / "fraud" / "values.yaml").read_bytes()


@pytest.mark.parametrize("version", ["7\n  evil: true", "7: x", "$(id)", "../7", "", "latest", "٣"])
def test_a_version_is_never_more_than_a_number(repository: Path, version: str) -> None:
    """Anything else is wrong usage."""
    plain(repository)

    assert RUN.invoke(app, ["bump", "fraud", version, "staging", "--repo", str(repository)]).exit_code == 2


def test_a_prompt_is_checked_and_bumped_like_a_model(repository: Path) -> None:
    """Its address needs no registry to be told."""
    target = "{targets: [{file: prompt.yaml, pointer: /prompt}]}"
    with (repository / "slipway.yaml").open("a") as file:
        file.write(f"prompts:\n  greeting:\n    environments:\n      production: {target}\n")
    (repository / "prompt.yaml").write_text("prompt: prompts:/greeting/6\n")

    checked = RUN.invoke(app, ["check", str(repository)])
    bumped = RUN.invoke(app, ["bump", "greeting", "7", "production", "--repo", str(repository)])

    assert checked.exit_code == 0, checked.output
    assert bumped.stdout.splitlines()[-2:] == [
        "-prompt: prompts:/greeting/6",
        "+prompt: prompts:/greeting/7",
    ]
