"""Units as people write them in `slipway.yaml` and policies: durations (`1h30m`) and fractions (`99%`).

Annotate a pydantic field with `Duration` or `Fraction`: it then accepts the written form, holds a
`timedelta` or a `float`, is printed in the written form again, and has a JSON Schema for editors.
"""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_MICROSECONDS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
# Each unit at most once, the largest first, as Prometheus has it; `(?=.)` refuses the empty string.
_DURATION = r"^(?=.)" + "".join(rf"(?:({_NUMBER}){unit})?" for unit in _MICROSECONDS) + "$"
_DURATION_RE = re.compile(_DURATION)
_FRACTION = rf"^{_NUMBER} ?%$"
_LONGEST = timedelta(days=3650)


def parse_duration(value: Any) -> timedelta:
    """`"1h30m"`, `"500ms"`, `"0.5s"` → timedelta; a timedelta stays as it is.

    Raises PydanticCustomError (a ValueError) that says what is wrong and what would be right.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError(
            "duration", "a duration needs a unit", {"hint": f"write `{value}s` or `{value}m`"}
        )
    matched = _DURATION_RE.fullmatch(value) if isinstance(value, str) else None
    if matched is None:
        raise PydanticCustomError(
            "duration", "this is not a duration", {"hint": "write it like `15m`, `1h30m` or `500ms`"}
        )
    parts = zip(matched.groups(), _MICROSECONDS.values(), strict=True)
    microseconds = int(sum(Decimal(number) * size for number, size in parts if number is not None))
    if microseconds > _LONGEST / timedelta(microseconds=1):
        raise PydanticCustomError("duration", "this is longer than ten years", {"hint": "is the unit right?"})
    return timedelta(microseconds=microseconds)


def format_duration(value: timedelta) -> str:
    """The shortest written form that `parse_duration` reads back to the same milliseconds."""
    rest = round(value / timedelta(milliseconds=1)) * 1_000
    parts = []
    for unit, size in _MICROSECONDS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_fraction(value: Any) -> float:
    """`"99%"`, `"99.9%"` or a number from 0 to 1 → float from 0 to 1.

    Raises PydanticCustomError (a ValueError) that says what is wrong and what would be right.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value <= 1:
            return float(value)
        raise PydanticCustomError(
            "fraction", "this is not between 0% and 100%", {"hint": f"did you mean `{value:g}%`?"}
        )
    if not isinstance(value, str) or re.fullmatch(_FRACTION, value) is None:
        raise PydanticCustomError(
            "fraction", "this is not a percentage", {"hint": "write it like `99%` or `99.9%`"}
        )
    # Decimal, because 99.9 / 100 is not 0.999 in binary.
    fraction = float(Decimal(value.rstrip("% ")) / 100)
    if fraction > 1:
        raise PydanticCustomError(
            "fraction", "this is not between 0% and 100%", {"hint": "write it like `99%` or `99.9%`"}
        )
    return fraction


def format_fraction(value: float) -> str:
    """0.999 → `99.9%`."""
    percent = (Decimal(repr(value)) * 100).normalize()
    return f"{percent:f}%"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DURATION, "examples": ["15m", "1h30m", "500ms"]}),
]
"""A length of time, written like `15m`, `1h30m` or `500ms`."""

Fraction = Annotated[
    float,
    BeforeValidator(parse_fraction),
    PlainSerializer(format_fraction, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _FRACTION},
                {"type": "number", "minimum": 0, "maximum": 1},
            ],
            "examples": ["99%", "99.9%"],
        }
    ),
]
"""A part of a whole, 0 to 1, written like `99%`."""
