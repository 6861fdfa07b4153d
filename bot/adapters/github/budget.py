"""How much one installation may still ask of GitHub, kept so that nobody asks in vain.

Nothing here sleeps: who must wait is told for how long, and a promotion waits without holding a worker.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from bot.adapters.github.errors import SYSTEM
from bot.ports import Unavailable

WRITES_PER_MINUTE = 80
"""GitHub's secondary limit on requests that create content."""
MINUTE = 60.0


class Budget:
    """One installation's limits, shared by all threads. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._writes: deque[float] = deque()
        self._closed_until = 0.0
        self.remaining: int | None = None
        """Requests left in this hour, as last told; None before the first answer."""

    def spend(self, *, write: bool) -> None:
        """Take one request from the budget. Raises Unavailable with the seconds to wait."""
        with self._lock:
            now = self._clock()
            if now < self._closed_until:
                wait = self._closed_until - now
                raise Unavailable(SYSTEM, "the rate limit is spent", retry_after=wait)
            if not write:
                return
            while self._writes and self._writes[0] <= now - MINUTE:
                self._writes.popleft()
            if len(self._writes) >= WRITES_PER_MINUTE:
                wait = self._writes[0] + MINUTE - now
                raise Unavailable(SYSTEM, "this minute's writes are spent", retry_after=wait)
            self._writes.append(now)

    def close(self, seconds: float) -> None:
        """GitHub asked for a pause."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def learn(self, headers: Mapping[str, Any]) -> None:
        """Remember what an answer says of the limit."""
        told = str(headers.get("x-ratelimit-remaining", ""))
        if told.isdecimal():
            self.remaining = int(told)
