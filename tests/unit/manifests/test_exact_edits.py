"""Small exact edits: text before, target, text after."""

import pytest
from pydantic import TypeAdapter

from bot.domain.target import Selector
from bot.manifests import Target, bump, find

D1 = "sha256:" + "ab" * 32
D2 = "sha256:" + "cd" * 32


def at(pointer, **more):
    return {"file": "any.yaml", "pointer": pointer, **more}


def values(path, **more):
    return {"helm": "values.yaml", "path": path, **more}


KUSTOMIZE = {"kustomize": "k", "image": "x"}
ARGOCD = {"argocd": "app.yaml", "path": "image.tag"}
APPLICATION = "kind: Application\nspec:\n  source:\n    helm:\n      values: "


@pytest.mark.parametrize(
    ("before", "entry", "pin", "after"),
    [
        # Empty and null values.
        ("a: {b: , c: d}\n", at("/a/b"), "v2", "a: {b: v2 , c: d}\n"),
        ("a: {b: }\n", at("/a/b"), "v2", "a: {b: v2 }\n"),
        ('"a":\nb: 1\n', at("/a"), "v2", '"a": v2\nb: 1\n'),
        ("? a\n:\nb: 1\n", at("/a"), "v2", "? a\n: v2\nb: 1\n"),
        ("a:\n# about b\nb: 1\n", at("/a"), "v2", "a: v2\n# about b\nb: 1\n"),
        ('{"a": null, "b": 1}\n', at("/a"), "v2", '{"a": "v2", "b": 1}\n'),
        ("{a: null}\n", at("/a"), "v2", "{a: v2}\n"),
        # Anchors, tags and what stands before a value.
        ("a: &x !!str v1 # c\n", at("/a"), "v2", "a: &x !!str v2 # c\n"),
        ("a: !!str &x 'v1'\n", at("/a"), "v2", "a: !!str &x 'v2'\n"),
        ("a: ! v1\n", at("/a"), "v2", "a: ! v2\n"),
        ("&k a: v1\n", at("/a"), "v2", "&k a: v2\n"),
        ("- - v1\n  - b\n", at("/0/0"), "v2", "- - v2\n  - b\n"),
        ("--- v1\n", at(""), "v2", "--- v2\n"),
        ("a: v1#b\n", at("/a"), "v2", "a: v2\n"),
        # Quotes.
        ("a: 'v1'\n", at("/a"), "it's", "a: 'it''s'\n"),
        ('a: "v1"\n', at("/a"), 'a\\b"c', 'a: "a\\\\b\\"c"\n'),
        ("a: v1\n", at("/a"), "a\\b", "a: a\\b\n"),
        ("a: v1\n", at("/a"), "*x", 'a: "*x"\n'),
        ("a: v1\n", at("/a"), "x:", 'a: "x:"\n'),
        ("a: v1\n", at("/a"), " x ", 'a: " x "\n'),
        ("a: v1\n", at("/a"), "x #y", 'a: "x #y"\n'),
        ("[v1]\n", at("/0"), "a,b", '["a,b"]\n'),
        ("- v1\n", at("/0"), "a,b", "- a,b\n"),
        # Keys that are added where the target allows it.
        ("a:\n  b: 1 # c\nd: 2\n", at("/a/e", insert=True), "v1", "a:\n  b: 1 # c\n  e: v1\nd: 2\n"),
        ("a:\r\n  b: 1", at("/a/e", insert=True), "1", 'a:\r\n  b: 1\r\n  e: "1"'),
        ("- a: 1\n- b: 1\n", at("/0/c", insert=True), "v1", "- a: 1\n  c: v1\n- b: 1\n"),
        ("a: {b: 1}\n", at("/a/c", insert=True), "v1", "a: {b: 1, c: v1}\n"),
        (
            "image:\n  tag: v1\n",
            values("image", insert=True),
            f":v2@{D1}",
            f"image:\n  tag: v2\n  digest: {D1}\n",
        ),
        (
            "image:\n  repository: x\n",
            values("image.tag", insert=True),
            ":v2",
            "image:\n  repository: x\n  tag: v2\n",
        ),
        # Parts of an image: nothing stale stays.
        ("images: [{name: x, newTag: v1}]\n", KUSTOMIZE, "x:v2", "images: [{name: x, newTag: v2}]\n"),
        ("images: [{name: x, newTag: v1}]\n", KUSTOMIZE, "v2", "images: [{name: x, newTag: v2}]\n"),
        (
            f"images: [{{name: x, digest: '{D1}'}}]\n",
            KUSTOMIZE,
            f"x:v2@{D2}",
            f"images: [{{name: x, digest: '{D2}'}}]\n",
        ),
        (
            f"images: [{{name: x, newTag: v1, digest: '{D1}'}}]\n",
            KUSTOMIZE,
            "x:v2",
            "images: [{name: x, newTag: v2}]\n",
        ),
        (
            f"images:\n- name: x\n  newTag: v1\n  digest: {D1}",
            KUSTOMIZE,
            f"x@{D2}",
            f"images:\n- name: x\n  digest: {D2}",
        ),
        (
            "images:\n- name: x\n  newName: a/x\n  newTag: v1\n",
            KUSTOMIZE,
            "b/x:v2",
            "images:\n- name: x\n  newName: b/x\n  newTag: v2\n",
        ),
        (
            f"image: {{repository: a/b, tag: v1, digest: {D1}}}\n",
            values("image"),
            "a/b:v2",
            'image: {repository: a/b, tag: v2, digest: ""}\n',
        ),
        (
            "image: {registry: r.io, repository: a/b, tag: v1}\n",
            values("image"),
            "s.io/c/d:v2",
            "image: {registry: s.io, repository: c/d, tag: v2}\n",
        ),
        ("image: {registry: r.io, repository: a, tag: v1}\n", values("image.tag"), "v2", None),
        ("image: docker.io/library/a:v1\n", values("image"), "a:v2", "image: docker.io/library/a:v2\n"),
        # Numbers stay numbers.
        (
            "kind: InferenceService\nspec: {predictor: {minReplicas: 1}}\n",
            {"kserve": "i.yaml", "field": "canaryTrafficPercent", "insert": True},
            "10",
            "kind: InferenceService\nspec: {predictor: {minReplicas: 1, canaryTrafficPercent: 10}}\n",
        ),
        # YAML inside a block of text.
        (APPLICATION + "|\n        image:\n          tag: v1 # c\n", ARGOCD, ":v2", None),
        (APPLICATION + "|2-\n          image: {tag: 'v1'}", ARGOCD, ":v2", None),
        (APPLICATION + "|+\n\n        # c\n        image:\n          tag: v1\n\n\n", ARGOCD, ":v2", None),
        (APPLICATION + "|\r\n        a: b\r\n        image:\r\n          tag: v1\r\n", ARGOCD, ":v2", None),
        (
            APPLICATION + "|\n        image:\n          x: y\n        z: 1\n",
            {**ARGOCD, "insert": True},
            ":v2",
            APPLICATION + "|\n        image:\n          x: y\n          tag: v2\n        z: 1\n",
        ),
        (
            "data:\n  values.yaml: |\n    image: x:v1\n",
            at(["data", "values.yaml", "image"]),
            "x:v2",
            "data:\n  values.yaml: |\n    image: x:v2\n",
        ),
        # Containers without a name, and containers in odd places.
        (
            "kind: Service\nmetadata: {name: fraud}\nspec: {template: {spec: {containers: [{image: x:v1}]}}}\n",
            {"file": "s.yaml", "container": "user-container"},
            "x:v2",
            None,
        ),
        (
            "kind: TFJob\nspec: {w: {template: {spec: {containers: [{name: c, image: x:v1}]}}}}\n",
            {"file": "s.yaml", "container": "c"},
            "x:v2",
            None,
        ),
        (
            "kind: InferenceService\nspec: {default: {predictor: {sklearn: {storageUri: s3://v1}}}}\n",
            {"kserve": "i.yaml"},
            "s3://v2",
            None,
        ),
        # Objects in a List, and marks on the document.
        (
            "kind: List\nitems:\n- kind: Pod\n  spec: {containers: [{name: c, image: x:v1}]}\n",
            {"file": "l.yaml", "container": "c"},
            "x:v2",
            "kind: List\nitems:\n- kind: Pod\n  spec: {containers: [{name: c, image: x:v2}]}\n",
        ),
        ("\ufeff# é😀\na: v1\n", at("/a"), "v2", "\ufeff# é😀\na: v2\n"),
    ],
)
def test_exactly(before, entry, pin, after):
    """The text after is the text before with the pin in it, character for character."""
    expected = before.replace("v1", "v2") if after is None else after
    selector = TypeAdapter(Selector).validate_python(entry)
    done = bump(before, Target(selector, pin))

    assert done.text == expected
    assert done.changes
    assert bump(done.text, Target(selector, pin)).text == expected


