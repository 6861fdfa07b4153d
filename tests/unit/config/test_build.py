"""`build:` in slipway.yaml: what goes together, and what a person reads while an image is made."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.build import Build, BuildOrder, BuildStage, ImageBuild, foreign
from bot.domain.loading import load
from bot.domain.mistake import ConfigError
from bot.manifests.check import check

IMAGE = 'image: {repository: registry.example/ml/fraud, tag: "v{version}"}'
AT = datetime(2026, 11, 21, 10, 2, tzinfo=UTC)
ORDER = BuildOrder(
    image="registry.example/ml/fraud:v2",
    model="fraud",
    version="2",
    source="models:/m-1",
    created_at=AT,
    build=Build(base="registry.example/ml/serving:1"),
)


def text(build: str, image: str = IMAGE, section: str = "models") -> str:
    lines = [f"{section}:", "  fraud:", f"    build: {build}", f"    {image}"]
    return "\n".join([*lines, "    environments: {e: {targets: [{kserve: a.yaml}]}}", ""])


def test_a_base_is_enough():
    """Everything else has a default: a layer, without an engine, where MLflow's own images have the model."""
    build = load(text("{base: registry.example/ml/serving:1}")).models["fraud"].build

    assert build is not None
    assert (build.engine, build.folder, build.platforms, build.install) == (
        "none",
        "/opt/ml/model",
        (),
        False,
    )


@pytest.mark.parametrize(
    ("build", "image", "words"),
    [
        ("{}", IMAGE, "base"),
        ("{base: b}", "when: {alias: a}", "needs to know the image's name"),
        ("{base: b}", "image: {from_tag: image}", "needs to know the image's name"),
        ("{base: b, install: true}", IMAGE, "without an engine nothing can be installed"),
        ("{base: b, engine: docker, platforms: [linux/amd64, linux/arm64]}", IMAGE, "for one platform"),
        ("{base: b, platforms: [windows/amd64]}", IMAGE, "platforms"),
        ("{base: b, folder: opt/model}", IMAGE, "folder"),
        ("{base: b, folder: /opt/../etc}", IMAGE, "no folder of an image"),
        ("{base: b, folder: /}", IMAGE, "folder"),
        ('{base: "b\\nRUN evil"}', IMAGE, "base"),
        ('{base: b, env: {"A B": c}}', IMAGE, "env"),
        ('{base: b, env: {A: "{nothing}"}}', IMAGE, "nothing"),
        ("{base: b, engine: kaniko}", IMAGE, "engine"),
    ],
)
def test_what_cannot_be_built_is_told(build, image, words):
    """Each mistake is told at its key."""
    with pytest.raises(ConfigError) as caught:
        load(text(build, image))

    assert any(words in f"{each.key}: {each.message}" for each in caught.value.mistakes)


def test_a_prompt_has_no_image():
    """What is pinned of a prompt is its text or its address."""
    with pytest.raises(ConfigError, match="a prompt has no files"):
        load(text("{base: b}", section="prompts"))


def test_a_base_that_is_no_reference_is_found_by_check():
    """`slipway check` reads it as a registry would."""
    content = text("{base: registry.example/UPPER:1}").encode()

    mistakes = check(lambda path: content if path == "slipway.yaml" else None, {}, {"baseline": "{}"})

    assert any(
        each.key.endswith("build.base") and "not an image reference" in each.message for each in mistakes
    )


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (ImageBuild(ORDER), "The build of the image registry.example/ml/fraud:v2 waits for its turn."),
        (
            ImageBuild(ORDER, BuildStage.BUILDING, "layer 3 of 5", AT),
            "Building the image registry.example/ml/fraud:v2 since 10:02 UTC: layer 3 of 5.",
        ),
        (
            ImageBuild(ORDER, BuildStage.FAILED, "507.", AT, AT, 2),
            "The image registry.example/ml/fraud:v2 could not be built (2 times): 507. It is tried again at 10:02 UTC; `/retry` here tries now.",
        ),
        (
            ImageBuild(ORDER, BuildStage.FAILED, "no", AT, None, 1),
            "The image registry.example/ml/fraud:v2 could not be built (once): no. `/retry` here tries now.",
        ),
    ],
)
def test_a_person_reads_how_far_it_is(build, words):
    """One sentence for each stage."""
    assert build.sentence() == words


@pytest.mark.parametrize(
    ("stage", "same", "other", "retry"),
    [
        (BuildStage.QUEUED, False, True, False),
        (BuildStage.BUILDING, False, False, False),
        (BuildStage.FAILED, False, True, True),
        (BuildStage.DONE, True, True, True),
    ],
)
def test_an_order_is_given_again_only_where_that_helps(stage, same, other, retry):
    """The same order waits; another one, a lost image and `/retry` do not. What is being built is left alone."""
    build = ImageBuild(ORDER, stage)
    another = replace(ORDER, build=Build(base="registry.example/ml/serving:2"))

    assert (
        build.needs(ORDER, retry=False),
        build.needs(another, retry=False),
        build.needs(ORDER, retry=True),
    ) == (same, other, retry)


def test_an_image_without_our_labels_is_taken_as_it_is():
    """A pipeline made it; one that names another model was made for something else."""
    assert foreign(ORDER, {"a": "b"}) is None
    assert foreign(ORDER, ORDER.labels) is None
    assert "models:/other/2" in (foreign(ORDER, {"slipway.model.uri": "models:/other/2"}) or "")
