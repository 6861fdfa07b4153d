"""Numbers as a reviewer reads them."""

import math
from datetime import datetime, timedelta

from bot.domain.spans import spoken
from bot.messages.escape import Markdown

NOTHING = Markdown("–")
"""Stands where something is not recorded; never a zero."""


def number(value: float | None) -> Markdown:
    """Four significant digits, thousands apart: `0.9312`, `12,480`, `1.2e-07`."""
    if value is None:
        return NOTHING
    if math.isnan(value):
        return Markdown("NaN")
    if math.isinf(value):
        return Markdown("∞" if value > 0 else "−∞")
    if value == int(value) and abs(value) < 1e12:  # noqa: PLR2004 - beyond it digits stop helping
        return Markdown(f"{int(value):,}".replace("-", "−"))
    if abs(value) >= 1_000:  # noqa: PLR2004
        return Markdown(f"{value:,.1f}".replace("-", "−"))
    return Markdown(f"{value:.4g}".replace("-", "−"))


def signed(value: float | None) -> Markdown:
    """A difference, always with its sign."""
    if value is None:
        return NOTHING
    return Markdown(number(value) if value <= 0 else f"+{number(value)}")


def percent(fraction: float | None, digits: int = 2) -> Markdown:
    """0.0123 → `1.23%`."""
    if fraction is None or math.isnan(fraction):
        return NOTHING
    if math.isinf(fraction):
        return Markdown("∞")
    return Markdown(f"{fraction * 100:.{digits}f}".rstrip("0").rstrip(".").replace("-", "−") + "%")


def size(count: int | None) -> Markdown:
    """Bytes: `1.4 kB`, `2.3 GB`."""
    if count is None:
        return NOTHING
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1_000:  # noqa: PLR2004 - a kilo
            return Markdown(f"{value:.4g} {unit}")
        value /= 1_000
    return Markdown(f"{value:,.1f} TB")


def moment(value: datetime | None) -> Markdown:
    """A time in UTC, to the minute."""
    return NOTHING if value is None else Markdown(f"{value:%Y-%m-%d %H:%M} UTC")


def span(value: timedelta) -> Markdown:
    """A length of time: `1 hour 30 minutes`, `40 seconds`."""
    return Markdown(spoken(value))
