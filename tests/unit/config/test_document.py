"""YAML with the place of every value."""

import time

import pytest

from bot.domain.document import MAX_DEPTH, Document, read, resolve
from bot.domain.mistake import ConfigError, Mistake


def refused(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as caught:
        read(text, "f.yaml")
    return caught.value.mistakes


def only(text: str) -> Mistake:
    (mistake,) = refused(text)
    return mistake


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1", 1), ("-7", -7), ("1.5", 1.5), ("1e3", 1000.0), ("true", True), ("False", False),
        ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("on", "on"), ("1:30", "1:30"), ("0x1f", "0x1f"), ("1_000", "1_000"), (".", "."),
        ("2026-01-01", "2026-01-01"), ("9" * 19, "9" * 19), ("99%", "99%"), (".inf", ".inf"), ("٣", "٣"),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(written: str, meant: object) -> None:
    """No word turns into a boolean, a date or a time behind a person's back."""
    actual = resolve(written)

    assert (meant, type(meant)) == (actual, type(actual))


def test_data_is_plain_and_quotes_make_text() -> None:
    """The data is what anybody expects of the file."""
    document = read('a: [1, "1", {b: ~}]\n"2": |\n  text\n3: x\n', "f.yaml")

    assert document.plain() == {"a": [1, "1", {"b": None}], "2": "text\n", "3": "x"}


def test_places_point_to_keys_items_and_values() -> None:
    """Lines and columns count from 1, in characters; a path that leads nowhere gives its nearest parent."""
    document = read("ä: {b: [x,\n  y]}\n", "f.yaml")

    assert document.at(("ä",)) == (1, 1)
    assert document.at(("ä", "b")) == (1, 5)
    assert document.at(("ä", "b"), value=True) == (1, 8)
    assert document.at(("ä", "b", 1)) == (2, 3)
    assert document.at(("ä", "b", 7)) == (1, 5)
    assert document.at(("ä", "missing", "deeper")) == (1, 1)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """Columns are those an editor shows."""
    assert read("\ufeffa: 1\n", "f.yaml").at(("a",)) == (1, 1)


def test_aliases_and_merge_keys_share_what_repeats() -> None:
    """An explicit key wins over a merged one, and an earlier mapping over a later one."""
    document = read(
        "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {<<: *a}\ne: *a\n", "f"
    )

    expected = {"c": {"x": 3, "y": 1, "z": 2}, "d": {"x": 1, "y": 1}, "e": {"x": 1, "y": 1}}
    plain = document.plain()

    assert isinstance(plain, dict)
    assert expected == {key: plain[key] for key in "cde"}


def test_every_duplicate_key_tag_and_strange_key_is_told_at_once() -> None:
    """Such mistakes do not hide what stands below them."""
    document: Document = read("a: 1\na: !x 2\n? [b]\n: 3\n<<: 4\n", "f.yaml")

    assert [(mistake.line, mistake.message) for mistake in sorted(document.mistakes)] == [
        (2, "the key `a` stands here twice"),
        (2, "the tag `!x` is not read here"),
        (3, "a key must be text"),
        (5, "`<<` merges mappings only"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("", 1, 1, "empty"),
        ("# only words\n", 1, 1, "empty"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("a: *b\n", 1, 4, "no anchor `&b`"),
        ("a: &a [*a]\n", 1, 8, "contain itself"),
        ("a: 1\nb: \x07\n", 2, 4, "U+0007"),
        ("a: \ud800\n", 1, 4, "U+D800"),
        ("a: 1\u2028b: 2\n", 1, 5, "U+2028"),
        ("a: b: c\n", 1, 5, "not YAML"),
        ("a: [\n", 2, 1, "not YAML"),
        (f"a: {'x' * 10_001}\n", 1, 4, "at most 10,000 characters"),
    ],
)
def test_what_cannot_be_read_at_all_is_told_with_its_place(
    text: str, line: int, column: int, part: str
) -> None:
    """One mistake, where it stands."""
    mistake = only(text)

    assert (line, column) == (mistake.line, mistake.column)
    assert part in mistake.message


def test_a_tab_is_called_a_tab() -> None:
    """The most frequent slip has a hint of its own."""
    assert only("a:\n\tb: 1\n").hint == "indent with spaces, not tabs"


def test_a_special_character_without_quotes_has_a_hint() -> None:
    """A template is text only in quotes."""
    assert "quotes" in only("a: @b\n").hint
    assert "quotes" in only("a: {tag: %x}\n").hint


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_at_once(opening: str) -> None:
    """A megabyte of brackets would take libyaml minutes; nobody waits for that."""
    begun = time.monotonic()

    mistake = only(opening * (900_000 // len(opening)))

    assert f"more than {MAX_DEPTH} levels" in mistake.message
    assert time.monotonic() - begun < 5


def test_an_alias_bomb_is_refused_at_once() -> None:
    """What aliases expand to is counted before it is expanded."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]

    assert "expands to more than" in only("\n".join(lines)).message


def test_a_merge_bomb_is_refused_at_once() -> None:
    """Merging is counted like any other expansion."""
    wide = ", ".join(f"k{i}: 1" for i in range(1000))

    assert (
        "expands to more than" in only(f"a: &a {{{wide}}}\nb: {{<<: [{', '.join(['*a'] * 1000)}]}}").message
    )


def test_more_than_a_megabyte_is_refused() -> None:
    """The cap comes before any parsing."""
    assert "over 1 MB" in only("#" * 1_000_001).message


def test_a_very_long_key_is_a_mistake() -> None:
    """It would stand in the way of every mistake below it, again and again."""
    (mistake,) = read(f"? {'x' * 501}\n: 1\n", "f.yaml").mistakes

    assert mistake.message == "a key has at most 500 characters"
