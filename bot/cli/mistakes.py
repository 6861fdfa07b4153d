"""Mistakes printed for a person, for a program, and for GitHub Actions."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import StrEnum

import typer

from bot.domain.mistake import Mistake

Read = Callable[[str], bytes | None]


class Format(StrEnum):
    """How mistakes are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def render(mistakes: Sequence[Mistake], output: Format, read: Read, prefix: str = "") -> str:
    """All mistakes in one of the formats.

    `read` gives the bytes of the files for quoting the line; `prefix` is put before each file's name, so
    that it is right from where the command was started.
    """
    if output is Format.JSON:
        told = [{**asdict(mistake), "file": prefix + mistake.file} for mistake in mistakes]
        return json.dumps({"ok": not mistakes, "mistakes": told}, indent=2, ensure_ascii=False)
    if output is Format.GITHUB:
        return "\n".join(_annotation(mistake, prefix) for mistake in mistakes)
    lines: dict[str, list[str]] = {}
    for file in {mistake.file for mistake in mistakes}:
        text = (read(file) or b"").decode("utf-8-sig", errors="replace")
        lines[file] = re.split(r"\r\n|\r|\n", text)
    return "\n\n".join(_paragraph(mistake, lines[mistake.file], prefix) for mistake in mistakes)


def _paragraph(mistake: Mistake, lines: Sequence[str], prefix: str) -> str:
    place = f"{prefix}{mistake.file}:{mistake.line}:{mistake.column}"
    told = [f"{typer.style(_printable(place), bold=True)}: {_printable(mistake.message)}"]
    source = _printable(lines[mistake.line - 1]) if mistake.line <= len(lines) else ""
    if source.strip():
        number = str(mistake.line)
        margin = " " * len(number)
        start = min(mistake.column - 1, len(source))
        caret = " " * start + typer.style("^" * _width(source[start:]), fg="red", bold=True)
        told += [f"{margin} |", f"{number} | {source}", f"{margin} | {caret}"]
    if mistake.hint:
        told.append(f"  = {_printable(mistake.hint)}")
    return "\n".join(told)


def _width(rest: str) -> int:
    """How many characters the word, quoted text or bracket at the place has."""
    matched = re.match(r'"[^"]*"|\'[^\']*\'|[\w./%-]+', rest)
    return len(matched[0]) if matched else 1


def _annotation(mistake: Mistake, prefix: str) -> str:
    """A workflow command: GitHub shows it on the line of the changed file."""
    place = f"file={_property(prefix + mistake.file)},line={mistake.line},col={mistake.column}"
    told = f"{mistake.message}; {mistake.hint}" if mistake.hint else mistake.message
    return f"::error {place},title={_property(mistake.key or mistake.file)}::{_data(told)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _printable(text: str) -> str:
    """Text of a file never steers the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
