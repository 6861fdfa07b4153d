"""A document checked against a pydantic model: the model, or every mistake in words that help.

Pydantic tells where it failed by a path in which members of a union stand between keys. Here each
path is walked along the data and the annotations again, so that a mistake points to its line, of a union
only the member that fits best is told, and the keys and values that would have been right are named.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot.domain.document import Document, Plain
from bot.domain.mistake import ConfigError, Mistake, Path

M = TypeVar("M", bound=BaseModel)

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
    """All mistakes, and what is left of the data without the entries (two levels deep) that have some;
    None where nothing usable is left.
    """
    data = document.plain()
    try:
        return model.model_validate(data), document.mistakes
    except ValidationError as error:
        errors = error.errors(include_url=False)
    place = _Place.of(model)
    faults = [_Fault(tuple(found["loc"]), found) for found in errors]
    mistakes = (*document.mistakes, *_told(faults, document, data, (), place))
    try:
        return model.model_validate(_without(data, {tuple(found["loc"][:2]) for found in errors})), mistakes
    except ValidationError:
        return None, mistakes


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "did you mean `policy`?", or "one of …" where nothing is near; empty when nothing is known."""
    choices = sorted(set(known))
    folded = {choice.casefold(): choice for choice in choices}
    if near := difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6):
        return f"did you mean `{folded[near[0]]}`?"
    if not choices:
        return ""
    return "one of " + ", ".join(f"`{choice}`" for choice in choices[:12])


@dataclass(frozen=True, slots=True)
class _Fault:
    """One error of pydantic, and what of its path lies still ahead."""

    rest: tuple[str | int, ...]
    error: ErrorDetails

    @property
    def leaf(self) -> bool:
        return not self.rest or self.rest == ("[key]",) or (self.missing and len(self.rest) == 1)

    @property
    def missing(self) -> bool:
        return self.error["type"] == "missing"

    @property
    def unknown(self) -> bool:
        return self.error["type"] == "extra_forbidden"

    def ahead(self) -> "_Fault":
        return _Fault(self.rest[1:], self.error)


@dataclass(frozen=True, slots=True)
class _Place:
    """What a model's annotations want at one place; `annotation` None: nothing is known of it."""

    annotation: Any
    description: str = ""
    examples: tuple[Any, ...] = ()

    @classmethod
    def of(cls, annotation: Any, field: FieldInfo | None = None) -> "_Place":
        while get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        if get_origin(annotation) in {Union, UnionType}:
            members = [member for member in get_args(annotation) if member is not NoneType]
            if len(members) == 1:
                return cls.of(members[0], field)
        description = (field.description or "").partition(". ")[0].rstrip(".") if field else ""
        return cls(annotation, description, tuple((field.examples if field else None) or ()))

    def members(self) -> dict[str, "_Place"]:
        """The members of a union by the names that pydantic gives them; empty where it is none."""
        if get_origin(self.annotation) not in {Union, UnionType}:
            return {}
        members = [member for member in get_args(self.annotation) if member is not NoneType]
        return {_tag(member): _Place.of(member) for member in members}

    def step(self, part: str | int) -> "_Place":
        """The place of a key or an index."""
        if self._is_model:
            for key, field in self._fields().items():
                if key == part:
                    return _Place.of(field.annotation, field)
        arguments = get_args(self.annotation)
        if arguments and not self.members():
            return _Place.of(arguments[0 if isinstance(part, int) else -1])
        return _Place(None)

    def keys(self) -> tuple[str, ...]:
        """The keys that may stand here, of all members in a union."""
        if members := self.members():
            return tuple(dict.fromkeys(key for member in members.values() for key in member.keys()))
        return tuple(self._fields()) if self._is_model else ()

    def choices(self) -> tuple[str, ...]:
        """The values that may stand here, where they are a fixed few."""
        if get_origin(self.annotation) is Literal:
            return tuple(str(choice) for choice in get_args(self.annotation))
        if isinstance(self.annotation, type) and issubclass(self.annotation, Enum):
            return tuple(str(choice.value) for choice in self.annotation)
        return ()

    @property
    def _is_model(self) -> bool:
        return isinstance(self.annotation, type) and issubclass(self.annotation, BaseModel)

    def _fields(self) -> dict[str, FieldInfo]:
        return {field.alias or name: field for name, field in self.annotation.model_fields.items()}


