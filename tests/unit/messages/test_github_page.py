"""The page about GitHub says what the code does."""

from pathlib import Path

import pytest

from bot.domain.commands import USAGES
from bot.messages import check
from bot.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "github.md").read_text()


@pytest.mark.parametrize("usage", USAGES.values())
def test_every_command_stands_on_the_page(usage):
    """As `/help` writes it."""
    assert f"| `{usage.replace('|', chr(92) + '|')}` |" in PAGE


@pytest.mark.parametrize("name", [check.GATES, check.CANARY, "SLIPWAY_MODEL_SCOPES"])
def test_what_people_configure_is_named_as_it_is(name):
    """Checks for rules of a branch, settings for whoever runs it."""
    assert f"`{name}`" in PAGE
    assert "model_scopes" in Settings.model_fields
