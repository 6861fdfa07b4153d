"""The time of this machine."""

from datetime import UTC, datetime


class SystemClock:
    """`bot.ports.Clock` on the system's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)
