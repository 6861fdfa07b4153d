"""What the annotations of a pydantic model want at one place: keys, choices, descriptions.

For messages that name what would have been right. A place is reached from the model step by step, by
the keys and indexes of the data.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain, islice
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from bot.domain.mistake import shortened

_MOST_COMPARED = 300


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint "did you mean `policy`?", or "one of …" where nothing is near; empty when nothing is known."""
    choices = sorted(set(islice(known, _MOST_COMPARED)))
    if near := nearest(word, choices):
        return f"did you mean `{shortened(near, 60)}`?"
    if len(choices) < 2:  # noqa: PLR2004  # one choice is no choice
        return f"write `{choices[0]}`" if choices else ""
    return "one of " + ", ".join(f"`{shortened(choice, 60)}`" for choice in choices[:20])


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a misspelling of."""
    folded = {choice[:100].casefold(): choice for choice in islice(known, _MOST_COMPARED)}
    near = difflib.get_close_matches(word[:100].casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a model; `annotation` None: nothing is known of it. `key` is the annotation of the
    mapping's keys, where the place is a value in a mapping.
    """

    annotation: Any
    description: str = ""
    examples: tuple[Any, ...] = ()
    key: Any = None

    @classmethod
    def of(cls, annotation: Any, field: FieldInfo | None = None) -> "Place":
        """The place that an annotation describes, with what a field says of it."""
        noted = [field] if field else []
        while get_origin(annotation) is Annotated:
            annotation, *metadata = get_args(annotation)
            noted += [mark for mark in metadata if isinstance(mark, FieldInfo)]
        members = _members(annotation)
        if len(members) == 1:
            return cls.of(members[0], field)
        description = next((note.description for note in noted if note.description), "")
        examples = next((note.examples for note in noted if note.examples), ())
        return cls(annotation, description.partition(". ")[0].rstrip("."), tuple(examples))

    def members(self) -> dict[str, "Place"]:
        """The members of a union by the names that pydantic gives them; empty where it is none."""
        return {_tag(member): Place.of(member) for member in _members(self.annotation)}

    def step(self, part: str | int) -> "Place":
        """The place of a key or an index."""
        if self._is_model:
            field = self._fields().get(str(part))
            return Place.of(field.annotation, field) if field else Place(None)
        arguments = get_args(self.annotation)
        if not arguments or self.members():
            return Place(None)
        if isinstance(part, int):
            return Place.of(arguments[0])
        return replace(Place.of(arguments[-1]), key=arguments[0])

    def keys(self) -> tuple[str, ...]:
        """The keys that may stand here, of all members in a union."""
        if members := self.members():
            return tuple(dict.fromkeys(chain.from_iterable(member.keys() for member in members.values())))
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

    def _fields(self) -> Mapping[str, FieldInfo]:
        return {field.alias or name: field for name, field in self.annotation.model_fields.items()}


def _members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union without None; empty where it is none."""
    if get_origin(annotation) not in {Union, UnionType}:
        return ()
    return tuple(member for member in get_args(annotation) if member is not NoneType)


def _tag(member: Any) -> str:
    if get_origin(member) is Annotated:
        tags = [mark.tag for mark in get_args(member)[1:] if isinstance(mark, Tag)]
        return tags[0] if tags else _tag(get_args(member)[0])
    return member.__name__ if isinstance(member, type) else str(member)
