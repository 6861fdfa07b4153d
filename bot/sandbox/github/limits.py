"""How many requests each actor has left in the hour, and pauses that the secondary limits ask for."""

import math
import time

HOUR = 3600


class RateLimit:
    """Requests of each actor in the current hour; an answer 304 costs nothing."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[int, int]] = {}
        self._pauses: dict[str, tuple[int, float]] = {}

    def pause(self, kind: str, status: int, seconds: float) -> None:
        """Refuse actors whose key begins so with 403 or 429, as the secondary limits do, for this long."""
        self._pauses[kind] = (status, time.monotonic() + seconds)

    def paused(self, key: str) -> tuple[int, int] | None:
        """Status and seconds to wait, where this actor must."""
        for kind, (status, until) in self._pauses.items():
            left = until - time.monotonic()
            if key.startswith(kind) and left > 0:
                return status, math.ceil(left)
        return None

    def used(self, key: str) -> tuple[int, int]:
        """(requests used, when the window ends in unix seconds)."""
        now = int(time.time())
        used, reset = self._used.get(key, (0, now + HOUR))
        return (used, reset) if now < reset else (0, now + HOUR)

    def spend(self, key: str, cost: int = 1) -> None:
        used, reset = self.used(key)
        self._used[key] = (used + cost, reset)

    def headers(self, key: str, limit: int, resource: str = "core") -> dict[str, str]:
        used, reset = self.used(key)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(limit - used, 0)),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Resource": resource,
        }
