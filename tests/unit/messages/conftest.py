"""Golden files: a message beside the text that a reviewer has read and accepted."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden" / "messages"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with its golden file; `SLIPWAY_GOLDEN=write` writes what is new."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if os.environ.get("SLIPWAY_GOLDEN") == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n", encoding="utf-8")

        assert file.read_text(encoding="utf-8") == text + "\n"

    return compare
