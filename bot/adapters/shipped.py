"""Files that ship with Slipway: its policies and the template of a GitOps repository."""

from collections.abc import Mapping
from pathlib import Path

import bot


def folder(name: str) -> Path:
    """The shipped folder `policies` or `gitops-repo-template`: in the wheel, else in the source tree."""
    package = Path(bot.__file__).parent
    packed = package / "_data" / name
    return packed if packed.is_dir() else package.parent / name


def template() -> dict[str, bytes]:
    """Path → bytes of every file of the template of a GitOps repository."""
    root = folder("gitops-repo-template")
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def policies() -> Mapping[str, str]:
    """The shipped policies: `policies/NAME.yaml` → text."""
    return {f"policies/{file.name}": file.read_text() for file in sorted(folder("policies").glob("*.yaml"))}
