"""A document checked against a pydantic model: the model, or every mistake in words that help.

Pydantic tells where it failed by a path in which members of a union stand between keys. Here each
path is walked along the data and the annotations again, so that a mistake points to its line, of a union
only the member that fits best is told, and the keys and values that would have been right are named.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.domain.annotations import Place, did_you_mean, nearest
from bot.domain.document import Document, Plain
from bot.domain.mistake import MOST, ConfigError, Mistake, Path, shortened

M = TypeVar("M", bound=BaseModel)

_LONGEST_VALUE = 60
_LONGEST_SENTENCE = 300

_EXPECTED = {
    "string_type": "text",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "frozen_set_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
}


def validate(document: Document, model: type[M]) -> M:
    """The document as `model`. Raises ConfigError with every mistake, the document's own included."""
    value, mistakes = validate_partly(document, model)
    if value is None or mistakes:
        raise ConfigError(mistakes)
    return value


def validate_partly(document: Document, model: type[M]) -> tuple[M | None, tuple[Mistake, ...]]:
    """All mistakes (the first `MOST`), and what is left of the data without the entries (two levels deep)
    that have some; None where nothing usable is left.
    """
    data = document.plain()
    try:
        return model.model_validate(data), document.mistakes
    except ValidationError as error:
        errors = error.errors(include_url=False)
    faults = [_Fault(tuple(found["loc"]), found) for found in errors[:MOST]]
    mistakes = [*document.mistakes, *_told(_Spot(document, data, (), Place.of(model)), faults)]
    if len(errors) > MOST:
        mistakes.append(document.mistake((), f"more than {MOST} mistakes: the others are not told"))
    try:
        return model.model_validate(_without(data, {tuple(found["loc"][:2]) for found in errors})), tuple(
            mistakes
        )
    except ValidationError:
        return None, tuple(mistakes)


