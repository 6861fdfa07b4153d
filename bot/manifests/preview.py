"""What bumping all targets of an environment changes, and a diff of it."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bot.domain.target import Selector
from bot.manifests.bump import Target, bump_bytes
from bot.manifests.errors import NotFound
from bot.manifests.pin import Pin


@dataclass(frozen=True, slots=True)
class Edit:
    """A file before and after."""

    path: str
    old: bytes
    new: bytes


def edits(
    read: Callable[[str], bytes | None], targets: Iterable[Selector], pin: Callable[[Selector], Pin]
) -> tuple[Edit, ...]:
    """The files that change when each target gets its pin. Raises BumpError; then nothing is changed."""
    old: dict[str, bytes] = {}
    new: dict[str, bytes] = {}
    for selector in targets:
        candidates = selector.candidate_files()
        path = next((path for path in candidates if path in old or read(path) is not None), None)
        if path is None:
            raise NotFound(f"there is no file {' or '.join(candidates)}")
        if path not in old:
            old[path] = new[path] = read(path) or b""
        new[path] = bump_bytes(new[path], Target(selector, pin(selector))).data
    return tuple(Edit(path, old[path], new[path]) for path in old if old[path] != new[path])


def diff(edit: Edit) -> str:
    """A unified diff as `git apply` takes it; line ends stay as they are in the file."""
    old, new = _lines(edit.old), _lines(edit.new)
    lines = difflib.unified_diff(old, new, f"a/{edit.path}", f"b/{edit.path}")
    return "".join(_ended(lines))


def _lines(content: bytes) -> list[str]:
    """Lines end where git says so, at a line feed."""
    lines = content.decode().split("\n")
    ended = [f"{line}\n" for line in lines[:-1]]
    return ended + lines[-1:] if lines[-1] else ended


def _ended(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
