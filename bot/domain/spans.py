"""Lengths of time as a person says them."""

from datetime import timedelta

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def spoken(value: timedelta) -> str:
    """The two largest units: `2 days 3 hours`, `15 minutes`, `40 seconds`."""
    seconds = int(abs(value.total_seconds()))
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "0 seconds"
