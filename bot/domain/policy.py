"""Policies: what must hold before a merge, and what may happen by itself after it."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CanaryPolicy(BaseModel):
    """How long and how strictly the candidate is watched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bake: timedelta = Field(
        default=timedelta(minutes=15), description="How long the candidate must keep its SLOs."
    )
    max_bake: timedelta = Field(
        default=timedelta(hours=1), description="Longest extension when requests are few."
    )
    interval: timedelta = Field(
        default=timedelta(seconds=15), description="Time between two looks at the metrics."
    )
    confidence: float = Field(default=0.999, description="1 minus the chance to revert a healthy version.")
    min_requests: int = Field(default=50, description="Fewer requests than this are no evidence either way.")
    warm_up: timedelta = Field(
        default=timedelta(minutes=1), description="Only a service plainly down reverts here."
    )


class Policy(BaseModel):
    """One policy file, `extends` already resolved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    promote: Literal["on_command", "automatic"] = "on_command"
    revert: Literal["merge", "propose"] = "merge"
    on_failure: Literal["revert", "report"] = "revert"
    canary: CanaryPolicy = CanaryPolicy()
    live_within: timedelta = timedelta(minutes=15)
