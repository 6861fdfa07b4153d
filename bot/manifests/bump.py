"""Change one pin in one file, or read it. Text in, text out.

    bump(text, Target(selector, pin)) -> Bump(text, changes)
    find(text, selector)              -> Pinned(pin, sites)

The characters of the pin are replaced, nothing else; the result is read again and compared before it is
returned. Whatever cannot be done safely is refused by a `BumpError` with a stable `code`. The bytes layer
keeps a byte order mark, CRLF and a missing final line break.
"""

from dataclasses import dataclass, replace

from bot.domain.target import Selector
from bot.manifests.documents import MAX_BYTES, Documents, Path, parse
from bot.manifests.edits import Change, apply, span
from bot.manifests.errors import NotParsable, Stale, TooLarge, UnsupportedScalar
from bot.manifests.forms import Scalar, try_image
from bot.manifests.image_reference import same_repository
from bot.manifests.locate.found import Found
from bot.manifests.locate.select import locate
from bot.manifests.lookup import Place
from bot.manifests.pin import ImagePin, Pin

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to write what.

    `expect`: what must be pinned there now, or the bump is refused as stale. Such a bump takes a pin back
    to what `find` told before: parts that were not pinned go again, parts that were come back.
    `number`: the place holds a whole number, written without quotes.
    """

    selector: Selector
    pin: Pin
    expect: Pin | None = None
    number: bool = False


@dataclass(frozen=True, slots=True)
class Bump:
    """The new text and what changed in it; no changes where the pin was there already."""

    text: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class BumpBytes:
    """The new content of a file and what changed in it."""

    data: bytes
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A scalar that holds a pin, or a part of it. Positions as in `Change`."""

    document: int
    path: Path
    line: int
    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """What is pinned now; `pin` None where the place exists and holds nothing."""

    pin: Pin | None
    sites: tuple[Site, ...]


def bump(text: str, target: Target) -> Bump:
    """Write a target's pin. Raises BumpError and nothing else."""
    mark, body = _without_bom(text)
    documents = parse(body)
    found = _located(documents, target)
    edits = found.form.plan(target.pin, restore=target.expect is not None)
    if not edits:
        return Bump(text, ())
    if target.expect is not None:
        _check_expected(target.expect, found.form.read())
    if found.block is not None:
        edits = found.block.lift(edits)
    new = apply(documents, edits)
    changes = sorted((edit.change for edit in edits), key=lambda change: change.start)
    return Bump(mark + new, tuple(changes))


def find(text: str, target: Target | Selector) -> Pinned:
    """Read what is pinned at a target. Raises BumpError and nothing else."""
    _, body = _without_bom(text)
    documents = parse(body)
    found = _located(documents, target) if isinstance(target, Target) else locate(documents, target)
    return Pinned(found.form.read(), tuple(_site(found, place) for place in found.form.places()))


def bump_bytes(data: bytes, target: Target) -> BumpBytes:
    """`bump` for the bytes of a file: UTF-8, with or without a byte order mark. Raises BumpError."""
    done = bump(_decode(data), target)
    return BumpBytes(done.text.encode(), done.changes)


def find_bytes(data: bytes, target: Target | Selector) -> Pinned:
    """`find` for the bytes of a file. Raises BumpError."""
    return find(_decode(data), target)


def _located(documents: Documents, target: Target) -> Found:
    found = locate(documents, target.selector)
    if not target.number:
        return found
    if not isinstance(found.form, Scalar):
        raise UnsupportedScalar("this target is an image in parts, and a whole number belongs here")
    return replace(found, form=replace(found.form, holds="number"))


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise TooLarge(f"the file has {len(data)} bytes, and at most {MAX_BYTES} are read")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NotParsable(f"the file is not UTF-8: {error.reason} at byte {error.start}") from None


def _without_bom(text: str) -> tuple[str, str]:
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def _site(found: Found, place: Place) -> Site:
    start, end = span(found.form.documents, place)
    path, line, document = place.path, place.node.line, place.document.index
    if found.block is not None:
        start, end, line = found.block.locate(start, end)
        path, document = (*found.block.place.path, *path), found.block.place.document.index
    return Site(document, path, line, start, end, place.node.value)


def _check_expected(expected: Pin, current: Pin | None) -> None:
    image = try_image(expected) if isinstance(expected, str) else expected
    if isinstance(image, ImagePin) and isinstance(current, ImagePin):
        same = _same_image(image, current)
    else:
        same = str(expected) == str(current)
    if not same:
        raise Stale(
            f"{current if current is not None else 'nothing'} is pinned now, not {expected}: somebody "
            "changed it since, so look again before changing it"
        )


def _same_image(expected: ImagePin, current: ImagePin) -> bool:
    """Whether what is pinned is the expected image; a part that either one leaves out is not compared,
    except that a digest on one side only is a difference.
    """
    if (
        expected.repository
        and current.repository
        and not same_repository(expected.repository, current.repository)
    ):
        return False
    if expected.digest != current.digest:
        return False
    return expected.tag is None or current.tag is None or expected.tag == current.tag
