"""YAML that a person wrote → plain data that remembers where each value stands.

The events of libyaml are composed here, for four reasons: it is the parser that finds pins, so one
file never means two things; it is fast (14 ms for 200 models; ruamel.yaml needs 220 ms); reading can
stop at the first excess of depth or size; and every value keeps its line. Scalars mean what YAML 1.2
says (`on` and `yes` are text). Aliases and merge keys work, within a limit on what they expand to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from bot.domain.mistake import MOST, ConfigError, Mistake, Path, shortened, written

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
MAX_KEY = 500
MAX_TEXT = 10_000
MAX_VALUES = 250_000

Scalar = str | int | float | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]

# Everything that YAML forbids, and the line breaks that YAML knows and git does not.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?=[0-9.]+[.eE]|\.)(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(slots=True, eq=False)
class Node:
    """One value; `line` and `column` count from 1. `text` is a scalar as it is written, without quotes;
    `size` counts the values in it, aliases expanded.
    """

    line: int
    column: int
    value: "Scalar | list[Node] | dict[str, Entry]" = None
    text: str | None = None
    size: int = 1


@dataclass(slots=True, frozen=True, eq=False)
class Entry:
    """One key of a mapping, and its value."""

    line: int
    column: int
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One file: its text, its data, and where everything stands."""

    path: str
    text: str
    root: Node
    mistakes: tuple[Mistake, ...] = ()

    def plain(self) -> Plain:
        """The data as dict, list and scalars; what an alias repeats is one object."""
        return _plain(self.root, {})

    def at(self, path: Path, *, value: bool = False) -> tuple[int, int]:
        """Line and column of the key (or list item) at `path`, or of its value; where `path` leads
        nowhere, of its nearest parent.
        """
        node, place = self.root, (self.root.line, self.root.column)
        for part in path:
            if isinstance(node.value, dict) and part in node.value:
                entry = node.value[str(part)]
                node, place = entry.node, (entry.line, entry.column)
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                place = (node.line, node.column)
            else:
                return place
        return (node.line, node.column) if value else place

    def mistake(self, path: Path, message: str, hint: str = "", *, value: bool = False) -> Mistake:
        """A mistake that points to the key at `path`, or to its value."""
        line, column = self.at(path, value=value)
        return Mistake(self.path, line, column, written(path), message, hint)


