"""From a path to the one node it means, or a refusal that says what stands in the way."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.manifests.documents import Document, Node, Path
from bot.manifests.errors import Ambiguous, BadReference, NotFound, SharedAnchor

_INDEX = re.compile(r"[0-9]{1,6}")
_SEGMENT = re.compile(
    r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^.\[\]"]+))|\[(?P<index>\d+)\]""", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a document, and the nodes on the way: the root first, the node at the path last.

    Aliases and merge keys are followed while looking; `check_not_shared` refuses what came that way.
    """

    document: Document
    path: Path
    chain: tuple[Node, ...]
    merged: Node | None = None

    @property
    def node(self) -> Node:
        return self.chain[-1]

    @property
    def parent(self) -> Node:
        return self.chain[-2]

    def child(self, segment: str | int) -> "Place | None":
        """The place one step down, None where nothing is there. Raises Ambiguous for a doubled key."""
        if self.node.kind == "sequence":
            index = segment if isinstance(segment, int) else int(segment) if _INDEX.fullmatch(segment) else -1
            inside = 0 <= index < len(self.node.children)
            return self._below(index, self.node.children[index]) if inside else None
        name = str(segment)
        found = values(self.node, name)
        if len(found) > 1:
            lines = " and ".join(str(node.line) for node in found[:10])
            raise Ambiguous(
                f"{show((*self.path, name))} stands more than once, in lines {lines}: readers "
                "disagree on which one counts, so leave only one"
            )
        if found:
            return self._below(name, found[0])
        merged = merged_value(self.node, name)
        if merged is None:
            return None
        place = self._below(name, merged)
        return replace(place, merged=place.merged or merged)

    def items(self) -> "Iterator[Place]":
        """The places of a sequence's items; nothing where this is no sequence."""
        if self.node.kind == "sequence":
            for index, node in enumerate(self.node.children):
                yield self._below(index, node)

    def text(self, name: str) -> str | None:
        """The text of a scalar under a key, the last one that counts; None where there is none."""
        found = values(self.node, name)
        node = resolve(found[-1]) if found else merged_value(self.node, name)
        return node.value if node is not None and node.kind == "scalar" else None

    def _below(self, segment: str | int, node: Node) -> "Place":
        return Place(self.document, (*self.path, segment), (*self.chain, resolve(node)), self.merged)


def resolve(node: Node) -> Node:
    """The node, or what it is an alias of."""
    return node.target if node.target is not None else node


def values(node: Node, name: str) -> list[Node]:
    """All values that a mapping itself has under a key."""
    if node.kind != "mapping":
        return []
    return [value for key, value in node.pairs() if key.kind == "scalar" and key.value == name]


def merged_value(node: Node, name: str) -> Node | None:
    """What a mapping gets for a key through its merge keys `<<`; None where they bring nothing."""
    waiting = _merged(node)
    seen = set()
    while waiting:
        source = waiting.pop(0)
        if id(source) in seen:
            continue
        seen.add(id(source))
        if found := values(source, name):
            return resolve(found[-1])
        waiting = _merged(source) + waiting
    return None


def _merged(node: Node) -> list[Node]:
    """The mappings that a mapping merges in, the strongest first."""
    sources: list[Node] = []
    for key, value in node.pairs() if node.kind == "mapping" else ():
        if key.kind == "scalar" and key.value == "<<" and key.style is None:
            merged = resolve(value)
            sources += map(resolve, merged.children if merged.kind == "sequence" else [merged])
    return sources


def root(document: Document) -> Place:
    """The place of a whole document."""
    return Place(document, (), (document.root,))


def descend(start: Place, path: Sequence[str | int]) -> Place:
    """Follow a path. Raises NotFound (with what is there instead), Ambiguous."""
    place = start
    for segment in path:
        below = place.child(segment)
        if below is None:
            raise NotFound(_what_is_there(place, segment))
        place = below
    return place


