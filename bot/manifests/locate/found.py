"""What locating gives, and how documents and their objects are told apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.manifests.block_text import BlockText
from bot.manifests.documents import Documents
from bot.manifests.errors import Ambiguous, NotFound
from bot.manifests.forms import Form
from bot.manifests.lookup import Place, root, show


@dataclass(frozen=True, slots=True)
class Found:
    """A form, and the block of text that it stands in, if it does."""

    form: Form
    block: BlockText | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a path goes on: a place, and the documents (of the file or of a block of text) it is in."""

    documents: Documents
    place: Place
    block: BlockText | None = None


def objects(documents: Documents) -> Iterator[Place]:
    """Every Kubernetes object of a file, those inside a `List` too."""
    for document in documents.items:
        place = root(document)
        items = place.child("items") if (place.text("kind") or "").endswith("List") else None
        if items is None:
            yield place
        else:
            yield from items.items()


def named(place: Place) -> str:
    """`Deployment fraud-detector`, for messages."""
    return " ".join(part for part in (place.text("kind"), name_of(place)) if part) or "an object without kind"


def name_of(place: Place) -> str | None:
    """`metadata.name`."""
    metadata = place.child("metadata")
    return metadata.text("name") if metadata is not None else None


def select(documents: Documents, kinds: Sequence[str], name: str | None) -> list[Place]:
    """The objects of one of these kinds (any, where none is given) with this name. Raises NotFound."""
    everything = list(objects(documents))
    found = [
        place
        for place in everything
        if (not kinds or place.text("kind") in kinds) and (name is None or name_of(place) == name)
    ]
    if not found:
        wanted = " or ".join(kinds) or "object"
        told = f"{wanted} named {name}" if name is not None else wanted
        there = ", ".join(named(place) for place in everything[:10]) or "nothing"
        raise NotFound(f"the file holds no {told}; it holds {there}")
    return found


def one(places: Sequence[Place], what: str, missing: str, advice: str) -> Place:
    """The only place. Raises NotFound with the sentence `missing`, Ambiguous with all of them."""
    if not places:
        raise NotFound(missing)
    if len(places) > 1:
        told = ", ".join(
            f"{show(place.path)} in document {place.document.index} (line {place.node.line})"
            for place in places[:10]
        )
        raise Ambiguous(f"{what} fits {len(places)} places: {told}; {advice}")
    return places[0]
