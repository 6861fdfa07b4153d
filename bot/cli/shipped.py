"""The policies that Slipway ships: inside an installed wheel, or in the folder of the sources."""

from collections.abc import Mapping
from pathlib import Path

import bot

_PACKAGE = Path(bot.__file__).parent


def policies() -> Mapping[str, str]:
    """Name → text of each shipped policy."""
    inside = _PACKAGE / "_data" / "policies"
    folder = inside if inside.is_dir() else _PACKAGE.parent / "policies"
    return {file.stem: file.read_text("utf-8") for file in sorted(folder.glob("*.yaml"))}
