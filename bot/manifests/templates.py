"""Helm templates: text that becomes YAML only after Go's templates ran.

Such a file is read on a mask of the same length, so that every position stays true: a line that holds
nothing but template actions becomes a comment, an action inside a line becomes a word.
"""

import re
from collections.abc import Iterator

_NOT_A_BREAK = re.compile(r"[^\r\n]")
# Stands for a masked character while lines are told apart; no file that is parsed holds it.
_MASKED = "\0"


def has_actions(text: str) -> bool:
    """Whether there is anything for Go's templates to do."""
    return "{{" in text


def mask(text: str) -> str:
    """The text with template actions made harmless, character for character. It holds no NUL before."""
    hidden = "".join(_hide_actions(text))
    # Blanks stay: in a block of text the comment has to keep the block's indentation.
    lines = (
        line.replace(_MASKED, "#") if _MASKED in line and not line.replace(_MASKED, "").strip() else line
        for line in hidden.splitlines(keepends=True)
    )
    return "".join(lines).replace(_MASKED, "x")


def _hide_actions(text: str) -> Iterator[str]:
    """The text in pieces; one that is opened and never closed stays as it is."""
    position = 0
    while (start := text.find("{{", position)) >= 0 and (end := text.find("}}", start)) >= 0:
        yield text[position:start]
        position = end + 2
        yield _NOT_A_BREAK.sub(_MASKED, text[start:position])
    yield text[position:]
