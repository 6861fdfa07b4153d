"""Text → documents: a tree of nodes that knows where every scalar stands.

libyaml's events are read, nothing is constructed: no tag makes an object, an alias stays an alias (so
that a bomb of aliases is as small as its text), depth and size are capped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bot.manifests.errors import NotParsable, TooLarge, UnsupportedScalar
from bot.manifests.templates import has_actions, mask

MAX_BYTES = 1024 * 1024
# What a file may come to when every alias is written out, in characters; bombs come to billions.
MAX_EXPANDED = 16 * MAX_BYTES
MAX_DEPTH = 200
# Line breaks to YAML 1.1 but not to Git, GitHub or editors: a diff would not show what changed.
_HIDDEN_BREAKS = re.compile("[\u0085\u2028\u2029]")

Path = tuple[str | int, ...]


@dataclass(slots=True, eq=False)
class Node:
    """A scalar, mapping, sequence or alias.

    `start` and `end` count characters of the text; `position` and `last` count the document's events from
    the node's first to its last one. A mapping's children are key, value, key, value, …. `aliases` are the
    aliases of this node, `target` is what an alias means.
    """

    kind: Literal["scalar", "mapping", "sequence", "alias"]
    start: int
    end: int
    line: int
    column: int
    position: int
    last: int
    value: str = ""
    tag: str | None = None
    anchor: str | None = None
    style: str | None = None
    flow: bool = False
    children: Sequence["Node"] = ()
    aliases: Sequence["Node"] = ()
    target: "Node | None" = None

    def pairs(self) -> Iterator[tuple["Node", "Node"]]:
        """(key, value) of a mapping."""
        return zip(self.children[::2], self.children[1::2], strict=True)


Event = tuple[str, str | None, str | None, str | None, bool]
"""(kind, tag, anchor, value, plain): all that a reader of YAML can know of an event."""

END: Event = ("end", None, None, None, True)


@dataclass(slots=True)
class Document:
    """One document of a file."""

    index: int
    root: Node
    events: list[Event]


@dataclass(slots=True)
class Documents:
    """All documents of a text. `masked` tells that it is a template, read on its mask."""

    text: str
    items: list[Document]
    masked: bool


def parse(text: str) -> Documents:
    """Read a text without its byte order mark. Raises TooLarge, NotParsable, UnsupportedScalar."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise TooLarge(f"the file is over {MAX_BYTES} bytes: split it, or keep pins in a file of their own")
    if found := _HIDDEN_BREAKS.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnsupportedScalar(
            f"line {line} holds the character U+{ord(found[0]):04X}, a line break to YAML but not to Git: "
            "remove it"
        )
    try:
        return Documents(text, _read(text), masked=False)
    except NotParsable:
        if not has_actions(text) or "\0" in text:
            raise
    return Documents(text, _read(mask(text)), masked=True)


def read_events(text: str, *, masked: bool) -> list[list[Event]]:
    """The events of each document and nothing else: enough to compare. Raises NotParsable."""
    documents: list[list[Event]] = []
    events: list[Event] = []
    for event in _events(mask(text) if masked else text):
        kind = type(event)
        if kind is ScalarEvent:
            events.append(("scalar", event.tag, event.anchor, event.value, not event.style))
        elif kind is MappingStartEvent:
            events.append(("mapping", event.tag, event.anchor, "", True))
        elif kind is SequenceStartEvent:
            events.append(("sequence", event.tag, event.anchor, "", True))
        elif kind is AliasEvent:
            events.append(("alias", None, None, event.anchor, True))
        elif kind is DocumentStartEvent:
            events = []
            documents.append(events)
        elif kind is not DocumentEndEvent:
            events.append(END)
    return documents


def _read(text: str) -> list[Document]:
    """The documents with their trees: `read_events` with a node for each event that starts one."""
    documents: list[Document] = []
    events: list[Event] = []
    anchors: dict[str, tuple[Node, list[Node]]] = {}
    open_nodes: list[tuple[Node, list[Node]]] = []
    weights: list[int] = [0]
    anchored: dict[Node, int] = {}
    for event in _events(text):
        kind = type(event)
        if kind is DocumentStartEvent:
            events, anchors = [], {}
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            node, _ = open_nodes.pop()
            node.end = event.end_mark.index
            node.last = len(events)
            events.append(END)
            weight = weights.pop()
            weights[-1] += weight
            if node.anchor is not None:
                anchored[node] = weight
        elif kind is not DocumentEndEvent:
            node = _node(event, kind, len(events), anchors)
            events.append((node.kind, node.tag, node.anchor, node.value, node.style is None))
            if open_nodes:
                open_nodes[-1][1].append(node)
            else:
                documents.append(Document(len(documents), node, events))
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                children: list[Node] = []
                node.children = children
                open_nodes.append((node, children))
                weights.append(1)
                if len(open_nodes) > MAX_DEPTH:
                    raise NotParsable(f"line {node.line}: nested deeper than {MAX_DEPTH} levels")
            else:
                weights[-1] += len(node.value) + 1 if node.target is None else _weight(node.target, anchored)
                if weights[-1] > MAX_EXPANDED:
                    raise TooLarge(
                        f"line {node.line}: written out, the aliases make the file too large to read"
                    )
    return documents


def _weight(target: Node, anchored: Mapping[Node, int]) -> int:
    return len(target.value) + 1 if target.kind == "scalar" else anchored.get(target, 1)


def _events(text: str) -> Iterator[Any]:
    """What libyaml tells between the start and the end of the stream. Raises NotParsable."""
    try:
        parser = CParser(text)
        parser.get_event()
        while type(event := parser.get_event()) is not StreamEndEvent:
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise NotParsable(f"the file is not valid YAML: {place}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise NotParsable(f"the file is not valid YAML: {str(error).splitlines()[0]}") from None
    except UnicodeEncodeError:
        raise NotParsable("the text holds half of a surrogate pair, which is no character") from None


def _node(event: Any, kind: type, position: int, anchors: dict[str, tuple[Node, list[Node]]]) -> Node:
    start = event.start_mark
    node = Node("scalar", start.index, event.end_mark.index, start.line + 1, start.column, position, position)
    if kind is AliasEvent:
        node.kind, node.value = "alias", event.anchor
        if node.value not in anchors:
            raise NotParsable(f"line {node.line}: the alias *{node.value} has no anchor before it")
        node.target, aliases = anchors[node.value]
        aliases.append(node)
        return node
    node.tag, node.anchor = event.tag, event.anchor
    if node.anchor is not None:
        aliases = []
        node.aliases = aliases
        anchors[node.anchor] = (node, aliases)
    if kind is ScalarEvent:
        node.value = event.value
        node.style = event.style or None
    else:
        node.kind = "mapping" if kind is MappingStartEvent else "sequence"
        node.flow = bool(event.flow_style)
    return node
