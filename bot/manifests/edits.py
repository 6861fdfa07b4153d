"""Edits of single scalars: which characters to replace, and the proof that nothing else changed.

YAML is never emitted. Each edit knows the characters that it replaces and what a reader of YAML will find
instead; `apply` replaces them all, reads the result again and compares every event of every document.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.manifests.documents import Documents, Event, Node, Path, read_events
from bot.manifests.errors import BadReference, NotParsable, UnsupportedScalar, VerifyFailed
from bot.manifests.lookup import Place, check_not_shared, show
from bot.manifests.scalars import INTEGER, check_value, render

_STRING_TAGS = (None, "!", "tag:yaml.org,2002:str")
_PROPERTY = re.compile(r"[&!][^\s,\[\]{}]*[ \t]*")
_COLON = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*(?=[\r\n]))*:")
_LINE_END = re.compile(r"\r\n|\r|\n|\Z")


@dataclass(frozen=True, slots=True)
class Change:
    """One scalar that changed.

    `start` and `end` count characters of the original text after a byte order mark; `line` counts from 1.
    `old` and `new` are the values as a reader of YAML gets them, None where the key is new or was removed.
    """

    document: int
    path: Path
    line: int
    start: int
    end: int
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """A change, the characters to write, and the events that replace those from `first` to before `last`."""

    change: Change
    text: str
    first: int
    last: int
    events: tuple[Event, ...]


def set_scalar(
    documents: Documents, place: Place, value: str, *, number: bool = False, empty: bool = False
) -> Edit | None:
    """Give a scalar a new value; None when it has it already. `empty` tells that "" is meant.

    Raises UnsupportedScalar, SharedAnchor, and BadReference for a number that is none.
    """
    node = place.node
    if node.kind != "scalar":
        raise UnsupportedScalar(_why_no_scalar(documents, place))
    start, end = span(documents, place)
    if node.value == value:
        return None
    check_not_shared(place)
    old = documents.text[start:end]
    if number:
        text = check_number(value, show(place.path))
    elif value or not empty:
        check_value(value)
        flow = any(parent.flow for parent in place.chain[:-1])
        text = render(value, node.style, flow=flow, quote=flow and _is_json(place))
    else:
        text = "''" if node.style == "'" else '""'
    plain = text[0] not in "'\""
    if not old:
        text = f" {text}"
    change = Change(place.document.index, place.path, node.line, start, end, node.value, value)
    event = ("scalar", node.tag, node.anchor, value, plain)
    return Edit(change, text, node.position, node.position + 1, (event,))


def add_key(
    documents: Documents,
    parent: Place,
    key: str,
    value: str,
    *,
    after: Sequence[str] = (),
    number: bool = False,
) -> Edit:
    """Add a key to a mapping, after the first of `after` that is there.

    Raises UnsupportedScalar, SharedAnchor.
    """
    where = show((*parent.path, key))
    if parent.node.kind != "mapping" or documents.masked:
        raise UnsupportedScalar(f"{where} is missing and cannot be added here: add it by hand")
    check_not_shared(parent)
    check_value(value)
    flow = any(node.flow for node in parent.chain)
    siblings = [
        (name, node)
        for name, node in parent.node.pairs()
        if name.kind == "scalar"
        and node.kind == "scalar"
        and node.style not in ("|", ">")
        and name.line == node.line
        and not (flow and _is_empty(node))
    ]
    if not siblings:
        raise UnsupportedScalar(f"{where} is missing and has no neighbour to stand after: add it by hand")
    rank = {name: place for place, name in enumerate(after)}
    name, sibling = min(reversed(siblings), key=lambda pair: rank.get(pair[0].value, len(rank)))
    quote = flow and name.style == '"'
    written = [render(part, None, flow=flow, quote=quote) for part in (key, value)]
    if number:
        written[1] = check_number(value, where)
    pair = ": ".join(written)
    position = _end_of_value(documents, name, sibling)
    if flow:
        text = f", {pair}"
    else:
        found = _LINE_END.search(documents.text, position)
        assert found is not None
        position = found.start()
        line_break = found[0] or ("\r\n" if "\r\n" in documents.text else "\n")
        text = f"{line_break}{' ' * name.column}{pair}"
    change = Change(parent.document.index, (*parent.path, key), sibling.line, position, position, None, value)
    events = tuple(
        ("scalar", None, None, part, text_of[0] != '"')
        for part, text_of in zip((key, value), written, strict=True)
    )
    return Edit(change, text, sibling.last + 1, sibling.last + 1, events)


def remove_key(documents: Documents, place: Place) -> Edit:
    """Take a key with its scalar out of a mapping. Raises UnsupportedScalar, SharedAnchor."""
    parent, node = place.parent, place.node
    check_not_shared(place)
    key = key_of(parent, node)
    refusal = UnsupportedScalar(
        f"{show(place.path)} (line {node.line}) has to go and cannot be cut out here: remove it by hand"
    )
    if key is None or node.kind != "scalar" or node.style in ("|", ">") or documents.masked:
        raise refusal
    text = documents.text
    start, end = key.start, _end_of_value(documents, key, node)
    index = parent.children.index(key)
    if parent.flow:
        if index:
            start = parent.children[index - 1].end
        elif len(parent.children) > 2:  # noqa: PLR2004 - a pair
            end = parent.children[index + 2].start
    else:
        line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
        found = _LINE_END.search(text, end)
        if text[line_start:start].strip(" ") or key.line != node.line or found is None:
            raise refusal
        start, end = line_start, found.end()
    change = Change(place.document.index, place.path, node.line, start, end, node.value, None)
    return Edit(change, "", key.position, node.last + 1, ())


def apply(documents: Documents, edits: Sequence[Edit]) -> str:
    """The new text. Raises VerifyFailed when it does not read as exactly these edits, and nothing else."""
    text = documents.text
    expected = [list(document.events) for document in documents.items]
    limit = len(text)
    for edit in sorted(edits, key=lambda edit: (edit.change.start, edit.change.end), reverse=True):
        change = edit.change
        if change.end > limit:
            raise VerifyFailed(f"two changes overlap at {show(change.path)}: nothing was written")
        limit = change.start
        text = text[: change.start] + edit.text + text[change.end :]
        expected[change.document][edit.first : edit.last] = edit.events
    try:
        again = read_events(text, masked=documents.masked)
    except NotParsable as error:
        raise VerifyFailed(
            f"the changed file would not read any more, nothing was written: {error}"
        ) from None
    if again != expected:
        paths = ", ".join(show(edit.change.path) for edit in edits)
        raise VerifyFailed(
            f"reading the changed file again shows more than {paths} changed: nothing was written"
        )
    return text


def span(documents: Documents, place: Place) -> tuple[int, int]:
    """Where a scalar's own characters stand, without anchor and tag. Raises UnsupportedScalar."""
    node, text = place.node, documents.text
    where = f"{show(place.path)} (line {node.line})"
    if node.style in ("|", ">"):
        raise UnsupportedScalar(f"{where} is a block of text: write it as one quoted line")
    if node.tag not in _STRING_TAGS:
        raise UnsupportedScalar(f"{where} has the tag {node.tag}: only plain strings are changed")
    start, end = node.start, node.end
    if node.style is None and not node.value:
        return _empty_span(documents, place, where)
    while found := _PROPERTY.match(text, start, end):
        start = found.end()
    raw = text[start:end]
    if "\n" in raw or "\r" in raw:
        raise UnsupportedScalar(f"{where} goes over several lines: write it in one")
    if "{{" in raw:
        raise UnsupportedScalar(f"{where} is filled in by a template: pin the value that the template takes")
    return start, end


