"""What cannot be changed safely is refused with a stable code, and nothing is written."""

import pytest
from pydantic import TypeAdapter

from bot.domain.target import Pointer, Selector
from bot.manifests import BumpError, ImagePin, Target, bump, bump_bytes, find

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32


def refusal(text, entry, pin, expect=None):
    """The refusal of a bump that must not happen."""
    selector = TypeAdapter(Selector).validate_python(entry)
    with pytest.raises(BumpError) as caught:
        bump(text, Target(selector, pin, expect))
    assert str(caught.value)
    return caught.value


def at(pointer, **more):
    return {"file": "any.yaml", "pointer": pointer, **more}


@pytest.mark.parametrize(
    ("text", "entry", "pin", "code"),
    [
        ("a: b\n", at("/c"), "v2", "not_found"),
        ("a: b\n", at("a"), "v2", "bad_reference"),
        ("a: [b]\n", at("/a/1"), "v2", "not_found"),
        ("a: [b]\n", at("/a"), "v2", "unsupported_scalar"),
        ("a: v1\n---\na: v1\n", at("/a"), "v2", "ambiguous"),
        ("a: v1\n", at("/a", document=1), "v2", "not_found"),
        ("a: v1\n", at("/a"), "", "unsupported_scalar"),
        ("a: v1\n", at("/a"), "{{ .Values.x }}", "unsupported_scalar"),
        ("a: !vault v1\n", at("/a"), "v2", "unsupported_scalar"),
        ("a: !!int 1\n", at("/a"), "v2", "unsupported_scalar"),
        ("- \n- b\n", at("/0"), "v2", "unsupported_scalar"),
        ("x: &x {a: v1}\ny: *x\n", at("/x/a"), "v2", "shared_anchor"),
        ("x: &x {a: v1}\ny: *x\n", at("/y/a"), "v2", "shared_anchor"),
        ("x: &x {a: v1}\ny: {<<: *x}\n", at("/y/a"), "v2", "shared_anchor"),
        ("x: &x {a: v1}\ny: {<<: [*x, {b: c}]}\n", at("/y/a"), "v2", "shared_anchor"),
        ("y: {<<: {a: v1}}\n", at("/y/a"), "v2", "shared_anchor"),
        ("x: &x {a: v1}\ny: {<<: *x}\n", at("/y/c"), "v2", "not_found"),
        ("a: *nowhere\n", at("/a"), "v2", "not_parsable"),
        ("a: \x00\n", at("/a"), "v2", "not_parsable"),
        ("a: \ud800\n", at("/a"), "v2", "not_parsable"),
        ("a: [\n", at("/a"), "v2", "not_parsable"),
        ("[" * 5000, at("/a"), "v2", "not_parsable"),
        ("a: v1 #" + "x" * 1_048_576, at("/a"), "v2", "too_large"),
        ("a: 'v\n  1'\n", at("/a"), "v2", "unsupported_scalar"),
        ("images: [{name: x, newTag: v1}]\n", {"kustomize": "k", "image": "y"}, "x:v2", "not_found"),
        (
            "images: [{name: x, newTag: v1}]\n",
            {"kustomize": "k", "image": "x"},
            f"x:v2@{DIGEST}",
            "not_found",
        ),
        ("images: [{name: x, newTag: v1}]\n", {"kustomize": "k", "image": "x"}, "other:v2", "not_found"),
        ("images: [{name: x, newTag: v1}]\n", {"kustomize": "k", "image": "x"}, "x/y", "bad_reference"),
        ("images: [{name: x}, {name: x}]\n", {"kustomize": "k", "image": "x"}, "x:v2", "ambiguous"),
        ("resources: []\n", {"kustomize": "k", "image": "x"}, "x:v2", "not_found"),
        ("image: {tag: v1}\n", {"helm": "v.yaml", "path": "image"}, f":v2@{DIGEST}", "not_found"),
        (
            "image: {tag: v1, digest: ''}\n",
            {"helm": "v.yaml", "path": "image"},
            f"@{DIGEST}",
            "bad_reference",
        ),
        ("image: {tag: v1}\n", {"helm": "v.yaml", "path": "image..tag"}, ":v2", "bad_reference"),
        ("image: nothing/\n", {"helm": "v.yaml", "path": "image"}, ":v2", "bad_reference"),
        (
            "kind: Pod\nspec: {containers: [{name: a, image: x:1}], initContainers: [{name: a, image: x:1}]}\n",
            {"file": "p.yaml", "container": "a"},
            "x:2",
            "ambiguous",
        ),
        (
            "kind: Pod\nspec: {containers: [{name: a, env: [{name: M, valueFrom: {}}]}]}\n",
            {"file": "p.yaml", "container": "a", "env": "M"},
            "x",
            "not_found",
        ),
        (
            "kind: InferenceService\nspec: {predictor: {canaryTrafficPercent: 10}}\n",
            {"kserve": "i.yaml", "field": "canaryTrafficPercent"},
            "ten",
            "bad_reference",
        ),
        ('a: "# slipway: x"\n', {"file": "a.yaml", "marker": "x"}, "v2", "not_found"),
        ("a: |\n  b # slipway: x\n", {"file": "a.yaml", "marker": "x"}, "v2", "not_found"),
        ("# slipway: x\na: v1\n", {"file": "a.yaml", "marker": "x"}, "v2", "not_found"),
        ("a: v1 # slipway: x\nb: v1 # slipway: x\n", {"file": "a.yaml", "marker": "x"}, "v2", "ambiguous"),
        ("a: >-\n  b: v1\n", at("/a/b"), "v2", "unsupported_scalar"),
        ("a: {b: }\n", at("/a/c", insert=True), "v1", "unsupported_scalar"),
        ("a: {}\n", at("/a/c", insert=True), "v1", "unsupported_scalar"),
        ("{{ if x }}\na: v1\n{{ end }}\n", at("/b", insert=True), "v2", "unsupported_scalar"),
    ],
)
def test_refused_with_the_right_code(text, entry, pin, code):
    """Each unsafe or senseless change has its own code."""
    assert refusal(text, entry, pin).code == code


