"""What a person reads."""

import io
import re

import pytest

from bot.sandbox import narration
from bot.sandbox.narration import Narration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_has_no_escapes():
    """Without a terminal every line is plain text."""
    stream = io.StringIO()
    told = Narration(stream)

    told.chapter("A chapter")
    told.link("MLflow", "http://127.0.0.1:1")
    with told.doing("something short"):
        pass
    told.failure("a reason")

    assert "\033" not in stream.getvalue()
    assert re.sub(r"\(.*\)", "(t)", stream.getvalue()) == (
        "\nA chapter\n  MLflow         http://127.0.0.1:1\n  ✓ something short (t)\n  ✗ a reason\n"
    )


def test_what_fails_is_marked():
    """Something that ends in an exception is not ticked off."""
    stream = io.StringIO()

    with pytest.raises(KeyError), Narration(stream).doing("something"):
        raise KeyError

    assert stream.getvalue().startswith("  ✗ something")


@pytest.mark.parametrize("stream_type", [io.StringIO, Terminal])
def test_long_things_show_that_they_go_on(monkeypatch, stream_type):
    """Whatever takes over a second says so while it lasts, in place on a terminal."""
    monkeypatch.setattr(narration, "PLAIN_PAUSE", 0.05)
    monkeypatch.setattr(narration, "LIVE_PAUSE", 0.05)
    stream = stream_type()

    with Narration(stream).doing("a long thing"):
        while "…" not in stream.getvalue():
            pass

    assert ("\r\033[K" in stream.getvalue()) is (stream_type is Terminal)
