"""Markdown built from safe parts: templates, tables, folds, and the size that GitHub accepts."""

from collections.abc import Iterable, Sequence

from bot.messages.escape import Markdown

LARGEST = 65_536
"""GitHub refuses a longer body. It counts characters; here those outside the basic plane count twice."""

_RESERVE = 400


def md(template: str, *parts: Markdown | int) -> Markdown:
    """Our own words with safe parts in the places of `{}`."""
    return Markdown(template.format(*parts))


def lines(*parts: Markdown | None) -> Markdown:
    """One below the other; None is left out."""
    return Markdown("\n".join(part for part in parts if part is not None))


def paragraphs(*parts: Markdown | None) -> Markdown:
    """With an empty line between; None and empty are left out."""
    return Markdown("\n\n".join(part for part in parts if part))


def join(separator: str, parts: Iterable[Markdown]) -> Markdown:
    return Markdown(separator.join(parts))


def table(header: Sequence[str], rows: Iterable[Sequence[Markdown]], align: str = "") -> Markdown:
    """A table; `align` has `r` for each column of numbers, `l` for the others."""
    marks = ["---:" if side == "r" else "---" for side in align.ljust(len(header), "l")]
    written = [list(header), marks, *rows]
    return Markdown("\n".join("| " + " | ".join(row) + " |" for row in written))


def long_table(header: Sequence[str], rows: Sequence[Sequence[Markdown]], room: int = 50_000) -> Markdown:
    """A table with as many rows as there is room for, and how many more there are."""
    shown = []
    for row in rows:
        room -= size(" | ".join(row)) + 5
        if room < 0:
            break
        shown.append(row)
    more = len(rows) - len(shown)
    return paragraphs(table(header, shown), md("_And {} more._", more) if more else None)


def cut_after(most: int, rows: Markdown, count: int) -> Markdown:
    """A table of the first `most` rows, and that there are `count`."""
    return md("{}\n\n_The first {} of {}._", rows, most, count) if count > most else rows


def folded(summary: str, body: Markdown) -> Markdown:
    """Details that open on a click; `summary` is our own words."""
    return Markdown(f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>")


def size(body: str) -> int:
    """Characters, as the strictest reader of the limit would count them."""
    return len(body.encode("utf-16-le")) // 2


def fit(
    needed: Sequence[Markdown], details: Sequence[Markdown], footer: Markdown, limit: int = LARGEST
) -> Markdown:
    """What is needed, as many details as there is room for, a word on those left out, the footer."""
    kept = [part for part in needed if part]
    left_out = 0
    for part in details:
        if part and size(paragraphs(*kept, part, footer)) <= limit - _RESERVE:
            kept.append(part)
        elif part:
            left_out += 1
    if left_out:
        kept.append(
            md("_Too long for this page and left out: {} sections. The registry has them._", left_out)
        )
    return paragraphs(*kept, footer)
