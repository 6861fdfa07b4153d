"""How much one installation may still ask of GitHub, kept so that nobody asks in vain.

Nothing here sleeps: who must wait is told for how long, and a promotion waits without holding a worker.

| limit                  | where from                            | kept back for answers to people  |
|------------------------|---------------------------------------|----------------------------------|
| requests in an hour    | what GitHub's answers say             | the last fiftieth                |
| points in a minute     | github.com's documentation            | 50                               |
| content in a minute    | same                                  | 10                               |
| content in an hour     | same                                  | 50                               |
| a write each second    | same; a burst of 30 is let through    | 10 of the burst                  |
| a pause that was asked | `retry-after` of a refusal            | nothing: everybody waits         |
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.adapters.github.errors import SYSTEM
from bot.ports import Unavailable, Usage

MINUTE, HOUR = 60.0, 3600.0
POINTS_PER_MINUTE, POINTS_KEPT = 900, 50
CREATIONS = ((MINUTE, 80, 10), (HOUR, 500, 50))
"""Seconds, how many things that people see may be made in them, how many of these are for answers only."""
BURST, BURST_KEPT = 30, 10
WRITES_PER_SECOND = 1.0
KEPT_OF_THE_HOUR = 50
"""One in so many requests of an hour is for answers only."""
CREATING = frozenset({"comments", "issues", "pulls", "reviews"})
"""What a POST to a path that ends so makes is content that people see."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request takes: reading 1 point, writing 5, and content beside it.

    `answer`: it is part of talking with people, which goes on when little is left.
    """

    points: int
    creation: bool = False
    answer: bool = False

    @property
    def write(self) -> bool:
        return self.points > 1


def cost(verb: str, path: str) -> Cost:
    steps = path.split("/")
    creation = verb == "POST" and steps[-1] in CREATING
    answer = "comments" in steps or steps[-1] == "reactions"
    return Cost(points=1 if verb == "GET" else 5, creation=creation, answer=answer)


class Budget:
    """One installation's limits, shared by all threads. `clock` is monotonic seconds.

    `counted`: keep below github.com's limits by counting. A server of one's own has limits of its own, or
    none: there only what it answers counts.
    """

    def __init__(self, *, counted: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._counted = counted
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: deque[tuple[float, int]] = deque()
        self._created: deque[float] = deque()
        self._burst, self._refilled = float(BURST), clock()
        self._closed_until = 0.0
        self._limit = 0
        self._resets_at = 0.0
        self._remaining: int | None = None
        self._answers: Counter[str] = Counter()

    def spend(self, price: Cost) -> None:
        """Take one request from the budget. Raises Unavailable with the seconds to wait."""
        with self._lock:
            now = self._clock()
            wait, reason = self._wait(price, now)
            if wait > 0:
                self._answers["postponed"] += 1
                raise Unavailable(SYSTEM, reason, retry_after=wait)
            if self._counted:
                self._take(price, now)

    def _wait(self, price: Cost, now: float) -> tuple[float, str]:
        """Seconds until this may be asked, and why not now; 0 where it may."""
        if now < self._closed_until:
            return self._closed_until - now, "the rate limit is spent"
        if not price.answer and self._nearly_spent(now):
            return self._resets_at - now, "this hour's requests are nearly spent"
        if not self._counted:
            return 0.0, ""
        self._forget(now)
        points = sum(points for _, points in self._spent)
        if points + price.points > POINTS_PER_MINUTE - (0 if price.answer else POINTS_KEPT):
            return self._spent[0][0] + MINUTE - now, "this minute's requests are spent"
        for seconds, most, kept in CREATIONS if price.creation else ():
            made = [at for at in self._created if at > now - seconds]
            if len(made) >= most - (0 if price.answer else kept):
                return made[0] + seconds - now, "GitHub takes no more comments and pull requests for now"
        missing = 1.0 + (0.0 if price.answer else BURST_KEPT) - self._burst
        if price.write and missing > 0:
            return missing / WRITES_PER_SECOND, "writes are spaced"
        return 0.0, ""

    def _nearly_spent(self, now: float) -> bool:
        if self._remaining is None or now >= self._resets_at:
            return False
        return self._remaining <= self._limit // KEPT_OF_THE_HOUR

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._spent.popleft()
        while self._created and self._created[0] <= now - HOUR:
            self._created.popleft()
        self._burst = min(BURST, self._burst + (now - self._refilled) * WRITES_PER_SECOND)
        self._refilled = now

    def _take(self, price: Cost, now: float) -> None:
        self._spent.append((now, price.points))
        if price.creation:
            self._created.append(now)
        if price.write:
            self._burst -= 1.0

    def close(self, seconds: float) -> None:
        """GitHub asked for a pause."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def learn(self, status: int, headers: Mapping[str, Any]) -> None:
        """Remember what an answer says of the limit; GraphQL and search have limits of their own."""
        with self._lock:
            self._answers[_word(status)] += 1
            if headers.get("x-ratelimit-resource", "core") != "core":
                return
            told = [str(headers.get(f"x-ratelimit-{name}", "")) for name in ("limit", "remaining", "reset")]
            if all(each.isdecimal() for each in told):
                self._limit, self._remaining = int(told[0]), int(told[1])
                self._resets_at = self._clock() + max(0.0, int(told[2]) - time.time())

    def usage(self) -> Usage:
        with self._lock:
            pause = max(0.0, self._closed_until - self._clock())
            return Usage(remaining=self._remaining, pause=pause, answers=dict(self._answers))


def _word(status: int) -> str:
    match status:
        case 304:
            return "unchanged"
        case 403 | 429:
            return "refused"
        case _ if status >= 500:  # noqa: PLR2004  # the server's own trouble
            return "failed"
        case _:
            return "answered"
