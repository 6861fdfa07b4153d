"""MLflow: what is known of model versions, and their files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.domain.evidence import VersionEvidence
from bot.domain.version import ModelVersion


class ModelRegistry(Protocol):
    """MLflow's model registry."""

    def aliases(self) -> Mapping[str, Mapping[str, str]]:
        """Model → alias → version, of all registered models, in as few requests as the registry allows."""

    def version(self, model: str, version: str) -> ModelVersion: ...
    def latest_version(self, model: str) -> str | None:
        """The newest version by number; None for a model without versions."""

    def alias(self, model: str, alias: str) -> str | None:
        """The version an alias points to; None when the alias does not exist."""

    def evidence(self, model: str, version: str) -> VersionEvidence:
        """All that a reviewer may want to know of a version; what is missing is None or empty."""

    def artifact(self, model: str, version: str, path: str) -> bytes | None:
        """A file of the logged model, at most 1 MB; None where there is none. Raises Refused for a larger."""

    def set_alias(self, model: str, alias: str, version: str) -> None: ...
    def delete_alias(self, model: str, alias: str) -> None: ...
    def tag(self, model: str, version: str, key: str, value: str) -> None: ...
    def version_url(self, model: str, version: str) -> str: ...


Tell = Callable[[str], None]
"""Takes how far some work is, in a few words; raises Stopped where it must not go on."""


class Stopped(Exception):
    """This process ends; somebody else takes the work up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a model's files may be."""

    bytes: int = 10_000_000_000
    files: int = 10_000


class ModelFiles(Protocol):
    """The files of model versions."""

    def download(self, model: str, version: str, folder: Path, limits: Limits, tell: Tell) -> None:
        """Put all files of a version into `folder`, which is made. Raises Refused over the limits."""