def _tag(member: Any) -> str:
    if get_origin(member) is Annotated:
        tags = [mark.tag for mark in get_args(member)[1:] if isinstance(mark, Tag)]
        return tags[0] if tags else _tag(get_args(member)[0])
    return member.__name__ if isinstance(member, type) else str(member)


def _told(
    faults: Sequence[_Fault], document: Document, data: Plain, path: Path, place: _Place
) -> Iterator[Mistake]:
    """The mistakes at and below `path`, where `data` stands."""
    groups: dict[str | int, list[_Fault]] = defaultdict(list)
    for fault in faults:
        if not fault.leaf:
            groups[fault.rest[0]].append(fault.ahead())
    leaves = [fault for fault in faults if fault.leaf]
    if groups and place.members():
        yield from (_mistake(fault, document, data, path, place) for fault in leaves)
        yield from _member(groups, document, data, path, place)
        return
    unknown = [key for key, inner in groups.items() if any(fault.leaf and fault.unknown for fault in inner)]
    # Whoever wrote `polcy` knows that a policy belongs there: one mistake, not two.
    hints = {key: did_you_mean(str(key), place.keys()) for key in unknown}
    for fault in leaves:
        if not (fault.missing and fault.rest and f"did you mean `{fault.rest[0]}`?" in hints.values()):
            yield _mistake(fault, document, data, path, place)
    for key, inner in groups.items():
        if key in hints:
            yield document.mistake((*path, key), f"unknown key `{key}`", hints[key])
        elif _holds(data, key):
            yield from _told(inner, document, data[key], (*path, key), place.step(key))  # type: ignore[index, call-overload]  # `_holds` has seen it
        else:
            # A step that only pydantic knows, such as a validator's name.
            yield from _told(inner, document, data, path, place)


def _member(
    members: Mapping[str | int, list[_Fault]], document: Document, data: Plain, path: Path, place: _Place
) -> Iterator[Mistake]:
    """The mistakes of the union's member that fits best: fewest unknown keys, then fewest mistakes."""

    def misfit(name: str | int) -> tuple[bool, int, int]:
        found = members[name]
        wrong_kind = any(fault.leaf and fault.error["type"] in _EXPECTED for fault in found)
        return wrong_kind, sum(fault.unknown for fault in found), len(found)

    best = min(members, key=misfit)
    chosen = place.members().get(str(best), _Place(None))
    if isinstance(data, dict) and chosen.keys() and not set(data) & set(chosen.keys()):
        firsts = dict.fromkeys(key for member in place.members().values() for key in member.keys()[:1])
        near = did_you_mean(next(iter(data)), place.keys()) if data else ""
        hint = near if near.startswith("did") else "one of " + ", ".join(f"`{key}`" for key in firsts)
        yield document.mistake(path, "this has none of the keys that say what it is", hint, value=True)
        return
    yield from _told(members[best], document, data, path, chosen)


def _mistake(fault: _Fault, document: Document, data: Plain, path: Path, place: _Place) -> Mistake:
    if fault.missing:
        name = fault.rest[0] if fault.rest else ""
        return document.mistake(path, f"`{name}` is missing", place.step(name).description)
    message, hint = _sentence(fault.error, data, place)
    return document.mistake(path, message, hint, value=fault.rest != ("[key]",))


def _sentence(error: ErrorDetails, data: Plain, place: _Place) -> tuple[str, str]:
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
    return message.replace("Input should", "this should"), str(context.get("hint", ""))


def _holds(data: Plain, part: str | int) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


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
    return f"`{_short(data)}`"


def _short(data: Plain) -> str:
    text = str(data)
    return text if len(text) <= 60 else text[:57] + "…"  # noqa: PLR2004  # one line of a terminal


def _without(data: Plain, places: set[tuple[str | int, ...]]) -> Plain:
    """A copy without the entries at these places, which are one or two keys deep."""
    if not isinstance(data, dict):
        return data
    kept: dict[str, Plain] = {}
    for key, value in data.items():
        if (key,) in places:
            continue
        inner = isinstance(value, dict)
        kept[key] = {k: v for k, v in value.items() if (key, k) not in places} if inner else value
    return kept
