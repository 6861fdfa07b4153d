"""Reading and writing files of a local checkout, and nothing outside of it."""

from collections.abc import Mapping
from pathlib import Path

MAX_BYTES = 1_000_000


class Checkout:
    """A folder on this machine. What leaves it, symlinks, and files over 1 MB are not read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes | None:
        """A file's bytes, by its path from the root; None where there is no such plain file."""
        place = self._place(path)
        if place is None or not place.is_file() or place.stat().st_size > MAX_BYTES:
            return None
        return place.read_bytes()

    def policies(self) -> Mapping[str, str]:
        """The files of `policies/`: path → text; what is no UTF-8 becomes characters that YAML refuses."""
        files = sorted((self.root / "policies").glob("*.y*ml"))
        names = [f"policies/{file.name}" for file in files if file.suffix in {".yaml", ".yml"}]
        contents = {name: self.read(name) for name in names}
        return {
            name: data.decode("utf-8", errors="surrogateescape")
            for name, data in contents.items()
            if data is not None
        }

    def write(self, path: str, content: bytes) -> None:
        """Replace a file that `read` reads, in place, so that its mode stays. Raises OSError."""
        place = self._place(path)
        if place is None:
            raise FileNotFoundError(path)
        place.write_bytes(content)

    def _place(self, path: str) -> Path | None:
        """The place of a path, None where a step of it leaves the root or is a symlink."""
        place = self.root
        for part in path.split("/"):
            if part in {"", ".", ".."} or "\0" in part or (place := place / part).is_symlink():
                return None
        return place
