"""The story's own small functions."""

from bot.sandbox.story import _first_words, _new


def test_the_first_words_are_what_a_reader_sees():
    """Hidden markers and Markdown signs are left out."""
    assert (
        _first_words("<!-- marker -->\nreviewer asked `/help`\n\n> **Not done**: no right\nmore")
        == "Not done**: no right"
    )


def test_only_new_comments_count():
    """A comment counts when it was not there before and has every word."""
    assert _new("Nothing was opened", set(), "nothing was opened")
    assert not _new("Nothing was opened", {"Nothing was opened"}, "nothing was opened")
    assert not _new("hello", set(), "hello", "world")