@dataclass(frozen=True, slots=True)
class _Fault:
    """One error of pydantic, and what of its path lies still ahead."""

    rest: tuple[str | int, ...]
    error: ErrorDetails

    @property
    def kind(self) -> str:
        return self.error["type"]

    @property
    def missing(self) -> str | None:
        """The key that is missing here."""
        return str(self.rest[0]) if self.kind == "missing" and len(self.rest) == 1 else None

    @property
    def in_key(self) -> bool:
        # `[key]` is also what somebody may have called a key.
        return self.rest == ("[key]",) and self.kind != "extra_forbidden"

    @property
    def leaf(self) -> bool:
        return not self.rest or self.in_key or self.missing is not None


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in the file: its data, the way there, and what the model wants there."""

    document: Document
    data: Plain
    path: Path
    place: Place

    def child(self, key: str | int) -> "_Spot | None":
        """The spot of a key or an index; None when the data has none."""
        path, place = (*self.path, key), self.place.step(key)
        if isinstance(self.data, dict) and key in self.data:
            return _Spot(self.document, self.data[str(key)], path, place)
        if isinstance(self.data, list) and isinstance(key, int) and key < len(self.data):
            return _Spot(self.document, self.data[key], path, place)
        return None

    def unknown(self, key: str | int) -> Mistake:
        hint = did_you_mean(str(key), self.place.keys())
        return self.document.mistake((*self.path, key), f"unknown key `{_short(key)}`", hint)


def _told(spot: _Spot, faults: Sequence[_Fault]) -> Iterator[Mistake]:
    """The mistakes at and below a spot."""
    leaves = [fault for fault in faults if fault.leaf]
    groups: dict[str | int, list[_Fault]] = defaultdict(list)
    for fault in faults:
        if not fault.leaf:
            groups[fault.rest[0]].append(_Fault(fault.rest[1:], fault.error))
    if spot.place.members():
        yield from _told_of_union(spot, leaves, groups)
        return
    unknown = [key for key, inner in groups.items() if any(_is_unknown(fault) for fault in inner)]
    # Whoever wrote `polcy` knows that a policy belongs there, and a list whose entries are all wrong
    # is not empty: one mistake, not two.
    guessed = {nearest(str(key), spot.place.keys()) for key in unknown}
    for fault in leaves:
        if not (fault.missing in guessed if fault.missing else fault.kind == "too_short" and spot.data):
            yield _mistake(spot, fault)
    for key, inner in groups.items():
        if key in unknown:
            yield spot.unknown(key)
        else:
            # A step that only pydantic knows, such as a validator's name, stays on the spot.
            yield from _told(spot.child(key) or spot, inner)


def _told_of_union(
    spot: _Spot, leaves: Sequence[_Fault], members: Mapping[str | int, Sequence[_Fault]]
) -> Iterator[Mistake]:
    """The mistakes of the member that fits best: fewest unknown keys, then fewest mistakes."""

    def misfit(name: str | int) -> tuple[bool, int, int]:
        found = members[name]
        wrong_kind = any(fault.leaf and fault.kind in _EXPECTED for fault in found)
        return wrong_kind, sum(fault.kind == "extra_forbidden" for fault in found), len(found)

    best = min(members, key=misfit, default="")
    chosen = spot.place.members().get(str(best), Place(None))
    known = spot.place.keys()
    if known and isinstance(spot.data, dict) and not set(spot.data) & set(chosen.keys()):
        misspelt = [key for key in spot.data if key not in known and nearest(key, known)]
        yield from (spot.unknown(key) for key in misspelt)
        if misspelt:
            return
        if not leaves:
            firsts = [member.keys()[0] for member in spot.place.members().values() if member.keys()]
            hint = "one of " + ", ".join(f"`{key}`" for key in dict.fromkeys(firsts))
            yield spot.document.mistake(spot.path, "no key says what this is", hint, value=True)
            return
    yield from (_mistake(spot, fault) for fault in leaves)
    if members:
        yield from _told(_Spot(spot.document, spot.data, spot.path, chosen), members[best])


def _is_unknown(fault: _Fault) -> bool:
    return fault.leaf and fault.kind == "extra_forbidden"


def _mistake(spot: _Spot, fault: _Fault) -> Mistake:
    document, path, place = spot.document, spot.path, spot.place
    if fault.missing is not None:
        return document.mistake(path, f"`{fault.missing}` is missing", place.step(fault.missing).description)
    if fault.in_key:
        return document.mistake(path, *_sentence(fault.error, path[-1], Place.of(place.key)))
    return document.mistake(path, *_sentence(fault.error, spot.data, place), value=True)


def _sentence(error: ErrorDetails, data: Plain, place: Place) -> tuple[str, str]:
    """What is wrong, and what would be right."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _EXPECTED:
        quote = kind == "string_type" and isinstance(data, int | float)
        hint = "put it in quotes" if quote else place.description
        return f"this must be {_EXPECTED[kind]}, not {_kind(data)}", hint
    if kind in {"literal_error", "enum"}:
        return f"`{_short(data)}` is not known here", did_you_mean(_short(data), place.choices())
    if kind in {"too_short", "string_too_short"}:
        return "this is empty", place.description
    if kind == "string_pattern_mismatch":
        examples = " or ".join(f"`{example}`" for example in place.examples)
        return f"`{_short(data)}` has not the right form", f"write it like {examples}" if examples else ""
    message = str(context["error"]) if "error" in context else error["msg"]
    message = shortened(message, _LONGEST_SENTENCE).replace("Input should", "this should")
    return message, shortened(str(context.get("hint", "")), _LONGEST_SENTENCE)


def _kind(data: Plain) -> str:
    match data:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return f"`{str(data).lower()}`"
        case None:
            return "nothing"
        case _:
            return f"`{_short(data)}`"


def _short(data: Plain) -> str:
    return shortened(str(data), _LONGEST_VALUE)


def _without(data: Plain, places: set[tuple[str | int, ...]]) -> Plain:
    """A copy without the entries at these places, which are one or two keys deep; a list goes as a whole."""
    if not isinstance(data, dict):
        return data
    kept: dict[str, Plain] = {}
    wrong = {place[0] for place in places if place}
    for key, value in data.items():
        if isinstance(value, dict):
            left = {inner: leaf for inner, leaf in value.items() if (key, inner) not in places}
            # Whatever had wrong entries only is as good as left out.
            if left or not value:
                kept[key] = left
        elif key not in wrong:
            kept[key] = value
    return {key: value for key, value in kept.items() if (key,) not in places}
