"""What a person reads while the sandbox runs: what is going on, how long it takes, where to look.

On a terminal a line that takes longer than a second counts its seconds in place; elsewhere it is
written again every ten seconds, so that a log shows that something goes on.
"""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

BOLD, DIM, GREEN, RED, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"
LIVE_PAUSE, PLAIN_PAUSE = 0.5, 10.0


class Narration:
    """Writes to `stream` (standard output unless told otherwise)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()

    def chapter(self, title: str) -> None:
        self._line(f"\n{self._in(BOLD, title)}")

    def note(self, text: str) -> None:
        self._line(f"  {self._in(DIM, text)}")

    def link(self, what: str, address: str) -> None:
        self._line(f"  {what:<14} {address}")

    def failure(self, text: str) -> None:
        self._line(f"  {self._in(RED, '✗')} {text}")

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Something that may take a while; says at its end how long it took."""
        started = time.monotonic()
        finished = threading.Event()
        counter = threading.Thread(target=self._count, args=(what, started, finished), daemon=True)
        counter.start()
        mark = self._in(RED, "✗")
        try:
            yield
            mark = self._in(GREEN, "✓")
        finally:
            finished.set()
            counter.join()
            self._line(f"  {mark} {what} {self._in(DIM, f'({time.monotonic() - started:.1f} s)')}")

    def _count(self, what: str, started: float, finished: threading.Event) -> None:
        if finished.wait(1.0):
            return
        while True:
            seconds = f"{time.monotonic() - started:.0f} s"
            if self._live:
                # A line that wraps could not be written over.
                room = shutil.get_terminal_size().columns - len(seconds) - 6
                self._stream.write(f"\r\033[K  … {what[:room]} {self._in(DIM, seconds)}")
                self._stream.flush()
            else:
                self._line(f"  … {what} ({seconds})")
            if finished.wait(LIVE_PAUSE if self._live else PLAIN_PAUSE):
                break
        if self._live:
            self._stream.write("\r\033[K")

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{PLAIN}" if self._live else text

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()
