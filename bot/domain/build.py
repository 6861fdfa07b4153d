"""`build:` of a model: how Slipway makes a version's image where no pipeline does, and how far it is.

An order is everything that goes into the image, so the same order gives the same image. It is kept in
a row of its own, by the image's name: two environments that want one image share one build.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.domain.template import Template

DEFAULT_FOLDER = "/opt/ml/model"
"""Where MLflow's own images keep the model."""


def _inside(folder: str) -> str:
    parts = folder.split("/")[1:]
    if not folder.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise PydanticCustomError(
            "folder", "this is no folder of an image", {"hint": f"write it like `{DEFAULT_FOLDER}`"}
        )
    return folder


Platform = Annotated[
    str, Field(pattern=r"^linux/[a-z0-9]+(/[a-z0-9.]+)?$", examples=["linux/amd64", "linux/arm64/v8"])
]


class Build(BaseModel):
    """`build:` of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,1023}$",
        description="The serving image that the model is added to, with its tag or digest.",
        examples=["registry.example.com/ml/serving:1.4"],
    )
    engine: Literal["none", "docker"] = Field(
        default="none",
        description="`none`: the model becomes one layer on the base, written straight to the registry. "
        "`docker`: a Docker-compatible engine builds and pushes (`DOCKER_HOST`).",
    )
    folder: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./-]{1,255}$"), AfterValidator(_inside)] = Field(
        default=DEFAULT_FOLDER, description="The folder of the image that the model is put in."
    )
    env: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")], Template] = Field(
        default={},
        description='Environment variables of the image, for example {MODEL_VERSION: "{version}"}.',
    )
    platforms: tuple[Platform, ...] = Field(
        default=(),
        max_length=16,
        description="Platforms that the base must have and the image is made for. "
        "Without it, all of the base's; an engine makes one.",
    )
    install: bool = Field(
        default=False,
        description="Whether the model's own `requirements.txt` is installed into the image. "
        "Needs `engine: docker`.",
    )

    @model_validator(mode="after")
    def _fits_the_engine(self) -> Self:
        if self.install and self.engine != "docker":
            raise PydanticCustomError(
                "install",
                "without an engine nothing can be installed",
                {"hint": "add `engine: docker`, or take a base that has the libraries"},
            )
        if len(self.platforms) > 1 and self.engine == "docker":
            raise PydanticCustomError(
                "platforms",
                "an engine makes an image for one platform",
                {"hint": "leave `engine` out for an image of several platforms"},
            )
        return self


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """What goes into the image `image` (repository and tag): one version's files on a base."""

    image: str
    model: str
    version: str
    source: str
    """Where the registry says the version comes from; told in a label, never fetched."""
    created_at: datetime
    """When the version was registered. The image has this date, whenever it is made."""
    build: Build
    env: Mapping[str, str] = field(default_factory=dict)
    run_id: str | None = None
    commit: str | None = None

    @property
    def uri(self) -> str:
        return f"models:/{self.model}/{self.version}"

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels: the model, its run and its commit."""
        told = {
            "org.opencontainers.image.title": self.model,
            "org.opencontainers.image.version": self.version,
            "org.opencontainers.image.created": self.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "org.opencontainers.image.revision": self.commit,
            "org.opencontainers.image.base.name": self.build.base,
            MODEL_LABEL: self.uri,
            SOURCE_LABEL: self.source,
            "slipway.model.run": self.run_id,
        }
        return {key: value for key, value in sorted(told.items()) if value}


MODEL_LABEL = "slipway.model.uri"
SOURCE_LABEL = "slipway.model.source"


def foreign(order: BuildOrder, labels: Mapping[str, str]) -> str | None:
    """Why an image with these labels is not this order's, though it has its name; None where it may be.

    An image without our labels was made by somebody who knows the tag: it is taken as it is.
    """
    for label, wanted in ((MODEL_LABEL, order.uri), (SOURCE_LABEL, order.source)):
        if labels.get(label, wanted) != wanted:
            return (
                f"The image {order.image} is there, and holds {labels[label]} instead of {wanted}: "
                "delete that tag, or change `image.tag`."
            )
    return None


class BuildStage(StrEnum):
    """How far a build is."""

    QUEUED = "queued"
    BUILDING = "building"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """A build as its row has it."""

    order: BuildOrder
    stage: BuildStage = BuildStage.QUEUED
    told: str = ""
    """How far it is, or why it failed."""
    since: datetime | None = None
    next_at: datetime | None = None
    """When it is looked at again: while it is being built, when its worker is believed dead."""
    failures: int = 0

    def needs(self, order: BuildOrder, *, retry: bool) -> bool:
        """Whether this order has to be given: it is another one, it was lost, or a person said `/retry`."""
        match self.stage:
            case BuildStage.QUEUED:
                return order != self.order
            case BuildStage.BUILDING:
                return False
            case BuildStage.FAILED:
                return retry or order != self.order
            case BuildStage.DONE:
                return True

    def sentence(self) -> str:
        """What a person who waits for the image reads."""
        match self.stage:
            case BuildStage.BUILDING if self.since is not None:
                return f"Building the image {self.order.image} since {self.since:%H:%M} UTC: {self.told}."
            case BuildStage.FAILED:
                again = f"It is tried again at {self.next_at:%H:%M} UTC; " if self.next_at else ""
                return (
                    f"The image {self.order.image} could not be built ({_times(self.failures)}): "
                    f"{self.told.rstrip('.')}. {again}`/retry` here tries now."
                )
            case _:
                return f"The build of the image {self.order.image} waits for its turn."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
