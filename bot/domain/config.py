"""`slipway.yaml`: models, their environments in order, targets, policy, SLOs."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.slo import Slo
from bot.domain.target import Selector

FROZEN = ConfigDict(frozen=True, extra="forbid")


class Environment(BaseModel):
    """One place a model runs in."""

    model_config = FROZEN

    after: str | None = None
    targets: tuple[Selector, ...] = Field(min_length=1)
    argocd: str | None = None
    policy: str = "baseline"
    alias: str | None = None
    slo: Slo | None = None


class Model(BaseModel):
    """One registered model that Slipway promotes."""

    model_config = FROZEN

    environments: Mapping[str, Environment]


class Config(BaseModel):
    """The whole file."""

    model_config = FROZEN

    version: int = 1
    models: Mapping[str, Model]
