"""What a command does not need is not imported: people and hooks wait for nothing."""

import subprocess
import sys

import pytest

SLOW = {"alembic", "cel", "fastapi", "github", "icalendar", "mlflow", "prometheus_api_client", "sqlalchemy"}
SCRIPT = """
import sys
from bot.cli import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    print("exit", end.code)
print("imported", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported(*arguments):
    """The modules that a command has imported, and how it ended."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    *told, modules = done.stdout.splitlines()
    return set(modules.split()[1:]), told[-1]


def test_the_version_is_told_without_importing_any_command():
    """Not one of the libraries that take their time."""
    modules, end = imported("--version")

    assert (modules & (SLOW | {"pydantic"}), end) == (set(), "exit 0")


BUMP = ["bump", "fraud", "2", "staging", "--repo"]


@pytest.mark.parametrize("command", [["check"], BUMP])
def test_what_runs_in_a_hook_starts_fast(repository, command):
    """`slipway check` and `slipway bump` read files, and nothing of the world behind them."""
    file = repository / "slipway.yaml"
    file.write_text(file.read_text().replace('    storage: "{source}"\n', ""))
    modules, end = imported(*command, repository)

    assert (modules & SLOW, end) == (set(), "exit 0")


def test_an_expression_of_ones_own_is_compiled_by_the_check(repository):
    """The price is paid where there is something to check."""
    (repository / "policies").mkdir()
    (repository / "policies" / "own.yaml").write_text("gates: [{id: mine, expression: 'candidate.'}]\n")
    modules, end = imported("check", repository)

    assert (modules & SLOW, end) == ({"cel"}, "exit 1")
