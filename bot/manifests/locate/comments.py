"""Scalars that a comment on their line marks: Flux setters, Slipway's own markers."""

import re
from bisect import bisect
from collections.abc import Iterator

from bot.domain.target import FluxSetter, Marker
from bot.manifests.documents import Document, Documents, Node
from bot.manifests.errors import NotFound
from bot.manifests.forms import Marked, Part, Scalar
from bot.manifests.locate.found import Found, one
from bot.manifests.lookup import Place, root

_SETTER = re.compile(r'(?<=\s)#[^\r\n]*"\$imagepolicy"\s*:\s*"([^":\s]+:[^":\s]+)(?::(tag|name|digest))?"')
_MARKER = re.compile(r"(?<=\s)#[ \t]*slipway:[ \t]*([A-Za-z0-9][\w./-]*)[ \t]*(?=[\r\n]|\Z)", re.ASCII)
_BETWEEN = re.compile(r"[ \t\]},]*")
_PARTS: dict[str | None, Part] = {None: "image", "tag": "tag", "name": "name", "digest": "digest"}


def setter(documents: Documents, selector: FluxSetter) -> Found:
    """Every scalar that Flux would set for this image policy, each with its part of the image."""
    marked = [
        (place, _PARTS[found[2]])
        for found, place in _commented(documents, _SETTER)
        if found[1] == selector.setter
    ]
    if not marked:
        raise NotFound(
            f'no value has the comment # {{"$imagepolicy": "{selector.setter}"}} on its line (also with '
            ":tag, :name or :digest)"
        )
    return Found(Marked(documents, marked))


def marker(documents: Documents, selector: Marker) -> Found:
    """The scalar on the line of `# slipway: NAME`."""
    comments = list(_commented(documents, _MARKER))
    there = ", ".join(sorted({found[1] for found, _ in comments})) or "none"
    place = one(
        [place for found, place in comments if found[1] == selector.marker],
        f"the marker {selector.marker}",
        f"no value has the comment `# slipway: {selector.marker}` on its line; the file's markers: {there}",
        "give each marker a name of its own",
    )
    return Found(Scalar(documents, place, "text" if selector.value else "any"))


def _commented(documents: Documents, comment: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Place]]:
    """(comment, scalar right before it on its line) for every comment that really is one."""
    matches = list(comment.finditer(documents.text))
    if not matches:
        return
    scalars = sorted(
        (place for document in documents.items for place in _scalars(document)),
        key=lambda place: place.node.start,
    )
    starts = [place.node.start for place in scalars]
    for found in matches:
        index = bisect(starts, found.start()) - 1
        # A match inside a scalar is text; one on a line of its own marks nothing.
        if index >= 0 and _BETWEEN.fullmatch(documents.text, scalars[index].node.end, found.start()):
            yield found, scalars[index]


def _scalars(document: Document) -> Iterator[Place]:
    """Every scalar of a document that is a value or an item; what aliases mean is met at its anchor."""
    waiting: list[Place] = [root(document)]
    while waiting:
        place = waiting.pop()
        node = place.node
        if node.kind == "scalar":
            if node.value or node.style is not None:
                yield place
            continue
        children: list[tuple[str | int, Node]] = list(enumerate(node.children))
        if node.kind == "mapping":
            children = [(key.value, value) for key, value in node.pairs()]
        waiting += [
            Place(document, (*place.path, segment), (*place.chain, child))
            for segment, child in children
            if child.kind != "alias"
        ]