@pytest.mark.parametrize(
    ("text", "entry", "pin"),
    [
        ('image: {repository: a/b, tag: ""}\n', values("image"), "a/b:v2"),
        ('image:\n  tag: ""\n', values("image"), ":v2"),
        ("image: a/b\n", values("image"), ":v2"),
        ("images:\n- name: x\n", {**KUSTOMIZE, "insert": True}, "r.io/x:v2"),
        (f"images:\n- name: x\n  newTag: v1\n  digest: {D1}\n", KUSTOMIZE, "x:v2"),
        ("a:\n  b: 1\n", at("/a/c", insert=True), "v2"),
        ('a:\n  b: ""\n', at("/a/b"), "v2"),
        (
            "a: [A=1, B=]\nservices: {s: {environment: [B=]}}\n",
            {"compose": "c", "service": "s", "env": "B"},
            "v2",
        ),
        ('a: "" # {"$imagepolicy": "n:p:tag"}\n', {"file": "f", "setter": "n:p"}, ":v2"),
    ],
)
def test_taken_back_to_the_very_text(text, entry, pin):
    """What was empty, absent or untagged before a bump is so again when the bump is taken back."""
    selector = TypeAdapter(Selector).validate_python(entry)
    before = find(text, selector).pin
    bumped = bump(text, Target(selector, pin)).text
    after = find(bumped, selector).pin

    assert bumped != text
    assert (
        bump(bumped, Target(selector, "" if before is None else str(before), expect=str(after))).text == text
    )


def test_positions_in_a_block_of_text_are_positions_in_the_file():
    """`find` and the changes tell where in the file a scalar inside a block of text stands."""
    text = APPLICATION + "|\n        image:\n          tag: v1\n"
    selector = TypeAdapter(Selector).validate_python(ARGOCD)
    (site,) = find(text, selector).sites
    (change,) = bump(text, Target(selector, ":v2")).changes

    assert text[site.start : site.end] == "v1"
    assert (
        (change.start, change.end, change.line)
        == (site.start, site.end, site.line)
        == (text.index("v1"), text.index("v1") + 2, 7)
    )
    assert change.path == ("spec", "source", "helm", "values", "image", "tag")
