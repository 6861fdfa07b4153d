"""How long it takes from nothing to a template that is right: written, checked, rendered, validated.

    make bench-template

Each figure is the wall clock of the commands that a person runs, start of programs included. "Rendered and
validated" is more than a repository's own pipeline would do: every Application rendered with kubectl or Helm,
every schema, promtool, and every query asked of a real Prometheus (tests/contract/template). Beside the wall
clock stand the seconds of processors: on a machine that has other work, they tell more.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
INIT = ["--organization", "acme", "--registry", "registry.acme.io/ml", "--domain", "acme.io"]


def timed(*command: str | Path) -> tuple[float, float]:
    """Seconds on the wall, and of processors, of a command that must succeed."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*map(str, command)], cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, used


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "gitops"
        init = timed(BIN / "slipway", "init", repository, *INIT)
        check = timed(BIN / "slipway", "check", repository)
    validated = timed(BIN / "pytest", "-q", "-n", "0", "tests/contract/template")
    print("                                      seconds   processor   aim")
    print(
        f"slipway init to a green slipway check  {init[0] + check[0]:8.1f}    {init[1] + check[1]:8.1f}    10"
    )
    print(f"template rendered and validated        {validated[0]:8.1f}    {validated[1]:8.1f}    60")


main()