def read(text: str, path: str) -> Document:
    """Compose one YAML document. Mistakes that do not hinder the rest stand in `.mistakes`
    (duplicate keys, tags); the others raise ConfigError.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise ConfigError([Mistake(path, 1, 1, "", "the file is over 1 MB", "split what it describes")])
    if bad := _FORBIDDEN.search(text):
        line, column = _place(text, bad.start())
        message = f"the character U+{ord(bad.group()):04X} is not allowed in YAML"
        raise ConfigError([Mistake(path, line, column, "", message, "remove it")])
    composer = _Composer(path)
    try:
        root = composer.compose(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax(error, text, path)]) from None
    return Document(path, text, root, tuple(composer.mistakes))


class _Composer:
    """Events → nodes, without recursion: depth is limited here and not by the interpreter's stack."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.mistakes: list[Mistake] = []
        self._anchors: dict[str, Node] = {}
        self._open: list[tuple[Node, list[Node]]] = [(Node(1, 1), [])]

    def compose(self, events: Iterator[yaml.Event]) -> Node:
        for event in events:
            match event:
                case yaml.DocumentStartEvent() if self._open[0][1]:
                    raise self._stop(event, "a second document begins here", "keep everything in one")
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    if len(self._open) > MAX_DEPTH:
                        raise self._stop(event, f"this is nested more than {MAX_DEPTH} levels deep")
                    self._open.append((self._node(event), []))
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    node, children = self._open.pop()
                    in_mapping = isinstance(event, yaml.MappingEndEvent)
                    node.value = self._mapping(children) if in_mapping else children
                    node.size += sum(child.size for child in children)
                    self._add(node, event)
                case yaml.ScalarEvent():
                    node = self._node(event)
                    node.text = event.value
                    plain = event.implicit[0]
                    node.value = resolve(event.value) if plain else event.value
                    if len(event.value) > MAX_TEXT:
                        raise self._stop(event, f"a text has at most {MAX_TEXT:,} characters")
                    self._add(node, event)
                case yaml.AliasEvent():
                    self._add(self._aliased(event), event)
        children = self._open[0][1]
        if not children:
            raise ConfigError([Mistake(self.path, 1, 1, "", "the file is empty")])
        return children[0]

    def _node(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> Node:
        node = Node(*_start(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if event.tag not in {None, "!"}:
            self._report(
                node,
                f"the tag `{shortened(event.tag, 60)}` is not read here",
                "remove it, and quote what is text",
            )
        return node

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(str(event.anchor))
        if node is None:
            raise self._stop(event, f"no anchor `&{shortened(str(event.anchor), 60)}` stands above")
        if any(node is unfinished for unfinished, _ in self._open):
            raise self._stop(event, f"`*{shortened(str(event.anchor), 60)}` would contain itself")
        return node

    def _add(self, node: Node, event: yaml.Event) -> None:
        if node.size > MAX_VALUES:
            message = f"this expands to more than {MAX_VALUES:,} values"
            raise self._stop(event, message, "use fewer aliases")
        self._open[-1][1].append(node)

    def _mapping(self, children: list[Node]) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        for key, node in zip(children[::2], children[1::2], strict=True):
            if key.text is None:
                self._report(key, "a key must be text")
            elif len(key.text) > MAX_KEY:
                # Pydantic repeats the way to a mistake in each one that it tells.
                self._report(key, f"a key has at most {MAX_KEY} characters")
            elif key.text == "<<":
                merged += node.value if isinstance(node.value, list) else [node]
            elif key.text in entries:
                first = entries[key.text].line
                self._report(
                    key,
                    f"the key `{shortened(key.text, 60)}` stands here twice",
                    f"the first is on line {first}",
                )
            else:
                entries[key.text] = Entry(key.line, key.column, node)
        for node in merged:
            if isinstance(node.value, dict):
                entries = {**node.value, **entries}
            else:
                self._report(node, "`<<` merges mappings only", "name an anchor of a mapping")
        return entries

    def _report(self, node: Node, message: str, hint: str = "") -> None:
        if len(self.mistakes) < MOST:
            self.mistakes.append(Mistake(self.path, node.line, node.column, "", message, hint))

    def _stop(self, event: yaml.Event, message: str, hint: str = "") -> ConfigError:
        return ConfigError([*self.mistakes, Mistake(self.path, *_start(event), "", message, hint)])


def resolve(text: str) -> Scalar:
    """What a plain scalar means in YAML 1.2's core schema; numbers of more than 18 digits stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None, "libyaml marks every event"
    return mark.line + 1, mark.column + 1


def _plain(node: Node, done: dict[int, Plain]) -> Plain:
    if id(node) not in done:
        if isinstance(node.value, dict):
            done[id(node)] = {key: _plain(entry.node, done) for key, entry in node.value.items()}
        elif isinstance(node.value, list):
            done[id(node)] = [_plain(child, done) for child in node.value]
        else:
            return node.value
    return done[id(node)]


def _syntax(error: yaml.MarkedYAMLError, text: str, path: str) -> Mistake:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    source = lines[line - 1] if line <= len(lines) else ""
    hint = ""
    if "\t" in source[: len(source) - len(source.lstrip())]:
        hint = "indent with spaces, not tabs"
    elif source.lstrip().startswith(("@", "`", "%")) or re.search(r":\s+[@`%{*&!]", source):
        hint = "put text that begins with a special character in quotes"
    problem = error.problem or error.context or "it cannot be read"
    return Mistake(path, line, column, "", f"this is not YAML: {problem}", hint)


def _place(text: str, index: int) -> tuple[int, int]:
    before = re.split(r"\r\n|\r|\n", text[:index])
    return len(before), len(before[-1]) + 1
