"""A folder as one layer of an image: a gzipped tar that is the same for the same files.

Names in the order of their bytes, no dates, no owners, files 0644 and folders 0755, no date in gzip's
header. What a model's folder must not hold is refused: links and devices, names that leave the folder,
and names that mean "delete this" in a layer.
"""

import gzip
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from typing_extensions import Buffer

from bot.ports import Refused

SYSTEM = "the model's folder"
_LEVEL = 1
"""Weights hardly shrink; the time of a higher level buys next to nothing."""

_WHITEOUT = ".wh."
"""A name that begins with it deletes what lies below in the image."""

Written = Callable[[int], object]
"""Told how many bytes more were read."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer in a file. `diff_id` is the digest of the tar, `digest` and `size` are of the gzipped file."""

    file: Path
    digest: str
    diff_id: str
    size: int


def write_layer(folder: Path, inside: str, to: Path, written: Written | None = None) -> Layer:
    """Write `folder` as a layer that puts its files at `inside` (absolute, in the image).

    Raises Refused for what has no place in a layer.
    """
    with to.open("wb") as raw:
        packed = _Counted(raw)
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=packed, mtime=0) as zipped:
            plain = _Counted(zipped)
            with tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                root = inside.strip("/")
                tar.addfile(_folder(root))
                for path, found in _entries(folder):
                    _add(tar, f"{root}/{path}", found, written)
    return Layer(to, packed.digest, plain.digest, packed.size)


def _entries(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything in a folder by its path from there, parents first, in the order of the names' bytes."""
    for entry in sorted(os.scandir(folder), key=lambda found: os.fsencode(found.name)):
        name = _checked(entry)
        yield name, entry
        if entry.is_dir(follow_symlinks=False):
            for below, deeper in _entries(Path(entry.path)):
                yield f"{name}/{below}", deeper


def _checked(entry: os.DirEntry[str]) -> str:
    name = entry.name
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Refused(SYSTEM, f"the name {name!r} is not UTF-8") from None
    if name.startswith(_WHITEOUT):
        raise Refused(SYSTEM, f"the name {name!r} would delete files of the base image")
    mode = entry.stat(follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
        raise Refused(SYSTEM, f"{name!r} is {kind}; only files and folders go into an image")
    return name


def _add(tar: tarfile.TarFile, name: str, entry: os.DirEntry[str], written: Written | None) -> None:
    if entry.is_dir(follow_symlinks=False):
        tar.addfile(_folder(name))
        return
    with Path(entry.path).open("rb") as file:
        info = tarfile.TarInfo(name)
        info.size = os.fstat(file.fileno()).st_size
        info.mode = 0o644
        tar.addfile(info, _Read(file, written) if written is not None else file)


def _folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    info.mode = 0o755
    return info


class _Counted(io.RawIOBase):
    """Passes on what is written, and knows its digest and size."""

    def __init__(self, below: IO[bytes] | gzip.GzipFile) -> None:
        super().__init__()
        self._below = below
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"

    def write(self, data: Buffer) -> int:
        self._sha256.update(data)
        written = self._below.write(data)
        self.size += written
        return written


class _Read:
    """Passes on what is read, and tells how much it was."""

    def __init__(self, file: IO[bytes], told: Written) -> None:
        self._file = file
        self._told = told

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._told(len(data))
        return data
