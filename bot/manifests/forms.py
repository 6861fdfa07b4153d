"""The forms in which a pin is written: one scalar, the parts of an image under several keys, or scalars
that comments mark. Each form reads what is pinned and plans the edits for a new pin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.manifests.documents import Documents
from bot.manifests.edits import Edit, add_key, remove_key, set_scalar, span
from bot.manifests.errors import BadReference, BumpError, NotFound
from bot.manifests.image_reference import (
    ImageReference,
    check_digest,
    check_tag,
    parse,
    same_repository,
    split_name,
)
from bot.manifests.lookup import Place, show
from bot.manifests.pin import ImagePin, Pin
from bot.manifests.scalars import is_null

Part = Literal["image", "name", "tag", "digest"]
Holds = Literal["image", "text", "any", "number"]


class Form(Protocol):
    """One pin in one file."""

    @property
    def documents(self) -> Documents: ...

    def places(self) -> Iterator[Place]:
        """The scalars that hold the pin, those that are there."""

    def read(self) -> Pin | None:
        """What is pinned now; None where nothing is."""

    def plan(self, pin: Pin, *, restore: bool = False) -> list[Edit]:
        """The edits that make it this pin; none when it is already.

        `restore`: it was this pin before, as `read` told it. Then a part that it lacks goes again, and one
        that is missing now comes back, whether or not keys may be added otherwise.
        """


@dataclass(frozen=True, slots=True)
class Scalar:
    """One scalar: a whole image reference, any text, or a number.

    `holds` "any" takes a text as it is and an image as a reference. `prefix` stands before the pin in the
    scalar and stays (`KEY=` in a list of variables). Where the key is missing `place` is its mapping.
    """

    documents: Documents
    place: Place
    holds: Holds
    missing: str | None = None
    insert: bool = False
    prefix: str = ""

    def places(self) -> Iterator[Place]:
        if self.missing is None:
            yield self.place

    def read(self) -> Pin | None:
        if self.missing is not None:
            return None
        span(self.documents, self.place)
        if is_null(self.place.node):
            return None
        text = self.place.node.value.removeprefix(self.prefix)
        return try_image(text) if self.holds == "image" else text

    def plan(self, pin: Pin, *, restore: bool = False) -> list[Edit]:
        if restore and pin == "":
            return self._restore_nothing()
        value = self.prefix + self._text(pin, restore=restore)
        if self.missing is None:
            edit = set_scalar(self.documents, self.place, value, number=self.holds == "number")
            return [edit] if edit else []
        if not (self.insert or restore):
            raise missing_key(self.place, self.missing)
        return [add_key(self.documents, self.place, self.missing, value, number=self.holds == "number")]

    def _restore_nothing(self) -> list[Edit]:
        """A key that Slipway may add was added by it; any other was there and empty."""
        if self.missing is not None:
            return []
        if self.insert:
            return [remove_key(self.documents, self.place)]
        edit = set_scalar(self.documents, self.place, self.prefix, empty=True)
        return [edit] if edit else []

    def _text(self, pin: Pin, *, restore: bool) -> str:
        if isinstance(pin, str) and self.holds != "image":
            return pin
        image = as_image(pin, restore=restore)
        current = self.place.node.value.removeprefix(self.prefix) if self.missing is None else ""
        return _reference(image, current, show(self.place.path))


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the keys that hold the parts of an image, None for a part that has no key."""

    name: str
    tag: str
    digest: str
    registry: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """An image in parts, as kustomize and most Helm charts write it.

    `otherwise` is the repository where no key tells one (None: not known, so it is left alone).
    `emptied` tells that a part that is not pinned any more becomes "" instead of going (Helm charts read
    "" as "none"; kustomize wants the key gone). `word` is the part that a bare word means.
    """

    documents: Documents
    mapping: Place
    keys: Keys
    otherwise: str | None
    emptied: bool
    insert: bool
    word: Literal["tag", "digest"] = "tag"

    def places(self) -> Iterator[Place]:
        for key in (self.keys.registry, self.keys.name, self.keys.tag, self.keys.digest):
            if key is not None and (place := self.mapping.child(key)) is not None:
                yield place

    def read(self) -> ImagePin:
        return ImagePin(self._repository(), self._text(self.keys.tag), self._text(self.keys.digest))

    def plan(self, pin: Pin, *, restore: bool = False) -> list[Edit]:
        image = as_image(pin, restore=True) if restore else self._image(pin)
        edits = [
            *self._plan_repository(image.repository, restore=restore),
            *self._plan_tag(image, restore=restore),
            *self._plan_digest(image, restore=restore),
        ]
        return [edit for edit in edits if edit is not None]

    def _image(self, pin: Pin) -> ImagePin:
        if isinstance(pin, str) and not set(pin) & set("/@") and not pin.startswith(":"):
            if self.word == "digest":
                return ImagePin(digest=check_digest(pin))
            if ":" not in pin:
                return ImagePin(tag=check_tag(pin))
        return as_image(pin)

    def _text(self, key: str) -> str | None:
        """The value under a key; None for nothing, null and the empty string."""
        place = self.mapping.child(key)
        if place is None:
            return None
        span(self.documents, place)
        return None if is_null(place.node) else place.node.value or None

    def _repository(self) -> str | None:
        name = self._text(self.keys.name)
        registry = self._text(self.keys.registry) if self.keys.registry is not None else None
        if name is None:
            return self.otherwise
        return f"{registry}/{name}" if registry is not None else name

    def _plan_repository(self, wanted: str | None, *, restore: bool) -> list[Edit | None]:
        current = self._repository()
        if wanted is None or current is None or same_repository(wanted, current):
            return []
        name = self.mapping.child(self.keys.name)
        if restore and self.insert and wanted == self.otherwise and name is not None:
            return [remove_key(self.documents, name)]
        if self.keys.registry is not None and self._text(self.keys.registry) is not None:
            registry, path = split_name(wanted)
            return [
                self._set(self.keys.registry, registry, restore),
                self._set(self.keys.name, path, restore),
            ]
        return [self._set(self.keys.name, wanted, restore)]

    def _plan_tag(self, image: ImagePin, *, restore: bool) -> list[Edit | None]:
        place = self.mapping.child(self.keys.tag)
        if image.tag is not None:
            # A place that is pinned by digest alone stays that way.
            only_digest = image.digest is not None and self.mapping.child(self.keys.digest) is not None
            return [] if place is None and only_digest else [self._set(self.keys.tag, image.tag, restore)]
        if place is None or self._text(self.keys.tag) is None or self.word == "digest":
            return []
        if self.emptied and restore:
            return [set_scalar(self.documents, place, "", empty=True)]
        if self.emptied:
            raise BadReference(
                f"{show(place.path)} holds a tag, and the new pin has only a digest: the tag would tell "
                "another version; give the tag too"
            )
        return [remove_key(self.documents, place)]

    def _plan_digest(self, image: ImagePin, *, restore: bool) -> list[Edit | None]:
        if image.digest is not None:
            return [self._set(self.keys.digest, image.digest, restore)]
        place = self.mapping.child(self.keys.digest)
        if place is None or self._text(self.keys.digest) is None:
            return []
        return [
            set_scalar(self.documents, place, "", empty=True)
            if self.emptied
            else remove_key(self.documents, place)
        ]

    def _set(self, key: str, value: str, restore: bool) -> Edit | None:  # noqa: FBT001 - always told
        place = self.mapping.child(key)
        if place is not None:
            return set_scalar(self.documents, place, value)
        if not (self.insert or restore):
            raise missing_key(self.mapping, key)
        return add_key(
            self.documents, self.mapping, key, value, after=(self.keys.tag, self.keys.name, "name")
        )


