"""A pin by digest waits until the image is in its registry, visibly, and gives up with a word."""

import pytest

from bot.domain.promotion import Stage

CONFIG = b"""\
version: 1
models:
  fraud:
    image: {repository: registry.example.com/ml/fraud, tag: "v{version}", pin: digest}
    environments:
      production:
        targets: [{kustomize: prod, image: fraud, insert: true}]
        policy: quick
"""
KUSTOMIZATION = b"""\
images:
  - name: fraud
    newName: registry.example.com/ml/fraud
    newTag: v1
"""
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def imaged(world):
    world.forge.commit("main", {"slipway.yaml": CONFIG, "prod/kustomization.yaml": KUSTOMIZATION})
    world.resync.run()
    world.drain()
    return world


def issues(world, state: str) -> list[str]:
    return [issue.body for issue in world.forge.issues.values() if issue.state == state]


def test_an_image_that_is_not_there_yet_is_waited_for_visibly(imaged):
    """The reason stands in an issue, which closes when the pull request opens."""
    imaged.alias("2")
    imaged.later(60)
    (told,) = issues(imaged, "open")
    assert imaged.open_pulls() == []
    assert "registry.example.com/ml/fraud:v2 is not in its registry yet" in told

    imaged.images.digests["registry.example.com/ml/fraud:v2"] = DIGEST
    imaged.later(60)
    (pull,) = imaged.open_pulls()
    assert issues(imaged, "open") == []
    pinned = imaged.forge.read("prod/kustomization.yaml", imaged.forge.pull(pull).head_sha).decode()
    assert DIGEST in pinned
    assert "newTag: v2" in pinned


def test_an_image_that_never_comes_is_given_up_with_a_word(imaged):
    """After a day nothing more is tried, and that is said."""
    imaged.alias("2")
    imaged.later(60)
    imaged.until(lambda: imaged.newest().stage is Stage.CLOSED, step=3600, limit=90_000)

    (told,) = issues(imaged, "closed")
    assert "gave up" in told
    assert imaged.open_pulls() == []


def test_an_image_that_is_there_is_pinned_at_once(imaged):
    """No wait, no issue."""
    imaged.images.digests["registry.example.com/ml/fraud:v3"] = DIGEST
    imaged.alias("3")

    assert len(imaged.open_pulls()) == 1
    assert imaged.forge.issues == {}
