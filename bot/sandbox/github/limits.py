"""How many requests each actor has left in the hour."""

import time

HOUR = 3600


class RateLimit:
    """Requests of each actor in the current hour; an answer 304 costs nothing."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[int, int]] = {}

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
