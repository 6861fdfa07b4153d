"""Hostile text → Markdown that shows it and does nothing else. The security boundary of all messages.

Whatever a person or a registry wrote (names, tags, descriptions, comments, reasons) goes through one of
these functions before it stands in a message; what comes out is a `Markdown`, and the layout functions
take nothing else. GitHub makes links of text *after* it has rendered Markdown, so a backslash does not
stop `@name`, `#12`, `GH-12`, `www.` or `:emoji:`; an invisible U+200B in the middle does.
"""

import re
import unicodedata
from typing import NewType
from urllib.parse import quote, urlsplit

Markdown = NewType("Markdown", str)
"""Text that is safe to put into a message."""

_BREAK = "\u200b"
_LONGEST_ADDRESS = 2_000
_PUNCTUATION = re.compile(r"([\\`*\[\]<>|~$&!{}^]|(?<![^\W_])_|_(?![^\W_]))")
_IN_BACKTICKS = re.compile(r"`([^`]+)`")
_LINKED = re.compile(r"[@#]|:(?=//|[\w+-]+:)|\bwww(?=\.)|\bGH-(?=[0-9])", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
# Marks that pile up on one letter until they cover the lines above.
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_MARKS = re.compile(f"({_MARK}{{3}}){_MARK}+")


def plain(value: str, limit: int = 200) -> str:
    """One line without control, invisible and direction-changing characters, cut to `limit` characters.

    For titles and as the first step of everything else; it is not yet Markdown.
    """
    cut = value[: limit * 8]
    visible = "".join(_visible(character) for character in cut)
    line = _SPACE.sub(" ", visible).strip()
    line = _MARKS.sub(r"\1", line)
    return line if len(line) <= limit and len(cut) == len(value) else f"{line[: limit - 1].rstrip()}…"


def quiet(value: str, limit: int = 200) -> str:
    """`plain`, and nobody is mentioned and no issue linked or closed: for titles and commit messages."""
    return _LINKED.sub(lambda match: match[0] + _BREAK, plain(value, limit))


def text(value: str, limit: int = 200) -> Markdown:
    """Prose on one line. What stands in a pair of backticks is shown as code, nothing else has a meaning."""
    parts = _IN_BACKTICKS.split(plain(value, limit))
    shown = [code(part) if index % 2 else _prose(part) for index, part in enumerate(parts)]
    return Markdown(_at_the_start("".join(shown)))


def _prose(line: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", _LINKED.sub(lambda match: match[0] + _BREAK, line))


def _at_the_start(line: str) -> str:
    """Escape what would make a list, a heading or a quote of a line."""
    line = re.sub(r"^[#+\-=:>]", r"\\\g<0>", line)
    return re.sub(r"^([0-9]+)([.)])(?=\s|$)", r"\1\\\2", line)


def code(value: str, limit: int = 200) -> Markdown:
    """A name or a value, in code style; nothing is a link in there. Safe in tables."""
    line = plain(value, limit)
    if not line:
        return Markdown("")
    if "|" in line:
        # In a table `|` ends the cell even in code, and `\|` shows its backslash elsewhere: the full-width
        # bar is the one character that shows the same everywhere.
        line = line.replace("|", "\uff5c")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or (line[0] == line[-1] == " ") else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def link(label: Markdown, url: str | None) -> Markdown:
    """The label, linked where the address is plain http(s)."""
    address = _address(url)
    return Markdown(f"[{label}]({address})") if address else label


def quoted(value: str, limit: int = 1_500, lines: int = 30) -> Markdown:
    """Prose of several lines as a block quote, each line kept."""
    whole = value[: limit * 8].replace("\r\n", "\n").replace("\r", "\n")
    kept: list[str] = []
    left = limit
    for line in whole.split("\n"):
        if left <= 0 or len(kept) == lines:
            kept.append("…")
            break
        shown = text(line, min(left, 500))
        left -= len(shown) + 1
        if shown or (kept and kept[-1]):
            kept.append(shown)
    while kept and not kept[-1]:
        kept.pop()
    return Markdown("\n".join(f"> {line}\\" if line else ">" for line in kept).removesuffix("\\"))


def fenced(value: str, language: str = "", limit: int = 10_000) -> Markdown:
    """Text of several lines as a code block; `language` is ours, never the text's author's."""
    cut = value[:limit].replace("\r\n", "\n").replace("\r", "\n")
    body = "\n".join("".join(_visible(c) if c != "\t" else c for c in line) for line in cut.split("\n"))
    if len(value) > limit:
        body += "\n…"
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", body)), default=0) + 1)
    return Markdown(f"{fence}{language}\n{body}\n{fence}")


def _visible(character: str) -> str:
    """The character, a space, or nothing, by its Unicode category."""
    category = unicodedata.category(character)
    if category in {"Zl", "Zp", "Zs"} or character in "\n\r\t\v\f\x85":
        return " "
    if category == "Cs":
        return "\ufffd"
    # Cc control, Cf format (direction marks, zero width, tags), Co private, Cn unassigned.
    return "" if category.startswith("C") else character


def _address(url: str | None) -> str | None:
    if not url or len(url) > _LONGEST_ADDRESS or any(unicodedata.category(c)[0] in "CZ" for c in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    return quote(url, safe="/:?#&=%+,;@~!-._")