def try_descend(start: Place, path: Sequence[str | int]) -> Place | None:
    """Follow a path; None where it leads nowhere."""
    place: Place | None = start
    for segment in path:
        if place is None:
            return None
        place = place.child(segment)
    return place


def check_not_shared(place: Place) -> None:
    """Raise SharedAnchor when a change here would show in other places too, naming them all."""
    where = f"{show(place.path)} (line {place.node.line})"
    for node in place.chain:
        if node.aliases:
            users = [node, *node.aliases]
            told = ", ".join(
                f"{show(_path_to(place.document, user))} (line {user.line})" for user in users[:10]
            )
            raise SharedAnchor(
                f"{where} is shared by the anchor &{node.anchor}, which serves {told}: a change would "
                "show in all of them; write the value out where it should differ"
            )
    if place.merged is not None:
        raise SharedAnchor(
            f"{where} comes in through a merge key `<<` and is not written there itself: write it out "
            "where it should differ"
        )


def parse_path(path: str | Sequence[str | int]) -> Path:
    """Keys and indexes of `image.tag`, `servers[0].image` or `"key.with.dots".tag`. Raises BadReference."""
    if not isinstance(path, str):
        return tuple(path)
    segments: list[str | int] = []
    position = 0
    while position < len(path):
        if segments and path[position] == ".":
            position += 1
        elif segments and path[position] != "[":
            raise BadReference(f"the path `{path}` needs a dot at character {position + 1}")
        found = _SEGMENT.match(path, position)
        if found is None:
            raise BadReference(f"the path `{path}` is not understood from character {position + 1} on")
        if found["index"] is not None:
            segments.append(int(found["index"]))
        elif found["quoted"] is not None:
            segments.append(re.sub(r"\\(.)", r"\1", found["quoted"]))
        else:
            segments.append(found["bare"].strip())
        position = found.end()
    if not segments:
        raise BadReference("the path is empty")
    return tuple(segments)


def parse_pointer(pointer: str | Sequence[str | int]) -> Path:
    """Keys of a JSON Pointer (RFC 6901); indexes are told from keys by what is there. Raises BadReference."""
    if not isinstance(pointer, str):
        return tuple(pointer)
    if pointer and not pointer.startswith("/"):
        raise BadReference(f"a JSON Pointer starts with `/`: write `/{pointer}`")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def show(path: Sequence[str | int]) -> str:
    """A path as people write it: `spec.containers[0].image`."""
    shown = ""
    for segment in path:
        if isinstance(segment, int):
            shown += f"[{segment}]"
        else:
            key = segment if segment and not set(segment) & set('."[] ') else f'"{segment}"'
            shown += f".{key}" if shown else key
    return shown or "the whole document"


def _what_is_there(place: Place, segment: str | int) -> str:
    where = show(place.path)
    wanted = show((*place.path, segment))
    match place.node.kind:
        case "mapping":
            keys = [key.value for key, _ in place.node.pairs() if key.kind == "scalar"]
            near = difflib.get_close_matches(str(segment), keys, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(keys[:10]) or 'no keys'}"
            return f"{wanted} is not there (line {place.node.line}); {hint}"
        case "sequence":
            count = len(place.node.children)
            return f"{wanted} is not there: {where} (line {place.node.line}) has {count} items"
        case kind:
            return f"{wanted} is not there: {where} (line {place.node.line}) is a {kind}"


def _path_to(document: Document, wanted: Node) -> Path:
    """The path to a node, found by walking; only used to word a refusal."""
    waiting: list[tuple[Path, Node]] = [((), document.root)]
    while waiting:
        path, node = waiting.pop()
        if node is wanted:
            return path
        if node.kind == "mapping":
            waiting += [((*path, key.value), value) for key, value in node.pairs()]
            waiting += [((*path, key.value), key) for key, _ in node.pairs()]
        elif node.kind == "sequence":
            waiting += [((*path, index), child) for index, child in enumerate(node.children)]
    return ()
