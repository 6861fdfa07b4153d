"""From a model version to what is written at a target."""

import datetime as dt

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.domain.target import ImageSource, Selector
from bot.domain.version import ModelVersion
from bot.manifests import BadReference, ImagePin, image_of, pin_of, wants_digest

DIGEST = "sha256:" + "ab" * 32
VERSION = ModelVersion(
    model="fraud",
    version="7",
    source="s3://models/fraud/7",
    created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    run_id="r1",
    tags={"image": f"ghcr.io/a/fraud@{DIGEST}"},
    run_tags={"image": "ghcr.io/a/other:1", "commit": "abc"},
)
ENTRY = TypeAdapter(Selector).validate_python


def test_a_tag_template_makes_the_image():
    """`tag: "v{version}"` of a repository is that version's image, and says whether to ask the registry."""
    source = ImageSource(repository="ghcr.io/a/fraud", tag="v{version}", pin="digest")
    image = image_of(source, VERSION)

    assert image == ImagePin("ghcr.io/a/fraud", "v7")
    assert wants_digest(source, image)
    assert not wants_digest(source, ImagePin("a", "b", DIGEST))


def test_the_version_tag_comes_before_the_run_tag():
    """`from_tag` reads the version's tag, and the run's only where the version has none."""
    assert image_of(ImageSource(from_tag="image"), VERSION) == ImagePin("ghcr.io/a/fraud", None, DIGEST)
    with pytest.raises(BadReference, match="no tag `missing`"):
        image_of(ImageSource(from_tag="missing"), VERSION)


def test_a_tag_that_is_none_is_refused():
    """A template whose result is no image tag never reaches a file."""
    with pytest.raises(BadReference):
        image_of(ImageSource(tag="{source}"), VERSION)


@pytest.mark.parametrize(
    ("entry", "storage", "expected"),
    [
        ({"file": "d.yaml", "container": "s", "env": "M"}, None, "models:/fraud/7"),
        ({"file": "d.yaml", "container": "s", "env": "M"}, "{source}", "s3://models/fraud/7"),
        ({"file": "d.yaml", "container": "s", "env": "M", "value": "{version}"}, "{source}", "7"),
        ({"kserve": "i.yaml"}, "{source}", "s3://models/fraud/7"),
        ({"file": "d.yaml", "container": "s"}, "{source}", ImagePin("a/fraud", "v7")),
        ({"file": "d.yaml", "pointer": "/a"}, "{source}", ImagePin("a/fraud", "v7")),
        ({"file": "d.yaml", "pointer": "/a", "value": "{tag}-{run_tags.commit}"}, None, "v7-abc"),
        ({"kustomize": "k", "image": "fraud"}, "{source}", ImagePin("a/fraud", "v7")),
    ],
)
def test_each_target_gets_what_it_takes(entry, storage, expected):
    """A target's own `value` comes first, then what its kind takes."""
    assert pin_of(ENTRY(entry), VERSION, ImagePin("a/fraud", "v7"), storage) == expected


def test_without_an_image_a_plain_place_takes_the_storage():
    """A model that has only `storage:` writes it wherever no image is asked for."""
    assert (
        pin_of(ENTRY({"file": "d.yaml", "pointer": "/a"}), VERSION, None, "{source}") == "s3://models/fraud/7"
    )
    with pytest.raises(BadReference, match="has no `image:`"):
        pin_of(ENTRY({"kustomize": "k", "image": "fraud"}), VERSION, None, "{source}")


@pytest.mark.parametrize("template", ["{tags.none}", "{digest}"])
def test_what_is_not_known_is_told(template):
    """A template that needs something the version does not have says what."""
    entry = ENTRY({"file": "d.yaml", "pointer": "/a", "value": template})
    with pytest.raises(BadReference, match=template.strip("{}")):
        pin_of(entry, VERSION, ImagePin("a", "b"))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"file": "a.yaml"}, "one more key"),
        ({}, "no kind of target shows"),
        ("text", "a target is a mapping"),
        ({"helm": "a.yaml", "path": "x", "kustomize": "k"}, "`kustomize` and `helm` do not go together"),
        ({"file": "/etc/passwd", "pointer": "/a"}, "root of the repository"),
        ({"file": "a/../../b", "pointer": "/a"}, "`..` is not allowed"),
        ({"file": "a\\b", "pointer": "/a"}, "written with `/`"),
        ({"file": "C:/b", "pointer": "/a"}, "root of the repository"),
        ({"file": "~/b", "pointer": "/a"}, "root of the repository"),
        ({"file": "a/.GIT/config", "pointer": "/a"}, "never goes into `.git`"),
        ({"file": "a\nb", "pointer": "/a"}, "control characters"),
        ({"file": "x" * 2000, "pointer": "/a"}, "at most"),
        ({"file": ".", "pointer": "/a"}, "names none"),
        ({"file": "a", "pointer": "/a", "value": "{versoin}"}, "{versoin} is not known"),
        ({"file": "a", "pointer": "/a", "value": "{version"}, "without `}`"),
        ({"file": "a", "pointer": "/a", "value": "version}"}, "without `{`"),
        ({"argocd": "a", "image": "x", "path": "y"}, "exactly one of"),
    ],
)
def test_mistakes_in_an_entry_are_told_in_words(entry, words):
    """Every mistake in a target says what is wrong in one sentence."""
    with pytest.raises(ValidationError) as caught:
        ENTRY(entry)

    assert words in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        (".", ("kustomization.yaml", "kustomization.yml", "Kustomization")),
        ("a/b/", ("a/b/kustomization.yaml", "a/b/kustomization.yml", "a/b/Kustomization")),
        ("./a//kustomization.yml", ("a/kustomization.yml",)),
        ("a/Kustomization", ("a/Kustomization",)),
    ],
)
def test_a_kustomize_folder_may_mean_three_files(folder, files):
    """A folder stands for the names that kustomize itself looks for, in its order."""
    assert ENTRY({"kustomize": folder, "image": "x"}).candidate_files() == files


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "`tag` is missing"),
        ({"from_tag": "image", "tag": "v1"}, "leave out"),
    ],
)
def test_an_image_source_tells_one_way(source, words):
    """`image:` either tells repository and tag, or names a tag that holds them."""
    with pytest.raises(ValidationError, match=words):
        ImageSource.model_validate(source)