@dataclass(frozen=True, slots=True)
class Marked:
    """Scalars that each hold one part of the same image, or all of it."""

    documents: Documents
    marked: Sequence[tuple[Place, Part]]

    def places(self) -> Iterator[Place]:
        return (place for place, _ in self.marked)

    def read(self) -> Pin | None:
        found = {part: place.node.value for place, part in self.marked}
        if "image" in found:
            return try_image(found["image"])
        return ImagePin(found.get("name") or None, found.get("tag") or None, found.get("digest") or None)

    def plan(self, pin: Pin, *, restore: bool = False) -> list[Edit]:
        image = as_image(pin, restore=restore)
        parts = {part for _, part in self.marked}
        if image.digest is not None and not parts & {"image", "digest"}:
            there = " and the ".join(sorted(parts))
            raise BadReference(
                f"the digest {image.digest} has no place here, only the {there}: mark "
                "one for the digest, or pin the model by `pin: tag`"
            )
        edits = [
            set_scalar(self.documents, place, self._text(image, place, part, restore=restore), empty=restore)
            for place, part in self.marked
        ]
        return [edit for edit in edits if edit is not None]

    @staticmethod
    def _text(image: ImagePin, place: Place, part: Part, *, restore: bool) -> str:
        current = place.node.value
        if part == "image":
            return _reference(image, current, show(place.path))
        if part == "name":
            wanted = image.repository
            return current if wanted is None or _same(wanted, current) else wanted
        value = image.tag if part == "tag" else image.digest
        if value is None and restore:
            return ""
        if value is None:
            raise BadReference(f"{show(place.path)} takes the {part}, and the new pin has none")
        return value


def as_image(pin: Pin, *, restore: bool = False) -> ImagePin:
    """The pin as an image, with a tag or digest unless it is restored. Raises BadReference."""
    if restore and pin == "":
        return ImagePin()
    image = ImagePin.parse(pin) if isinstance(pin, str) else pin
    if restore:
        return image
    if image.tag is None and image.digest is None:
        raise BadReference(f"{str(image)!r} has neither tag nor digest: it does not say which version runs")
    return image


def try_image(text: str) -> Pin:
    """The text as an image where it is one."""
    try:
        return ImagePin.parse(text)
    except BadReference:
        return text


def missing_key(mapping: Place, key: str) -> NotFound:
    """The refusal for a key that is not there and may not be added."""
    return NotFound(
        f"{show((*mapping.path, key))} is not there (line {mapping.node.line}): add it with a first value, "
        "or allow Slipway to add it with `insert: true`"
    )


def _reference(image: ImagePin, current: str, where: str) -> str:
    """The whole reference, with the repository spelled as it stands there when it is the same one."""
    name = image.repository
    try:
        written = parse(current).name
    except BumpError:
        written = None
    if name is None or (written is not None and same_repository(name, written)):
        name = written
    if name is None:
        raise BadReference(f"{where} holds no image reference now, so the new pin has to name the repository")
    return str(ImageReference(name, image.tag, image.digest))


def _same(one: str, other: str) -> bool:
    return bool(other) and same_repository(one, other)
