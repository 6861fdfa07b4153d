"""The lines of a Markdown comment that speak for themselves: plain text of a paragraph, from a line's start.

The comment is read as GitHub shows it. Left out is whatever is quoted, listed, tabled, code, linked,
emphasised from the line's start, struck out, escaped, or hidden in HTML.
"""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 65_536
"""GitHub keeps no longer comment."""

# Without text_join an escape (`\/promote`, `&#47;promote`) stays a token of its own, apart from text.
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")
_NEWLINE = re.compile(r"\r\n?|\n")
_QUOTING_TAG = re.compile(r"<(/?)(?:blockquote|pre|code|samp|s|del|strike)\b", re.IGNORECASE)
_BREAKS = frozenset({"softbreak", "hardbreak"})


def lines_that_speak(body: str) -> list[str]:
    """Every such line that starts with a slash, in order; nothing of a longer text than GitHub keeps."""
    source = _NEWLINE.split(body)
    if len(body) > LONGEST or not any(line.startswith("/") for line in source):
        return []
    found: list[str] = []
    depth = 0  # of HTML elements that quote or strike out what they hold
    block: Token | None = None
    for token in _MARKDOWN.parse(body):
        if token.type == "html_block":
            depth = _inside(depth, token.content)
        elif token.type == "inline":
            lines, depth = _lines(token.children or (), depth)
            if block is not None and block.map is not None and _is_paragraph(block):
                here = [line for line in source[slice(*block.map)] if line.startswith("/")]
                found += [line for line, start in lines if any(raw.startswith(start) for raw in here)]
        block = token
    return found


def _is_paragraph(block: Token) -> bool:
    """A paragraph of the comment itself; a line of dashes below (a mail's signature) makes it a heading."""
    return block.level == 0 and (block.type == "paragraph_open" or block.markup in ("-", "="))


def _inside(depth: int, html: str) -> int:
    for tag in _QUOTING_TAG.finditer(html):
        depth = max(0, depth - 1) if tag[1] else depth + 1
    return depth


def _lines(children: Iterable[Token], depth: int) -> tuple[list[tuple[str, str]], int]:
    """The lines of one block that start with a plain slash, each with its first run of plain text."""
    lines: list[tuple[str, str]] = []
    nesting = 0  # of links and emphasis that began on an earlier line
    fresh, speaks = True, False
    for child in children:
        if child.type in _BREAKS:
            fresh, speaks = True, False
            continue
        if child.type == "html_inline":
            depth = _inside(depth, child.content)
        if fresh:
            fresh = False
            speaks = child.type == "text" and nesting == depth == 0 and child.content.startswith("/")
            lines += [(child.content, child.content)] if speaks else []
        elif speaks:
            lines[-1] = (lines[-1][0] + _written(child), lines[-1][1])
        nesting += child.nesting
    return lines, depth


def _written(child: Token) -> str:
    """An inline token as somebody wrote it, without addresses and HTML."""
    if child.type == "code_inline":
        return f"{child.markup}{child.content}{child.markup}"
    if child.type in ("text", "text_special", "image"):
        return child.content
    return child.markup if child.nesting else ""
