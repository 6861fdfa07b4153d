"""Golden folders: `original/` and `expected/` for every kind of target; anyone can diff them."""

from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from bot.domain.target import Selector
from bot.manifests import Target, bump_bytes, find_bytes

GOLDEN = Path(__file__).parents[2] / "golden" / "pins"
CASES = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())


def load(case):
    """(target, original bytes, expected bytes) of a folder; the file is the one that the selector means."""
    told = yaml.safe_load((GOLDEN / case / "target.yaml").read_text())
    selector = TypeAdapter(Selector).validate_python(told["target"])
    names = {path.rpartition("/")[2] for path in selector.candidate_files()}
    (original,) = (GOLDEN / case / "original").iterdir()
    assert original.name in names
    return (
        Target(selector, told["pin"]),
        original.read_bytes(),
        (GOLDEN / case / "expected" / original.name).read_bytes(),
    )


@pytest.mark.parametrize("case", CASES)
def test_exactly_the_expected_bytes(case):
    """Bumping the original gives the expected file, byte for byte."""
    target, original, expected = load(case)

    assert bump_bytes(original, target).data == expected


@pytest.mark.parametrize("case", CASES)
def test_setting_it_again_changes_nothing(case):
    """Setting the value that it has is a no-op."""
    target, _, expected = load(case)
    again = bump_bytes(expected, target)

    assert (again.data, again.changes) == (expected, ())


@pytest.mark.parametrize("case", CASES)
def test_what_was_found_before_takes_it_back(case):
    """The pin that `find` read before restores what a reader gets, when the bump is still in place."""
    target, original, expected = load(case)
    baseline = find_bytes(original, target).pin
    told = "" if baseline is None else str(baseline)
    restored = bump_bytes(expected, Target(target.selector, told, expect=target.pin)).data

    assert find_bytes(restored, target).pin == baseline
    # A number that had to become a quoted string stays quoted, and the comment of a line that went is gone.
    assert restored.replace(b'"', b"") == original.replace(b'"', b"").replace(b"  # of v7", b"")


@pytest.mark.parametrize("case", CASES)
def test_changes_tell_the_places(case):
    """Every change names its line and the characters it replaced, and `find` names the same scalars."""
    target, original, _ = load(case)
    text = original.decode("utf-8-sig")
    changes = bump_bytes(original, target).changes
    sites = {(site.document, site.path): site for site in find_bytes(original, target).sites}

    assert changes
    for change in changes:
        assert text.count("\n", 0, change.start) + 1 == change.line
        if change.old and change.new is not None:
            assert change.old in text[change.start : change.end]
            assert sites[change.document, change.path].value == change.old
