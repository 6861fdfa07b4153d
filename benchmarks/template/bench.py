"""How long it takes from nothing to a template that is right: written, checked, rendered, validated.

    make bench-template

Each figure is the wall clock of the commands that a person runs, start of programs included. "Rendered and
validated" is more than a repository's own pipeline would do: every Application rendered with kubectl or Helm,
every schema, promtool, and every query asked of a real Prometheus (tests/contract/template).
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
INIT = ["--organization", "acme", "--registry", "registry.acme.io/ml", "--domain", "acme.io"]


def timed(*command: str | Path) -> float:
    started = time.perf_counter()
    done = subprocess.run([*map(str, command)], cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "gitops"
        init = timed(BIN / "slipway", "init", repository, *INIT)
        check = timed(BIN / "slipway", "check", repository)
    validated = timed(BIN / "pytest", "-q", "-n", "2", "tests/contract/template")
    print(f"slipway init to a green slipway check   {init + check:6.1f} s   (under 10)")
    print(f"template rendered and validated         {validated:6.1f} s   (under 60)")


main()
