"""How much one installation may still ask of GitHub, kept so that nobody asks in vain.

Nothing here sleeps: who must wait is told for how long, and a promotion waits without holding a worker.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.adapters.github.errors import SYSTEM
from bot.ports import Unavailable

MINUTE = 60.0
POINTS_PER_MINUTE = 900
CREATIONS_PER_MINUTE = 80
"""The secondary limits of github.com, as its documentation has them."""
CREATING = frozenset({"comments", "issues", "pulls", "reviews"})
"""What a POST to a path that ends so makes is content that people see."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request takes: reading 1 point, writing 5, and content beside it."""

    points: int
    creation: bool = False


def cost(verb: str, path: str) -> Cost:
    creation = verb == "POST" and path.rpartition("/")[2] in CREATING
    return Cost(points=1 if verb == "GET" else 5, creation=creation)


class Budget:
    """One installation's limits, shared by all threads. `clock` is monotonic seconds.

    `counted`: keep below github.com's limits by counting. A server of one's own has limits of its own, or
    none: there only what it answers counts.
    """

    def __init__(self, *, counted: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._counted = counted
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: deque[tuple[float, Cost]] = deque()
        self._closed_until = 0.0
        self.remaining: int | None = None
        """Requests left in this hour, as last told; None before the first answer."""

    def spend(self, price: Cost) -> None:
        """Take one request from the budget. Raises Unavailable with the seconds to wait."""
        with self._lock:
            now = self._clock()
            if now < self._closed_until:
                wait = self._closed_until - now
                raise Unavailable(SYSTEM, "the rate limit is spent", retry_after=wait)
            if self._counted:
                self._count(price, now)

    def _count(self, price: Cost, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._spent.popleft()
        points = sum(spent.points for _, spent in self._spent)
        creations = sum(spent.creation for _, spent in self._spent)
        if points + price.points > POINTS_PER_MINUTE or (
            price.creation and creations >= CREATIONS_PER_MINUTE
        ):
            wait = self._spent[0][0] + MINUTE - now
            raise Unavailable(SYSTEM, "this minute's requests are spent", retry_after=wait)
        self._spent.append((now, price))

    def close(self, seconds: float) -> None:
        """GitHub asked for a pause."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def learn(self, headers: Mapping[str, Any]) -> None:
        """Remember what an answer says of the limit."""
        told = str(headers.get("x-ratelimit-remaining", ""))
        if told.isdecimal():
            self.remaining = int(told)
