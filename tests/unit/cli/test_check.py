"""`slipway check` as a person, a program and a workflow see it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

RUN = CliRunner()


def spoil(repository: Path, old: str, new: str) -> None:
    file = repository / "slipway.yaml"
    file.write_text(file.read_text().replace(old, new))


def test_a_repository_that_is_well_ends_with_0(repository: Path) -> None:
    """One line says so."""
    result = RUN.invoke(app, ["check", str(repository)])

    assert (result.exit_code, result.stdout) == (0, f"no mistake in {repository}/slipway.yaml\n")


def test_the_file_may_be_named_as_well(repository: Path) -> None:
    """Editors and hooks hand over the file."""
    assert RUN.invoke(app, ["check", str(repository / "slipway.yaml")]).exit_code == 0


def test_the_folder_is_the_one_where_the_command_is_given(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are printed as they are from there."""
    monkeypatch.chdir(repository)
    spoil(repository, "policy: strict", "policy: strikt")

    assert RUN.invoke(app, ["check"]).stdout.startswith("slipway.yaml:14:17: there is no policy `strikt`")


def test_a_person_sees_the_line_and_what_would_be_right(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every mistake at once, and how many."""
    monkeypatch.chdir(repository)
    spoil(repository, "policy: strict", "polcy: strict")
    spoil(repository, "after: staging", "after: stagign")

    result = RUN.invoke(app, ["check"])

    assert result.exit_code == 1
    assert result.stdout == (
        "slipway.yaml:11:16: there is no environment `stagign`\n"
        "   |\n"
        "11 |         after: stagign\n"
        "   |                ^^^^^^^\n"
        "  = did you mean `staging`?\n"
        "\n"
        "slipway.yaml:14:9: unknown key `polcy`\n"
        "   |\n"
        "14 |         polcy: strict\n"
        "   |         ^^^^^\n"
        "  = did you mean `policy`?\n"
    )
    assert result.stderr == "2 mistakes in slipway.yaml\n"


def test_a_program_reads_json(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Always one object, with nothing around it."""
    monkeypatch.chdir(repository)

    assert json.loads(RUN.invoke(app, ["check", "--format", "json"]).stdout) == {"ok": True, "mistakes": []}

    spoil(repository, "policy: strict", "polcy: strict")

    assert json.loads(RUN.invoke(app, ["check", "--format", "json"]).stdout) == {
        "ok": False,
        "mistakes": [
            {
                "file": "slipway.yaml",
                "line": 14,
                "column": 9,
                "key": "models.fraud.environments.production.polcy",
                "message": "unknown key `polcy`",
                "hint": "did you mean `policy`?",
            }
        ],
    }


def test_a_workflow_shows_mistakes_on_the_changed_lines(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One annotation each."""
    monkeypatch.chdir(repository)
    spoil(repository, "policy: strict", "polcy: strict")

    assert RUN.invoke(app, ["check", "--format", "github"]).stdout == (
        "::error file=slipway.yaml,line=14,col=9,title=models.fraud.environments.production.polcy"
        "::unknown key `polcy`; did you mean `policy`?\n"
    )


def test_text_of_the_file_never_makes_an_annotation_of_its_own(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line breaks, colons and commas are escaped as GitHub asks."""
    monkeypatch.chdir(repository)
    spoil(repository, "policy: strict", '"%,:\\n::warning::x": strict')

    (line,) = RUN.invoke(app, ["check", "--format", "github"]).stdout.splitlines()

    assert "%25%2C%3A%0A%3A%3Awarning%3A%3Ax" in line.partition("::unknown")[0]
    assert "`%25,:%0A::warning::x`" in line


def test_text_of_the_file_never_steers_the_terminal(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escapes are shown as blanks, in the message and in the quoted line."""
    monkeypatch.chdir(repository)
    spoil(repository, "policy: strict", "policy: \x1b[2Jstrict")

    printed = RUN.invoke(app, ["check"]).stdout

    assert "\x1b" not in printed
    assert "14 |         policy:  [2Jstrict" in printed


def test_a_missing_configuration_is_a_mistake(tmp_path: Path) -> None:
    """A pull request that deletes it fails its check."""
    result = RUN.invoke(app, ["check", str(tmp_path)])

    assert result.exit_code == 1
    assert "there is no such file" in result.stdout


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """Exit code 2 is for the command line itself."""
    assert RUN.invoke(app, ["check", str(tmp_path / "nowhere")]).exit_code == 2


def test_files_outside_of_the_repository_are_never_read(repository: Path) -> None:
    """A symlink counts as no file, wherever it stands in the path."""
    outside = repository.parent / f"{repository.name}-outside"
    outside.mkdir()
    (repository / "fraud" / "values.yaml").rename(outside / "values.yaml")
    (repository / "fraud" / "values.yaml").symlink_to(outside / "values.yaml")

    assert "there is no file `fraud/values.yaml`" in RUN.invoke(app, ["check", str(repository)]).stdout

    (repository / "fraud" / "production.yaml").unlink()
    (repository / "fraud" / "values.yaml").unlink()
    (repository / "fraud").rmdir()
    (repository / "fraud").symlink_to(outside)

    assert "there is no file `fraud/values.yaml`" in RUN.invoke(app, ["check", str(repository)]).stdout


def test_policies_of_the_repository_are_checked_with_it(repository: Path) -> None:
    """Their mistakes stand under their own name."""
    (repository / "policies").mkdir()
    (repository / "policies" / "own.yaml").write_text("prmote: automatic\n")

    printed = RUN.invoke(app, ["check", str(repository)]).stdout

    assert f"{repository}/policies/own.yaml:1:1: unknown key `prmote`\n" in printed
    assert "1 | prmote: automatic\n" in printed


def test_the_template_has_no_mistakes() -> None:
    """What a new user copies passes its own check."""
    template = Path(__file__).parents[3] / "gitops-repo-template"

    assert RUN.invoke(app, ["check", str(template)]).exit_code == 0
