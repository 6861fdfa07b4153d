"""What is wrong in a file that a person wrote, where, and what would be right."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 200
"""More mistakes than this are not told: nobody reads them, and telling costs time."""

_LONGEST_PART = 60

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and indexes of lists, from the top of the file."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake; they sort by where they stand.

    `line` and `column` count from 1, in characters. `key` is the written path
    (`models.fraud.environments.staging.targets[0]`), empty for the file as a whole. `message` says
    what is wrong and `hint` what would be right, each without a full stop; `hint` may be empty.
    Both quote the file, so they are hostile text for whoever renders them.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str = ""


class ConfigError(Exception):
    """A file that Slipway cannot use; `mistakes` has all of them, in the order of the file."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(f"{m.file}:{m.line}:{m.column}: {m.message}" for m in self.mistakes))


def written(path: Path) -> str:
    """`("models", "a b", "targets", 0)` → `models."a b".targets[0]`; a very long key is shortened."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            part = shortened(part, _LONGEST_PART)  # noqa: PLW2901  # what is written of it
            plain = part.replace("-", "").replace("_", "").isalnum()
            text += ("." if text else "") + (part if plain else f'"{part}"')
    return text


def shortened(text: str, most: int) -> str:
    """At most so many characters of a text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
