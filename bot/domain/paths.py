"""Paths inside the GitOps repository: which ones may be named at all.

A path that could leave the repository, or mean another file than it says, is refused before anything
is read. Symlinks are refused by whoever reads, because only the reader can see them.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

MAX_LENGTH = 1024
_DRIVE = re.compile(r"[A-Za-z]:")


def safe_path(path: str) -> str:
    """The path as it is compared and read: no `./`, no doubled or final slash.

    Raises ValueError, with a sentence for the person, for an absolute path, `..`, a backslash, a
    control or format character, anything below `.git`, and for more than 1,024 characters.
    """
    if len(path) > MAX_LENGTH:
        raise ValueError(f"a path has at most {MAX_LENGTH} characters")
    if not path.isprintable():
        raise ValueError("a path has no control characters or odd spaces")
    if "\\" in path:
        raise ValueError("a path is written with `/`, also on Windows")
    if path.startswith(("/", "~")) or _DRIVE.match(path):
        raise ValueError("a path starts at the root of the repository: write it without the leading part")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("a path stays inside the repository: `..` is not allowed")
    if any(part.lower() == ".git" for part in parts):
        raise ValueError("a path never goes into `.git`")
    return "/".join(parts)


def _file_path(path: str) -> str:
    cleaned = safe_path(path)
    if not cleaned:
        raise ValueError("a file is named here, and this path names none")
    return cleaned


FolderPath = Annotated[str, AfterValidator(safe_path)]
"""A folder or file, from the repository's root; empty (or `.`) is the root itself."""

FilePath = Annotated[str, AfterValidator(_file_path)]
"""A file, from the repository's root."""
