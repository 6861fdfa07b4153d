"""`retrain:` of an environment: which signals of a version that has long been live ask whom for a new one.

A signal breaks when it is beyond its limit without a break for its whole time; the metrics server is asked
just that, so that nothing has to be remembered between two looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.domain.checks import Address
from bot.domain.units import Duration, format_duration

FROZEN = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
STEPS = 60
"""Samples of a signal's time that the metrics server looks at."""
_ENOUGH = 45
"""Of them must be there: a gap is no evidence."""


class Signal(BaseModel):
    """One value of a live version with a limit: drift, accuracy against late labels, abstain rate."""

    model_config = FROZEN

    query: str = Field(
        min_length=1,
        description="PromQL with one value as its result; `{model}`, `{version}` and `{environment}` are "
        "filled in.",
    )
    above: float | None = Field(default=None, description="More than this is a breach.")
    below: float | None = Field(default=None, description="Less than this is a breach.")
    hold: Duration = Field(
        alias="for",
        ge=timedelta(minutes=1),
        le=timedelta(days=30),
        description="How long without a break the breach must last.",
    )

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.above is None) == (self.below is None):
            hint = "a second signal can have the other"
            raise PydanticCustomError("limit", "give either `above` or `below`", {"hint": hint})
        return self

    @property
    def limit(self) -> str:
        word, value = ("above", self.above) if self.above is not None else ("below", self.below)
        return f"{word} {value:g} for {format_duration(self.hold)}"

    def broken(self, filled: str) -> str:
        """PromQL with a value exactly while the signal is broken: the one nearest to its limit."""
        step = max(1, int(self.hold.total_seconds()) // STEPS)
        span = f"({filled})[{step * STEPS}s:{step}s]"
        nearest = f"min_over_time({span}) > {self.above!r}"
        if self.above is None:
            nearest = f"max_over_time({span}) < {self.below!r}"
        return f"({nearest}) and (count_over_time({span}) >= {_ENOUGH})"


class Retrain(BaseModel):
    """Ask for a new version when the live one is no longer good."""

    model_config = FROZEN

    signals: Annotated[Mapping[str, Signal], Field(min_length=1)] = Field(
        description="What is watched, by name."
    )
    after: Duration = Field(
        default=timedelta(days=7),
        description="How long a version must have been live before it may be asked.",
    )
    every: Duration = Field(
        default=timedelta(days=7),
        ge=timedelta(hours=1),
        description="At most one new version is asked for in this time.",
    )
    source: str = Field(
        default="default", description="The Prometheus connection, by its name in the settings."
    )
    event: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_.-]{1,100}$",
        description="Ask by a `repository_dispatch` event of this type in the GitOps repository.",
        examples=["slipway-retrain"],
    )
    workflow: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.ya?ml$",
        description="Ask by dispatching this workflow, with the inputs `model`, `version`, `environment` "
        "and `evidence`.",
        examples=["retrain.yml"],
    )
    webhook: Address | None = Field(default=None, description="Ask by posting to this address, as JSON.")
    tag: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_./ -]{1,200}$",
        description="Ask by this tag on the version in MLflow; its value says why.",
        examples=["slipway.retrain"],
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("event", "workflow", "webhook", "tag") if getattr(self, name) is not None]
        if len(ways) != 1:
            told = " and ".join(f"`{way}`" for way in ways) or "none"
            hint = "give exactly one of `event`, `workflow`, `webhook` and `tag`"
            raise PydanticCustomError("way", "whom is asked is said by {told}", {"told": told, "hint": hint})
        return self


@dataclass(frozen=True, slots=True)
class Retraining:
    """A new version that was asked for, with the evidence; `told_at` None: it was not told yet."""

    repository: str
    model: str
    environment: str
    version: str
    promotion: str
    signal: str
    reason: str
    evidence: Mapping[str, str]
    asked_at: datetime
    tried_at: datetime | None = None
    told_at: datetime | None = None
    trouble: str | None = None
    id: int = 0
