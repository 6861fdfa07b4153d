"""Promises of the pin engine with "always" and "never" in them."""

import io

import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.domain.target import ContainerImage, HelmValues, KustomizeImage, Pointer
from bot.manifests import BumpError, Target, bump, bump_bytes, find, find_bytes, parse_reference

SELECTORS = (
    Pointer(file="a.yaml", pointer="/a/0/b", insert=True),
    Pointer(file="a.yaml", pointer="/image"),
    HelmValues(helm="a.yaml", path="image", insert=True),
    KustomizeImage(kustomize="a.yaml", image="x", insert=True),
    ContainerImage(file="a.yaml", container="x"),
)
PIECES = (
    "a", "b", "image", "images", "name", "newTag", "digest", "x", "x:1", "v1", ": ", ":", "- ", "\n", "\n  ", "\r\n", "{", "}",
    "[", "]", ",", "&a ", "*a", "<<", "!!str ", "!x ", "|\n", ">-\n", "'", '"', "#", " # c", "---\n", "...\n", "{{", "}}",
    "{{ if x }}\n", "\t", "\ufeff", "\u2028", "é", "😀", "? ", "%YAML 1.1\n", "~", "1", "\0", "containers", "spec",
)  # fmt: skip
YAML_LIKE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
VALUES = st.text(st.characters(codec="utf-8"), max_size=30) | st.lists(
    st.sampled_from(PIECES), max_size=5
).map("".join)


LINES = st.sampled_from([
    "", "# image: v0", "a: 1", "b: [x, {image: v0}]", "c:", "- x", "d: &d v0", "e: *d", "f: {<<: *m}", "m: &m {image: v0}", "g: |",
    "  text: v0", "h: 'it''s'", 'i: "\\u263a"', "? j", ": k", "image: v3", "n: !!str 1", "'image2': v0", "o: >-", "---", "é: 😀",
])  # fmt: skip
IMAGES = st.sampled_from(
    ["v0", "'v0'", '"v0"', "~", "", "&i v0", "!!str v0", "1.9 # c", "'' ", "x:1\t", "|\n  v0", "v\n  0", "*d"]
)
FILES = st.builds(
    lambda before, image, after, line_break: line_break.join([*before, f"image: {image}", *after]),
    st.lists(LINES, max_size=6),
    IMAGES,
    st.lists(LINES, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
)


def leaves(data, path=()):
    """(path, value) of every leaf, as another parser reads them."""
    if isinstance(data, dict):
        return {leaf for key, value in data.items() for leaf in leaves(value, (*path, key))}
    if isinstance(data, list):
        return {leaf for index, value in enumerate(data) for leaf in leaves(value, (*path, index))}
    return {(path, repr(data))}


def attempt(function, *arguments):
    """(result, None), or (None, code of the refusal): nothing else ever comes out."""
    try:
        return function(*arguments), None
    except BumpError as error:
        return None, error.code


@given(st.binary(max_size=200) | YAML_LIKE.map(lambda text: text.encode("utf-8", "surrogatepass")), VALUES)
def test_any_bytes_give_a_result_or_a_typed_error(data, value):
    """Any bytes at all: a result or a typed error, never another exception, never partial output."""
    for selector in SELECTORS:
        done, code = attempt(bump_bytes, data, Target(selector, value))

        assert code is not None or bool(done.changes) == (done.data != data)


@given(YAML_LIKE)
def test_reading_gives_a_result_or_a_typed_error(text):
    """Finding a pin never raises anything but the errors of this room."""
    for selector in SELECTORS:
        found, code = attempt(find_bytes, text.encode("utf-8", "surrogatepass"), selector)

        assert (found is None) == (code is not None)


@example("0?", "", "\n", True)  # noqa: FBT003 - as the strategy gives it
@given(VALUES, st.sampled_from(["", "'", '"']), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_value_never_adds_a_node(value, quote, line_break, flow):
    """Values with line breaks, `: `, ` #`, quotes or template braces never add a node: exactly one leaf changes."""
    body = f"image: {quote}old{quote}"
    lines = ["# top", "first: 1", f"{{{body}, z: [1]}}" if flow else body, "last: {a: b}"]
    text = line_break.join(lines if not flow else [lines[0], lines[2]])
    before = yaml.safe_load(text)
    done, code = attempt(bump, text, Target(Pointer(file="a.yaml", pointer="/image"), value))

    assert code == ("unsupported_scalar" if no_pin_may_hold(value) else None)
    if done is None:
        return
    assert yaml.safe_load(done.text) == before | {"image": value}
    assert YAML(typ="safe", pure=True).load(io.StringIO(done.text)) == before | {"image": value}


def no_pin_may_hold(value):
    """Nothing, more than one line of printable text, template braces."""
    return not value or not value.isprintable() or "{{" in value or "}}" in value


@given(FILES, st.sampled_from(["v2", "1.10", "x: y", "a/b:v1 # c", "on", "'", '"']))
def test_exactly_one_leaf_changes(text, value):
    """Whatever the file, a change is visible to another parser as exactly one leaf, or none was made."""
    selector = Pointer(file="a.yaml", pointer="/image", document=0)
    done, _ = attempt(bump, text, Target(selector, value))
    if done is None:
        return
    try:
        before = next(yaml.load_all(text, yaml.CSafeLoader))
    except yaml.YAMLError:
        return
    after = next(yaml.load_all(done.text, yaml.CSafeLoader))
    gone, new = leaves(before) - leaves(after), leaves(after) - leaves(before)

    assert new <= {(("image",), repr(value))}
    assert all(path == ("image",) for path, _ in gone)
    for change in done.changes:
        body = text.removeprefix("\ufeff")
        assert done.text.removeprefix("\ufeff").startswith(body[: change.start])
        assert done.text.endswith(body[change.end :])


@given(FILES | YAML_LIKE, st.sampled_from(["v2", "x:2", "1.10"]))
def test_bumping_twice_is_bumping_once(text, value):
    """Setting the value that it has is always a no-op."""
    for selector in SELECTORS:
        done, _ = attempt(bump, text, Target(selector, value))
        if done is not None:
            again = bump(done.text, Target(selector, value))

            assert (again.text, again.changes) == (done.text, ())


@given(FILES, st.sampled_from(["v2", "x:2", "1.10"]))
def test_a_bump_can_always_be_taken_back(text, value):
    """What was pinned before a bump is pinned again after taking it back; only its quotes may differ."""
    selector = Pointer(file="a.yaml", pointer="/image", document=0)
    done, _ = attempt(bump, text, Target(selector, value))
    if done is None or not done.changes:
        return
    (change,) = done.changes
    old = find(text, selector).pin or ""
    restored = bump(done.text, Target(selector, old, expect=value)).text
    body = text[change.end :]

    assert (find(restored, selector).pin or "") == old
    assert restored.startswith(text[: change.start])
    assert restored.endswith(body)


@given(st.text(max_size=80))
def test_a_reference_always_prints_as_it_was_read(text):
    """Reading a reference gives that very text back, or a typed error."""
    found, code = attempt(parse_reference, text)

    assert code == "bad_reference" if found is None else str(found) == text
