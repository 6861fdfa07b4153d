"""Lengths of time as a person says them."""

from datetime import timedelta

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def spoken(value: timedelta) -> str:
    """The largest unit and the next smaller one: `2 days 3 hours`, `91 days`, `15 minutes`, `40 seconds`."""
    seconds = int(abs(value.total_seconds()))
    counts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count or counts:
            counts.append((count, unit))
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in counts[:2] if n) or "0 seconds"