def test_a_moved_pin_is_stale():
    """A bump that expects another pin than is there is refused: somebody changed it in between."""
    text = "images: [{name: x, newTag: v2}]\n"

    assert refusal(text, {"kustomize": "k", "image": "x"}, "x:v1", "x:v3").code == "stale"


@pytest.mark.parametrize(
    ("pinned", "expect", "same"),
    [
        ("image: a/b:v2", "a/b:v2", True),
        ("image: docker.io/a/b:v2", "a/b:v2", True),
        ("image: a/b:v2", ":v2", True),
        ("image: a/b:v3", "a/b:v2", False),
        ("image: a/c:v2", "a/b:v2", False),
        (f"image: a/b:v2@{DIGEST}", "a/b:v2", False),
        (f"image: a/b:v2@{DIGEST}", f"a/b:v2@{DIGEST}", True),
        (f"image: a/b@{DIGEST}", f"a/b:v2@{DIGEST}", True),
        (f"image: a/b:v2@{OTHER}", f"a/b:v2@{DIGEST}", False),
    ],
)
def test_expected_pins_are_compared_by_what_they_mean(pinned, expect, same):
    """The candidate is recognised however its reference is written, and a digest is never overlooked."""
    entry = {"helm": "v.yaml", "path": "image"}
    if not same:
        assert refusal(pinned, entry, "a/b:v1", expect).code == "stale"
        return
    selector = TypeAdapter(Selector).validate_python(entry)

    assert bump(pinned, Target(selector, "a/b:v1", expect)).text.startswith("image: ")


def test_a_shared_scalar_names_every_place():
    """The refusal of a shared scalar tells all the paths that it serves."""
    error = refusal("one: &v v1\ntwo: *v\nthree: [*v]\n", at("/one"), "v2")

    assert all(path in error.message for path in ("one", "two", "three[0]", "&v"))


def test_a_missing_key_suggests_the_one_that_was_meant():
    """A typing mistake in a path is answered with "did you mean"."""
    assert "did you mean `image`?" in refusal("image: x:1\n", at("/imgae"), "x:2").message


def test_no_bytes_of_another_encoding():
    """What is not UTF-8 is told so, with the place."""
    with pytest.raises(BumpError) as caught:
        bump_bytes("a: é\n".encode("latin-1"), Target(Pointer(file="a", pointer="/a"), "b"))

    assert (caught.value.code, "byte 3" in caught.value.message) == ("not_parsable", True)


@pytest.mark.parametrize("count", [30, 3000])
def test_an_alias_bomb_is_refused_in_no_time(count):
    """Aliases are never written out: what they would come to is counted, and a bomb is refused."""
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, count))

    assert refusal(bomb + "tag: v1\n", at("/tag"), "v2").code == "too_large"


def test_a_long_text_under_many_aliases_is_refused():
    """A bomb of one long scalar counts as what it would come to."""
    bomb = f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]\ntag: v1\n"

    assert refusal(bomb, at("/tag"), "v2").code == "too_large"


def test_many_honest_aliases_are_no_bomb():
    """A file that uses one anchor often is edited as any other."""
    text = "a: &a {b: c}\n" + "".join(f"k{i}: *a\n" for i in range(2000))

    assert (
        bump(text + "tag: v1\n", Target(Pointer(file="a", pointer="/tag"), "v2")).text == text + "tag: v2\n"
    )


def test_merge_bombs_end():
    """Merge keys that merge each other many times over are a bomb too."""
    bomb = "m0: &m0 {k: v}\n" + "".join(
        f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}, *m{i - 1}]}}\n" for i in range(1, 60)
    )

    assert refusal(bomb, at("/m59/other"), "v2").code == "too_large"


def test_reads_the_parts_of_an_image():
    """`find` puts the parts of a Helm image together, whatever keys they stand under."""
    text = f"image: {{registry: r.example.com, repository: a/b, tag: v1, digest: {DIGEST}}}\n"
    selector = TypeAdapter(Selector).validate_python({"helm": "v.yaml", "path": "image"})

    assert find(text, selector).pin == ImagePin("r.example.com/a/b", "v1", DIGEST)
