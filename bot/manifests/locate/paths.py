"""Paths into Helm values (in a file, a HelmRelease or an Application), JSON Pointers."""

from collections.abc import Sequence
from typing import Literal

from bot.domain.target import DocumentName, FluxHelmRelease, HelmValues, Pointer
from bot.manifests.block_text import BlockText
from bot.manifests.documents import Documents, Path
from bot.manifests.errors import BumpError, NotFound
from bot.manifests.forms import Holds, Keys, Parts, Scalar
from bot.manifests.locate.found import Found, Start, one, select
from bot.manifests.lookup import Place, descend, parse_path, parse_pointer, root

HELM = Keys(name="repository", tag="tag", digest="digest", registry="registry")


def helm(documents: Documents, selector: HelmValues) -> Found:
    """The image or scalar in a values file."""
    path = parse_path(selector.path)
    places = [root(document) for document in documents.items]
    if selector.document is not None:
        places = [document_at(documents, selector.document)]
    return values(
        _only(documents, places, path, insert=selector.insert), path, selector.value, insert=selector.insert
    )


def flux(documents: Documents, selector: FluxHelmRelease) -> Found:
    """The image or scalar in a HelmRelease."""
    release = one(
        select(documents, ("HelmRelease",), selector.name),
        "the target",
        "the file holds no HelmRelease",
        "tell its `name`",
    )
    start = Start(documents, descend(release, ("spec", "values")))
    return values(start, parse_path(selector.path), selector.value, insert=selector.insert)


def pointer(documents: Documents, selector: Pointer) -> Found:
    """The scalar at a JSON Pointer."""
    path = parse_pointer(selector.pointer)
    match selector.document:
        case int(index):
            places = [document_at(documents, index)]
        case DocumentName(kind=kind, name=name):
            places = select(documents, (kind,), name)
        case None:
            places = [root(document) for document in documents.items]
    start = _only(documents, places, path, insert=selector.insert)
    return scalar_at(start, path, "text" if selector.value else "any", insert=selector.insert)


def values(start: Start, path: Path, value: str | None, *, insert: bool) -> Found:
    """An image in either form, or the scalar that `value` is for, at a path in Helm values."""
    if value is not None:
        return scalar_at(start, path, "text", insert=insert)
    part = path[-1] if path[-1] in ("tag", "digest", "repository", "registry") else None
    try:
        here, place, _ = follow(start, path)
    except NotFound:
        if part is None or not insert:
            raise
        here, place, _ = follow(start, path[:-1])
    if part is not None and len(place.chain) > 1 and place.node.kind == "scalar":
        place = follow(start, path[:-1])[1]
    if place.node.kind != "mapping":
        return Found(Scalar(here.documents, place, "image"), here.block)
    word: Literal["tag", "digest"] = "digest" if part == "digest" else "tag"
    return Found(Parts(here.documents, place, HELM, None, emptied=True, insert=insert, word=word), here.block)


def scalar_at(start: Start, path: Path, holds: Holds, *, insert: bool) -> Found:
    """One scalar at a path; its last key may be missing where it may be added."""
    try:
        here, place, _ = follow(start, path)
    except NotFound:
        if not insert or not path:
            raise
        here, place, _ = follow(start, path[:-1])
        return Found(Scalar(here.documents, place, holds, missing=str(path[-1]), insert=True), here.block)
    return Found(Scalar(here.documents, place, holds, insert=insert), here.block)


def follow(start: Start, path: Sequence[str | int]) -> tuple[Start, Place, Path]:
    """Follow a path, on into a block of text where it leads there.

    Returns where the last part of the way started, the place, and that last part of the path.
    """
    place = start.place
    for index, segment in enumerate(path):
        if place.node.kind == "scalar" and place.node.style in ("|", ">") and start.block is None:
            block = BlockText.of(start.documents, place)
            inner = document_at(block.inner, 0)
            return follow(Start(block.inner, inner, block), path[index:])
        place = descend(place, (segment,))
    return start, place, tuple(path)


def document_at(documents: Documents, index: int) -> Place:
    """The root of a document by its number. Raises NotFound."""
    if index >= len(documents.items):
        raise NotFound(f"there is no document {index}: the file has {len(documents.items)}, counted from 0")
    return root(documents.items[index])


def _only(documents: Documents, places: Sequence[Place], path: Path, *, insert: bool) -> Start:
    """The one document in which the path leads somewhere."""
    if len(places) > 1:
        leading = [place for place in places if _leads(documents, place, path)]
        if not leading and insert and path:
            leading = [place for place in places if _leads(documents, place, path[:-1])]
        places = leading or places[:1]
    if not places:
        raise NotFound("the file is empty")
    return Start(
        documents,
        one(places, "the path", "the file is empty", "tell which `document` (number, or kind and name)"),
    )


def _leads(documents: Documents, place: Place, path: Path) -> bool:
    try:
        follow(Start(documents, place), path)
    except NotFound:
        return False
    except BumpError:
        return True
    return True
