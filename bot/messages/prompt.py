"""What changed in the text of a prompt."""

import difflib

from bot.domain.comparison import Comparison
from bot.messages.escape import Markdown, fenced
from bot.messages.layout import md

_LONGEST = 10_000
_AROUND = 5
"""Unchanged lines that are shown around each change."""


def changes(comparison: Comparison) -> Markdown:
    """A diff of the text; the whole text where there is no baseline; empty for a model."""
    new = comparison.candidate.prompt
    if new is None:
        return Markdown("")
    old = comparison.baseline.prompt if comparison.baseline is not None else None
    if old is None:
        return fenced(new, "text", _LONGEST)
    if old == new:
        return md("The text is the same.")
    changed = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=_AROUND)
    return fenced("\n".join(list(changed)[2:]), "diff", _LONGEST)
