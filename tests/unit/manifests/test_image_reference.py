"""Image references agree with the reference implementation."""

import json

import pytest

from bot.manifests import BadReference, ImagePin, parse_reference

DIGEST = "sha256:" + "ab" * 32


def test_agrees_with_the_reference_implementation(shared_data):
    """Every recorded reference is read, or refused, as the distribution project's own parser does."""
    wrong = []
    for vector in json.loads((shared_data / "imageref_vectors.json").read_text()):
        try:
            found = parse_reference(vector["ref"])
            got = [found.registry, found.path, found.tag or "", found.digest or ""]
            assert str(found) == vector["ref"]
        except BadReference:
            got = None
        if got != vector["parse"]:
            wrong.append((vector["ref"], got))

    assert wrong == []


@pytest.mark.parametrize("text", [":v1", f"@{DIGEST}", f":v1@{DIGEST}", "a/b", f"a/b:v1@{DIGEST}"])
def test_a_pin_prints_what_it_was_read_from(text):
    """A pin, whole or in part, is stored as text and comes back the same."""
    assert str(ImagePin.parse(text)) == text


@pytest.mark.parametrize("text", [":", "@", ":v1@", ":v 1", "@sha256:12", "A:v1", "", "a:b:c", "x" * 3000])
def test_what_is_no_pin_is_refused(text):
    """Text that is neither a reference nor a part of one is a bad reference."""
    with pytest.raises(BadReference):
        ImagePin.parse(text)
