"""Programs that the sandbox runs: each in a process group of its own, with a log file, never left behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from bot.sandbox import reaper

LOG_LINES = 25


class SandboxError(Exception):
    """The sandbox cannot go on; the message is for the person in front of it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program."""

    name: str
    log: Path
    process: "subprocess.Popen[str]"

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def tail(self, lines: int = LOG_LINES) -> str:
        return tail(self.log, lines)


class Processes:
    """All programs of one sandbox; logs go to `folder`. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._programs: list[Program] = []
        self._lock = threading.Lock()
        self._reaper = subprocess.Popen(
            [sys.executable, "-S", reaper.__file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        *,
        talk: bool = False,
    ) -> Program:
        """Start a program; with `talk` its standard input and output are pipes, else both go to its log."""
        log = self.folder / f"{name}.log"
        with log.open("a") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talk else output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        program = Program(name, log, process)
        with self._lock:
            self._programs.append(program)
        self._tell_reaper(f"+{process.pid}")
        return program

    def watch_over(self, folder: Path) -> None:
        """A PostgreSQL that one of the programs runs in this folder as a daemon is ended with the rest."""
        self._tell_reaper(f"={folder}")

    def stop(self, program: Program, grace: float | None = 10.0) -> None:
        """SIGTERM, wait, and SIGKILL to the whole group; without `grace` SIGKILL at once."""
        if grace is not None:
            _signal_group(program, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.process.wait(grace)
        _signal_group(program, signal.SIGKILL)
        program.process.wait()
        for pipe in (program.process.stdin, program.process.stdout):
            _close(pipe)
        with self._lock:
            self._programs.remove(program)
        self._tell_reaper(f"-{program.process.pid}")

    def stop_all(self) -> None:
        """Stop the newest first: what came later leans on what came before."""
        for program in reversed(list(self._programs)):
            self.stop(program)
        _close(self._reaper.stdin)
        self._reaper.wait()

    def died(self) -> Program | None:
        """A program that ended though nobody stopped it."""
        with self._lock:
            return next((program for program in self._programs if not program.running), None)

    def _tell_reaper(self, line: str) -> None:
        assert self._reaper.stdin is not None
        with self._lock:
            self._reaper.stdin.write(line + "\n")
            self._reaper.stdin.flush()


def _signal_group(program: Program, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.process.pid, number)


def _close(pipe: IO[str] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(OSError):
            pipe.close()


def free_port() -> int:
    """A port of the loopback interface that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def tail(log: Path, lines: int = LOG_LINES) -> str:
    """The last lines of a log file."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def wait_until(
    ready: Callable[[], bool], seconds: float, what: str, *, log: Path | None = None, pause: float = 0.1
) -> None:
    """Poll until `ready`; after `seconds` raise SandboxError with the end of the log."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            end = f"\n{tail(log)}" if log else ""
            raise SandboxError(f"{what} took more than {seconds:.0f} s{end}")
        time.sleep(pause)
