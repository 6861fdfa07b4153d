"""`slipway.yaml`: models and prompts, their environments in order, targets, policy, SLOs.

The types are the reference: each key's description stands here, and becomes the JSON Schema for
editors (`policies/slipway.schema.json`), the hints of `slipway check` and docs/configuration.md.
`bot.domain.loading` is the one way from text to a `Config`; what needs other files is checked by
`bot.manifests.check`. Secrets have no place here: they are settings of the process.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.domain.build import Build
from bot.domain.checks import AnyCheck
from bot.domain.notification import Happening
from bot.domain.order import promotion_order
from bot.domain.retrain import Retrain
from bot.domain.slo import Slo
from bot.domain.target import ImageSource, Selector, StorageSource
from bot.domain.traffic import Traffic

__all__ = [
    "FILE",
    "Config",
    "Environment",
    "Model",
    "Prompt",
    "Tag",
    "When",
    "WhenAlias",
    "WhenTag",
    "WhenVersion",
]

FILE = "slipway.yaml"

FROZEN = ConfigDict(frozen=True, extra="forbid")


def _not_reserved(alias: str) -> str:
    if alias.lower() == "latest" or (alias[0] in "vV" and alias[1:].isdigit()):
        raise PydanticCustomError("alias", "MLflow reserves this alias", {"hint": "choose another name"})
    return alias


# MLflow's own rules for the names of models and aliases.
ModelName = Annotated[str, Field(pattern=r"^[^/:\x00-\x1f\x7f]{1,255}$", examples=["fraud-detector"])]
Alias = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$", examples=["champion"]), AfterValidator(_not_reserved)
]
# Part of branch names, of tags in the registry, of file names.
Name = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$", examples=["staging", "eu-1"])
]


class Tag(BaseModel):
    """A tag of a model version in MLflow."""

    model_config = FROZEN

    key: str = Field(min_length=1, description="Key of the tag.")
    value: str = Field(description='Value that the tag must have, as text: `"true"`.')


class WhenAlias(BaseModel):
    """A version becomes a candidate when it is given an alias."""

    model_config = FROZEN

    alias: Alias = Field(description="The alias, for example `candidate`.")


class WhenVersion(BaseModel):
    """Every new version becomes a candidate."""

    model_config = FROZEN

    version: Literal["created"] = Field(description="`created`: as soon as the version exists.")


class WhenTag(BaseModel):
    """A version becomes a candidate when it is given a tag."""

    model_config = FROZEN

    tag: Tag = Field(description="Key and value of the tag.")


When = WhenAlias | WhenVersion | WhenTag
"""What makes a version a candidate for the first environments."""


_LOGIN = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?"
Login = Annotated[str, Field(pattern=rf"^{_LOGIN}$")]
Reviewer = Annotated[str, Field(pattern=rf"^{_LOGIN}(?:/[A-Za-z0-9._-]{{1,100}})?$")]


class Environment(BaseModel):
    """One place a model runs in."""

    model_config = FROZEN

    after: Name | None = Field(
        default=None,
        description="The environment that must have verified a version before it is proposed here. "
        "Without it, a version is proposed here as soon as `when` happens.",
        examples=["staging"],
    )
    targets: tuple[Selector, ...] = Field(
        min_length=1, description="Where the pins of this environment are: one entry for each place."
    )
    argocd: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
        description="Name of the Argo CD application that brings these targets into the cluster. "
        "Without it, the candidate's own metric series say that it is live.",
        examples=["fraud-detector-production"],
    )
    policy: Name = Field(
        default="baseline",
        description="Policy that applies here: the name of a file in `policies/`, without `.yaml`, "
        "or of a policy that Slipway ships.",
        examples=["baseline", "strict"],
    )
    alias: Alias | None = Field(
        default=None,
        description="Alias that Slipway moves to a version whose canary has passed here, and back on revert.",
    )
    reviewers: tuple[Reviewer, ...] = Field(
        default=(),
        description="Whom a pull request for this environment asks for a review: logins, and teams as "
        "`organisation/team`. Whoever cannot be asked is left out.",
    )
    assignees: tuple[Login, ...] = Field(
        default=(),
        max_length=10,
        description="Whose pull request it is: the logins that it is assigned to.",
    )
    slo: Slo | None = Field(
        default=None,
        description="Objectives that a candidate must keep once it is live. Without them nothing is watched.",
    )
    checks: Mapping[Name, AnyCheck] = Field(
        default={},
        max_length=20,
        description="What must hold once a candidate is live, before it passes: probes, parity with the "
        "logged model, workflows, by name.",
    )
    retrain: Retrain | None = Field(
        default=None,
        description="When a new version is asked for, and how: a signal breaks after a version has long "
        "been live.",
    )
    traffic: Traffic | None = Field(
        default=None,
        description="Steps in which a candidate gets its traffic. Without it, all at once.",
    )

    @model_validator(mode="after")
    def _steps_are_judged(self) -> Self:
        if self.traffic is None:
            return self
        if self.slo is None:
            hint = "add `slo`, or leave `traffic` out"
            raise PydanticCustomError("traffic", "nothing judges the steps of `traffic`", {"hint": hint})
        if self.slo.preset is not None and self.slo.baseline is None:
            hint = "add `baseline` to `slo`: the label matchers of the version that runs beside it"
            message = "steps are judged side by side, and nothing says which series are the baseline's"
            raise PydanticCustomError("traffic", message, {"hint": hint})
        return self

    @property
    def pins(self) -> tuple[Selector, ...]:
        """Every place that a promotion writes, in the order that `PinChange.target` counts."""
        if self.traffic is None:
            return self.targets
        return (*self.targets, *self.traffic.candidate, *self.traffic.weights)

    @property
    def first_weight(self) -> int:
        """From which of `pins` on they are weights."""
        return len(self.targets) + (len(self.traffic.candidate) if self.traffic is not None else 0)


class Model(BaseModel):
    """One registered model that Slipway promotes."""

    model_config = FROZEN

    when: When = Field(
        default=WhenAlias(alias="candidate"),
        description="What makes a version a candidate: an alias, a tag, or its creation.",
    )
    image: ImageSource | None = Field(
        default=None, description="The container image of a version, for targets that pin an image."
    )
    storage: StorageSource | None = Field(
        default=None,
        description="Where a version's files are, for targets that pin a storage address. "
        "Without it, `models:/{model}/{version}`.",
        examples=["{source}", "models:/{model}/{version}"],
    )
    build: Build | None = Field(
        default=None,
        description="How Slipway makes the image of a version when it is not in its registry. "
        "Without it, Slipway waits for your pipeline.",
    )
    environments: Mapping[Name, Environment] = Field(
        min_length=1, description="The environments this model runs in, by name."
    )

    @model_validator(mode="after")
    def _builds_what_it_names(self) -> Self:
        if self.build is not None and (self.image is None or self.image.repository is None):
            hint = 'add `image: {repository: registry.example.com/ml/model, tag: "v{version}"}`'
            raise PydanticCustomError("build", "`build` needs to know the image's name", {"hint": hint})
        return self

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the environments in promotion order."""
        return promotion_order({name: place.after for name, place in self.environments.items()})

    @property
    def first(self) -> tuple[str, ...]:
        """The environments where a version is proposed as soon as `when` happens."""
        return tuple(name for name in self.order if self.environments[name].after is None)

    def next_after(self, environment: str) -> tuple[str, ...]:
        """The environments that come directly after this one; empty after the last."""
        return tuple(name for name in self.order if self.environments[name].after == environment)


