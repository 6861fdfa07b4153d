"""Container images: where they are, and what makes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.domain.build import BuildOrder
from bot.ports.registry import Tell


@dataclass(frozen=True, slots=True)
class Attestations:
    """What is attached to an image's digest; `artifacts` tells each artifact's type or tag."""

    digest: str
    signed: bool
    attested: bool
    sbom: bool
    artifacts: tuple[str, ...] = ()


class ImageRegistry(Protocol):
    """A container registry, by the OCI distribution API."""

    def digest(self, reference: str) -> str | None:
        """`sha256:…` of what a tagged reference points to now; None when it does not exist (yet)."""

    def attested(self, reference: str) -> Attestations | None:
        """What is attached to an image; None where the image is absent. Says nothing of validity."""

    def labels(self, reference: str) -> Mapping[str, str]:
        """The labels of an image. Raises NotFound."""


class ImageBuilder(Protocol):
    """Makes images and puts them into their registry."""

    def build(self, order: BuildOrder, folder: Path, tell: Tell) -> None:
        """Make the image of the files in `folder`/model and write its tag, last of all.

        `folder` is the builder's own to work in. Raises OutsideError with the engine's or the registry's
        own sentence.
        """
