"""Where a whole sandbox keeps its data."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder: another run of pytest takes its rights away from PostgreSQL's user.
    with tempfile.TemporaryDirectory(prefix="slipway-story-", ignore_cleanup_errors=True) as made:
        yield Path(made)
