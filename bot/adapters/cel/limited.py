"""The parent: keeps one child, asks it, and ends it when it does not answer.

An `Evaluator` of `bot.domain.expression`. Safe to share between threads, which take turns.
"""

import contextlib
import json
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from bot.domain.expression import Answer

LIMIT_MS = 50
"""Processor time that one expression may use. Time that the machine gives to others does not count."""
EXTRA_MB = 32
"""Memory that the child may use beyond what it has when it starts."""
_STARTS_WITHIN = 30.0
_HANGS_AFTER = 5.0
"""Seconds by the clock without a sign of life, after which the child is ended whatever it does."""


class LimitedEvaluator:
    """Evaluates expressions in a child process; close it, or use it as a context manager."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def __call__(self, expressions: Sequence[str], facts: Mapping[str, object]) -> Sequence[Answer]:
        answers: list[Answer] = []
        with self._lock:
            while len(answers) < len(expressions):
                child = self._running()
                left = expressions[len(answers) :]
                got, trouble = child.ask(left, facts)
                answers += got
                if trouble is not None:
                    self._end()
                    answers.append(Answer(None, trouble))
        return answers

    def close(self) -> None:
        """End the child; the next question starts another."""
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> "_Child":
        if self._child is None:
            self._child = _Child()
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _Died(Exception):
    """The child is gone or silent; the message says why."""


class _Child:
    def __init__(self) -> None:
        command = [sys.executable, "-I", "-m", "bot.adapters.cel.child", str(LIMIT_MS), str(EXTRA_MB)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._unread = b""
        self._ready = False

    def ask(self, expressions: Sequence[str], facts: Mapping[str, object]) -> tuple[list[Answer], str | None]:
        """The answers until the first trouble, and that trouble."""
        answers: list[Answer] = []
        try:
            if not self._ready:
                self._line(_STARTS_WITHIN)
                self._ready = True
            self._send(pickle.dumps((list(expressions), dict(facts))))
            self._line(_HANGS_AFTER)
            for _ in expressions:
                holds, error = json.loads(self._line(_HANGS_AFTER))
                answers.append(Answer(holds, error))
        except _Died as died:
            return answers, str(died)
        return answers, None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _send(self, message: bytes) -> None:
        assert self._process.stdin is not None, "opened above"
        try:
            self._process.stdin.write(struct.pack(">I", len(message)) + message)
            self._process.stdin.flush()
        except OSError:
            raise _Died(self._why()) from None

    def _line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None, "opened above"
        pipe = self._process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._unread:
            waited = max(0.0, deadline - time.monotonic())
            if not select.select([pipe], [], [], waited)[0]:
                raise _Died("it was stopped: no answer")
            # The file itself, because select knows nothing of what Python has read ahead.
            chunk = os.read(pipe, 65_536)
            if not chunk:
                raise _Died(self._why())
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _why(self) -> str:
        status = self._process.wait(_HANGS_AFTER)
        if not self._ready:
            return f"the process that evaluates expressions did not start (status {status})"
        if status == -signal.SIGPROF:
            return f"it was stopped: it took longer than {LIMIT_MS} ms"
        return f"it was stopped: it needs more than {EXTRA_MB} MB of memory"