def check_number(value: str, where: str) -> str:
    """The value, a whole number. Raises BadReference."""
    if not INTEGER.fullmatch(value):
        raise BadReference(f"{where} takes a whole number, and {value!r} is none")
    return value


def key_of(mapping: Node, value: Node) -> Node | None:
    """The key of a value in a mapping; None in a sequence."""
    if mapping.kind == "mapping":
        for key, candidate in mapping.pairs():
            if candidate is value:
                return key
    return None


def _empty_span(documents: Documents, place: Place, where: str) -> tuple[int, int]:
    """After the colon of the key: the parser's own mark of an empty value may be lines away."""
    key = key_of(place.parent, place.node) if len(place.chain) > 1 else None
    if key is None or place.node.anchor is not None or place.node.tag is not None or key.kind != "scalar":
        raise UnsupportedScalar(f"{where} is empty: write a value there first")
    found = _COLON.match(documents.text, key.end)
    if found is None:
        raise UnsupportedScalar(f"{where} is empty and has no colon: write a value there first")
    return found.end(), found.end()


def _end_of_value(documents: Documents, key: Node, value: Node) -> int:
    """The end of a pair in one line, also where the value is empty."""
    if _is_empty(value):
        found = _COLON.match(documents.text, key.end)
        return found.end() if found else key.end
    return value.end


def _is_empty(node: Node) -> bool:
    """Whether nothing at all is written for a value."""
    return node.style is None and not node.value and node.anchor is None and node.tag is None


def _is_json(place: Place) -> bool:
    key = key_of(place.parent, place.node)
    return key is not None and key.style == '"'


def _why_no_scalar(documents: Documents, place: Place) -> str:
    node = place.node
    where = f"{show(place.path)} (line {node.line})"
    if documents.text.startswith("{{", node.start):
        return f"{where} is filled in by a template: pin the value that the template takes"
    return f"{where} is a {node.kind}, not a single value: point at one value in it"
