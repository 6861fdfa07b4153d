"""Gates on what is attached to the image: asked for only where a gate asks, missing where nobody can tell."""

import pytest

from bot.domain.promotion import Stage
from bot.ports import Attestations, Unavailable

DIGEST = "sha256:" + "a" * 64
CONFIG = b"""\
version: 1
models:
  fraud:
    image: {repository: registry.example.test/fraud, tag: "v{version}", pin: PIN}
    environments:
      production:
        targets: [{file: image.yaml, pointer: /image}]
        policy: signed
"""
SIGNED = b"""\
gates:
  - {id: signed, expression: candidate.image == null || candidate.image.signed == true}
  - {id: sbom, expression: candidate.image == null || candidate.image.sbom == true}
"""


@pytest.fixture(params=["digest", "tag"])
def imaged(world, request):
    """A model that is pinned as an image, by its digest or by its tag."""
    world.images.digests["registry.example.test/fraud:v2"] = DIGEST
    world.configure(
        {
            "slipway.yaml": CONFIG.replace(b"PIN", request.param.encode()),
            "image.yaml": b"image: registry.example.test/fraud:v1\n",
            "policies/signed.yaml": SIGNED,
        }
    )
    return world


def attached(*, signed: bool = True, sbom: bool = True):
    return Attestations(DIGEST, signed=signed, attested=sbom, sbom=sbom)


def promoted(world):
    world.alias("2")
    assert world.newest().pull is not None, world.newest().reason
    world.say("ada", "/promote")
    return world.newest().stage


def test_a_signed_image_with_an_sbom_goes_through(imaged):
    """Both gates hold."""
    imaged.images.attached = attached()

    assert promoted(imaged) is Stage.PASSED


@pytest.mark.parametrize("missing", ["signed", "sbom"])
def test_what_is_missing_blocks_until_it_is_there(imaged, missing):
    """Signed after the push: the armed promotion finds it by itself."""
    imaged.images.attached = attached(**{missing: False})
    assert promoted(imaged) is Stage.OPEN
    assert missing in imaged.newest().reason

    imaged.images.attached = attached()
    imaged.restart()
    imaged.until(lambda: imaged.newest().stage is Stage.PASSED, step=120)


def test_a_registry_that_cannot_tell_is_not_a_yes(imaged):
    """Unknown is missing."""
    imaged.images.fails = Unavailable("registry.example.test", "connection refused")

    assert promoted(imaged) is Stage.OPEN


def test_nobody_is_asked_where_no_gate_asks(imaged):
    """Requests cost."""
    imaged.configure({"policies/signed.yaml": b"{}\n"})

    assert promoted(imaged) is Stage.PASSED
    assert imaged.images.asked == 0
