"""`slipway init`: a repository of one's own, or a sentence that says what is wrong and nothing written."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bot.cli import app
from bot.domain.loading import load

RUN = CliRunner()
NAMES = ["--organization", "acme", "--registry", "registry.acme.io/ai", "--domain", "acme.io"]


def init(path: Path, *options: str, names=NAMES, answers: str | None = None):
    return RUN.invoke(app, ["init", str(path), *names, *options], input=answers)


def files(path: Path) -> set[str]:
    return {one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file()}


def test_the_result_has_no_mistake_and_the_team_s_names(tmp_path: Path) -> None:
    """By flags alone: everything is there, under the team's names, and `slipway check` finds nothing."""
    result = init(tmp_path / "gitops", "--model", "deployment=risk-score", "--model", "kserve=churn")

    assert result.exit_code == 0, result.output
    assert RUN.invoke(app, ["check", str(tmp_path / "gitops")]).exit_code == 0
    assert [*load((tmp_path / "gitops" / "slipway.yaml").read_text()).models] == ["risk-score", "churn"]
    root = yaml.safe_load((tmp_path / "gitops" / "argocd" / "root.yaml").read_text())
    assert root["spec"]["source"]["repoURL"] == "https://github.com/acme/gitops.git"
    assert (tmp_path / "gitops" / ".github" / "workflows" / "slipway.yaml").is_file()


def test_it_asks_for_what_is_not_given(tmp_path: Path) -> None:
    """Organisation, registry, domain, repository, and a model for each style; a dash leaves a style out."""
    answers = "acme\nregistry.acme.io/ai\nacme.io\npins\nrisk\n-\n-\n-\n-\n"

    result = init(tmp_path / "new", "--ask", names=[], answers=answers)

    assert result.exit_code == 0, result.output
    assert [*load((tmp_path / "new" / "slipway.yaml").read_text()).models] == ["risk"]
    assert "acme/pins.git" in (tmp_path / "new" / "apps" / "risk-production.yaml").read_text()


def test_it_asks_for_bucket_and_account_where_a_style_needs_them(tmp_path: Path) -> None:
    """KServe and SageMaker read a bucket, SageMaker an account: no placeholder goes into a cluster unseen."""
    answers = "Acme\nregistry.acme.io/ai\nacme.io\n\n-\n-\n-\n-\nprice\n\n210987654321\n"

    result = init(tmp_path / "new", "--ask", names=[], answers=answers)

    assert result.exit_code == 0, result.output
    base = (tmp_path / "new" / "models" / "price" / "base" / "endpoint.yaml").read_text()
    pin = (tmp_path / "new" / "models" / "price" / "overlays" / "staging" / "pin.yaml").read_text()
    assert "arn:aws:iam::210987654321:role/price-serving" in base
    assert "s3://acme-models/price/1/model.tar.gz" in pin


def test_without_a_terminal_it_names_every_missing_flag(tmp_path: Path) -> None:
    """Nothing is asked where nobody can answer."""
    result = init(tmp_path / "new", names=[])

    assert result.exit_code == 2
    assert [line.split()[0] for line in result.stderr.splitlines()] == [
        "--organization",
        "--registry",
        "--domain",
    ]
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_empty_is_refused_unless_forced(tmp_path: Path) -> None:
    """What is there stays; `--force` writes beside it."""
    (tmp_path / "mine.txt").write_text("mine")

    refused = init(tmp_path)

    assert refused.exit_code == 2
    assert "is not empty (mine.txt)" in refused.stderr
    assert files(tmp_path) == {"mine.txt"}
    assert init(tmp_path, "--repository", "models", "--force").exit_code == 0
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "slipway.yaml").is_file()


def test_a_fresh_clone_counts_as_empty(tmp_path: Path) -> None:
    """Git's own folder is not in the way."""
    (tmp_path / ".git").mkdir()

    assert init(tmp_path, "--repository", "models").exit_code == 0


def test_all_wrong_names_are_told_at_once(tmp_path: Path) -> None:
    """Each in a sentence, and nothing is written."""
    options = ["--model", "helm=Not A Name", "--namespace", "production=argocd", "--mlflow", "mlflow:5000"]

    result = init(tmp_path / "new", *options, "--aws-account", "12")

    assert result.exit_code == 2
    told = result.stderr.splitlines()
    assert len(told) == 4
    assert (
        "'Not A Name' is not the name of a model: small letters, digits and single dashes, at most 35" in told
    )
    assert "the namespace of production cannot be argocd: the platform lives there" in told
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", ["helm", "tensorrt=fraud", "=fraud"])
def test_an_unknown_style_is_refused_with_the_known_ones(tmp_path: Path, option: str) -> None:
    """A typo is not taken for a name."""
    result = init(tmp_path / "new", "--model", option)

    assert result.exit_code == 2
    assert "deployment, helm, kserve, rollout" in result.stderr


def test_a_style_named_twice_is_refused(tmp_path: Path) -> None:
    """One model for each style; more are added by copying a folder."""
    result = init(tmp_path / "new", "--model", "helm=a", "--model", "helm=b")

    assert result.exit_code == 2
    assert result.stderr == "--model names helm twice\n"


def test_nothing_is_written_through_a_symlink(tmp_path: Path) -> None:
    """With --force too: what lies elsewhere is not touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    new = tmp_path / "new"
    new.mkdir()
    (new / "apps").symlink_to(outside)
    (new / "README.md").mkdir()

    result = init(new, "--force")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{new}/{one} is a symlink, or a folder where a file belongs" for one in ("README.md", "apps")
    ]
    assert not files(outside)
    assert not (new / "slipway.yaml").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """And stays as it is."""
    (tmp_path / "file").write_text("mine")

    result = init(tmp_path / "file")

    assert result.exit_code == 2
    assert "is no folder" in result.stderr


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A sentence, no traceback."""
    (tmp_path / "file").write_text("mine")

    result = init(tmp_path / "file" / "new")

    assert result.exit_code == 2
    assert "cannot be written: " in result.stderr
