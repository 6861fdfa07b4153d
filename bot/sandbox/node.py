"""The machine that model servers run on: starts Python programs quickly and says when they end."""

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.sandbox.processes import Processes, Program, SandboxError, wait_until

# Model servers share two cores with everything else, and forked processes must not inherit threads.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Node:
    """Runs programs by name; each has a log file in `folder`."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._exits: dict[str, int] = {}
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._program: Program = processes.start(
            "node", [sys.executable, "-m", "bot.sandbox.zygote"], ENVIRONMENT, talk=True
        )
        threading.Thread(target=self._listen, name="node", daemon=True).start()

    def start(self, name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Path:
        """Run `python -m module arguments` once the node is ready; returns the log file."""
        log = self.log(name)
        self._exits.pop(name, None)
        self._say(
            {
                "start": name,
                "module": module,
                "arguments": list(arguments),
                "environment": dict(environment),
                "log": str(log),
            }
        )
        return log

    def stop(self, name: str) -> None:
        """Ask it to end (SIGTERM)."""
        self._say({"stop": name})

    def exit_code(self, name: str) -> int | None:
        """None while it runs; minus a signal's number where one ended it."""
        return self._exits.get(name)

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def wait_ready(self, seconds: float = 180.0) -> None:
        wait_until(self._ready.is_set, seconds, "loading the model libraries", log=self._program.log)

    def finish(self, name: str, seconds: float) -> None:
        """Wait for a program that ends by itself. Raises SandboxError with its log when it fails."""
        log = self.log(name)
        wait_until(lambda: name in self._exits, seconds, name, log=log)
        if code := self._exits[name]:
            raise SandboxError(f"{name} ended with {code}; see {log}")

    def _say(self, order: dict[str, Any]) -> None:
        assert self._program.process.stdin is not None
        with self._lock:
            self._program.process.stdin.write(json.dumps(order) + "\n")
            self._program.process.stdin.flush()

    def _listen(self) -> None:
        assert self._program.process.stdout is not None
        for line in self._program.process.stdout:
            message = json.loads(line)
            if "ready" in message:
                self._ready.set()
            else:
                self._exits[message["exited"]] = message["code"]
