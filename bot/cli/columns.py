"""Tables as plain text, for a terminal."""

from collections.abc import Iterator, Sequence


def columns(rows: Sequence[Sequence[str]], align: str = "") -> Iterator[str]:
    """One line a row, two spaces in; `align` has `r` for each column of numbers, `l` for the others."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = align.ljust(len(widths), "l")
    for row in rows:
        cells = zip(row, widths, sides, strict=True)
        yield (
            "  "
            + "  ".join(
                f"{cell:>{width}}" if side == "r" else f"{cell:<{width}}" for cell, width, side in cells
            ).rstrip()
        )
