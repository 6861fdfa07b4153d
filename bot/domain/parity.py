"""Answers compared with the logged model's own: by type, numbers within a tolerance. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NEAR_ZERO = 1e-6
"""Off by this is not off: a float that went through JSON and float32."""
_LONGEST = 60


class Unsuitable(ValueError):
    """An example or an answer that has not the form it should have; the message is for a person."""


def body(example: Any, sends: str) -> Any:
    """MLflow's serving input example in the form that a server takes. Raises Unsuitable."""
    if sends == "mlflow":
        return example
    split = example.get("dataframe_split") if isinstance(example, Mapping) else None
    if isinstance(split, Mapping):
        rows, columns = split.get("data"), split.get("columns")
        if isinstance(rows, list) and sends == "instances":
            return {"instances": rows}
        if isinstance(rows, list) and isinstance(columns, list):
            return {"dataframe_records": [dict(zip(columns, row, strict=True)) for row in rows]}
    inputs = example.get("inputs") if isinstance(example, Mapping) else None
    if isinstance(inputs, list) and sends == "instances":
        return {"instances": inputs}
    raise Unsuitable(f"the input example cannot be sent as `{sends}`")


def at(document: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) leads to. Raises Unsuitable."""
    here = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            here = here[int(key)] if isinstance(here, list) else here[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Unsuitable(f"the answer has nothing at {pointer}") from None
    return here


def predictions(logged: Any) -> Any:
    """What was logged as expected: a list, or an answer of MLflow's scoring server."""
    return logged["predictions"] if isinstance(logged, Mapping) and "predictions" in logged else logged


def difference(expected: Any, found: Any, tolerance: float) -> str | None:
    """How the answers differ, in a sentence; None where they are the same."""
    wrong = list(_differences(expected, found, tolerance, ""))
    if not wrong:
        return None
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{wrong[0]}{more}"


def _differences(expected: Any, found: Any, tolerance: float, where: str) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in expected:
            if key not in found:
                yield f"{where}/{key} is missing"
            else:
                yield from _differences(expected[key], found[key], tolerance, f"{where}/{key}")
    elif _is_list(expected) and _is_list(found):
        if len(expected) != len(found):
            yield f"{len(found)} answers instead of {len(expected)}{f' at {where}' if where else ''}"
            return
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, tolerance, f"{where}/{index}")
    elif not _same(expected, found, tolerance):
        yield f"{where or 'the answer'} is {_short(found)} instead of {_short(expected)}"


def _same(expected: Any, found: Any, tolerance: float) -> bool:
    if _is_number(expected) and _is_number(found):
        if isinstance(expected, int):
            return bool(expected == found)
        if math.isnan(expected):
            return math.isnan(found)
        return math.isclose(expected, found, rel_tol=tolerance, abs_tol=_NEAR_ZERO)
    if isinstance(expected, float) and math.isnan(expected):
        return found is None  # JSON has no NaN, and servers write null
    return type(expected) is type(found) and bool(expected == found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
