"""The policies that Slipway ships: inside an installed wheel, or in the folder of the sources."""

from collections.abc import Mapping
from pathlib import Path

import bot

_PACKAGE = Path(bot.__file__).parent


def shipped_policies() -> Mapping[str, str]:
    """Path → text of each shipped policy."""
    inside = _PACKAGE / "_data" / "policies"
    folder = inside if inside.is_dir() else _PACKAGE.parent / "policies"
    return {f"policies/{file.name}": file.read_text("utf-8") for file in sorted(folder.glob("*.yaml"))}