class Prompt(Model):
    """One prompt of MLflow's prompt registry, promoted exactly like a model."""

    storage: StorageSource | None = Field(
        default="prompts:/{model}/{version}",
        description="What is pinned of a version, for targets that pin text.",
        examples=["prompts:/{model}/{version}", "{version}"],
    )

    @model_validator(mode="after")
    def _has_no_files(self) -> Self:
        if self.build is not None:
            hint = "leave it out: what is pinned of a prompt is its text or its address"
            raise PydanticCustomError("build", "a prompt has no files to build an image of", {"hint": hint})
        return self


class Config(BaseModel):
    """The whole file."""

    model_config = FROZEN

    version: Literal[1] = Field(default=1, description="Version of this file's format: 1.")
    models: Mapping[ModelName, Model] = Field(
        default={}, min_length=1, description="The models, by their name in the registry."
    )
    prompts: Mapping[ModelName, Prompt] = Field(
        default={},
        min_length=1,
        description="The prompts, by their name in MLflow's prompt registry, with the same keys as models. "
        "A name is a model's or a prompt's, never both.",
    )
    notifications: Mapping[Name, tuple[Happening, ...]] = Field(
        default={},
        description="Who is told of what: a name whose address is a setting of the process "
        "(`SLIPWAY_NOTIFY_TARGETS`), and the events that it wants to hear of.",
        examples=[{"ml-chat": ["approval", "held", "reverting"]}],
    )

    @model_validator(mode="after")
    def _promotes_something(self) -> Self:
        if not self.models and not self.prompts:
            hint = "name what Slipway promotes, each under its name in the registry"
            raise PydanticCustomError("nothing", "`models` is missing, and so is `prompts`", {"hint": hint})
        return self

    @property
    def sections(self) -> Mapping[str, Mapping[str, Model]]:
        """The models and the prompts, each under the key of the file that holds them."""
        return {"models": self.models, "prompts": self.prompts}

    @property
    def promoted(self) -> Mapping[str, Model]:
        """Everything that is promoted, by name."""
        return {**self.models, **self.prompts}
