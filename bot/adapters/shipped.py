"""Files that ship with Slipway: its policies and the template of a GitOps repository."""

from collections.abc import Mapping
from pathlib import Path

import bot


def folder(name: str) -> Path:
    """The shipped folder `policies` or `gitops-repo-template`: in the wheel, else in the source tree."""
    package = Path(bot.__file__).parent
    packed = package / "_data" / name
    return packed if packed.is_dir() else package.parent / name


def policies() -> Mapping[str, str]:
    """The shipped policies: `policies/NAME.yaml` → text."""
    return {f"policies/{file.name}": file.read_text() for file in sorted(folder("policies").glob("*.yaml"))}
