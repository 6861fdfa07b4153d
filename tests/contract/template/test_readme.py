"""What the template's README tells a new user to read and to run is there."""

import re
import shlex

import pytest
import yaml
from typer.main import get_command

from bot import __version__
from bot.adapters import shipped
from bot.cli import app

FOLDER = shipped.folder("gitops-repo-template")
TEXT = " ".join((FOLDER / "README.md").read_text().split())
QUOTED = re.findall(r"`([^`]+)`", TEXT)
PATHS = [
    one for one in QUOTED if re.fullmatch(r"\.?[a-z][\w./*-]*(?:/|\.ya?ml|\.md)", one) or one.endswith("/")
]
COMMANDS = [shlex.split(one) for one in QUOTED if re.match("slipway [a-z]", one)]


@pytest.mark.parametrize("path", sorted({*PATHS}))
def test_every_path_is_there(path):
    """Folders and files that the text names, where it names them or inside a model's folder."""
    pattern = path.rstrip("/")

    assert [*FOLDER.glob(f"**/{pattern}")], path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_exists_with_its_options(command):
    """No verb and no option that Slipway does not have."""
    found = get_command(app)
    for word in command[1:]:
        if word.startswith("--"):
            assert word in [option for one in found.params for option in one.opts], word
        elif getattr(found, "commands", None) and word in found.commands:
            found = found.commands[word]
    assert found is not get_command(app)
    assert found.name in command


def test_the_workflow_runs_the_check_on_every_pull_request():
    """With the least rights, with annotations, and in the version that wrote it."""
    workflow = yaml.safe_load((FOLDER / ".github" / "workflows" / "slipway.yaml").read_text())
    steps = workflow["jobs"]["check"]["steps"]

    assert "pull_request" in workflow[True]  # YAML 1.1 reads `on` so
    assert workflow["permissions"] == {"contents": "read"}
    assert steps[-1]["run"] == "slipway check --format github"
    assert steps[-2]["run"] == f"pip install slipway-bot=={__version__}"


def test_every_path_of_codeowners_is_there():
    """And the people who own it belong to one organisation."""
    lines = [
        line.split() for line in (FOLDER / "CODEOWNERS").read_text().splitlines() if line and line[0] != "#"
    ]

    for path, *owners in lines:
        assert path == "*" or (FOLDER / path.strip("/")).exists(), path
        assert owners
        assert all(owner.startswith("@your-team/") for owner in owners)
