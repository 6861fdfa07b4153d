"""Policies: what must hold before a merge, and what may happen by itself after it.

A policy is a YAML file that a team reviews like code.
Reading the files is `bot.domain.policies`.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.alert_rule import AlertRule
from bot.domain.authorization import Action
from bot.domain.comparison import Direction
from bot.domain.freeze import FreezeWindow
from bot.domain.gate import Enforce
from bot.domain.pull import Permission
from bot.domain.units import Duration, Fraction

FROZEN = ConfigDict(frozen=True, extra="forbid")
_ID = r"^[a-z][a-z0-9-]{0,39}$"
_ATTESTATION = re.compile(r"\b(signed|sbom)\b")
_TEAM = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"

Role = Literal["read", "triage", "write", "maintain", "admin"]


class CanaryPolicy(BaseModel):
    """How long and how strictly the candidate is watched."""

    model_config = FROZEN

    bake: Duration = Field(
        default=timedelta(minutes=15), description="How long the candidate must keep its SLOs."
    )
    max_bake: Duration = Field(
        default=timedelta(hours=1), description="Longest extension when requests are few."
    )
    interval: Duration = Field(
        default=timedelta(seconds=15), description="Time between two looks at the metrics."
    )
    confidence: Fraction = Field(
        default=0.999, gt=0.5, lt=1, description="1 minus the chance to revert a healthy version."
    )
    min_requests: int = Field(
        default=50, ge=1, description="Fewer requests than this are no evidence either way."
    )
    warm_up: Duration = Field(
        default=timedelta(minutes=1), description="Only a service plainly down reverts here."
    )
    alerts: tuple[str | AlertRule, ...] = Field(
        default=(),
        description="Alerts that fail the candidate when Alertmanager says that they fire: names, or "
        "names with labels.",
        examples=[["ModelErrorsHigh"]],
    )


class ExpressionGate(BaseModel):
    """A rule of the team: a CEL expression over the documented facts."""

    model_config = FROZEN

    id: str = Field(pattern=_ID, description="Its name in the pull request.", examples=["accuracy"])
    expression: str = Field(
        min_length=1,
        description="What must be true, in CEL.",
        examples=["candidate.metrics.accuracy >= 0.9"],
    )
    message: str = Field(
        default="",
        max_length=500,
        description="What the reviewer reads when it does not hold, with facts such as "
        "`{candidate.metrics.accuracy}` filled in.",
    )
    holds: str = Field(
        default="",
        max_length=500,
        description="What the reviewer reads when it holds; else the facts that it names.",
    )
    enforce: Enforce = Field(default=Enforce.BLOCK, description="`block` the merge, or only `warn`.")


class Approvals(BaseModel):
    """Reviews that approve exactly the commit that will be merged, by people who may write here."""

    model_config = FROZEN

    count: int = Field(default=0, ge=0, le=10, description="How many people.")
    teams: tuple[str, ...] = Field(default=(), description="They must belong to one of these teams.")
    exclude_author: bool = Field(default=True, description="Whoever asked for the promotion does not count.")


class Right(BaseModel):
    """Who may give a command: a role in the repository, and a team if one is named."""

    model_config = FROZEN

    role: Role = Field(default="write", description="At least this role in the repository.")
    teams: tuple[str, ...] = Field(default=(), description="And a member of one of these teams.")
    own: bool = Field(default=True, description="Also for a promotion that the person asked for.")

    @property
    def permission(self) -> Permission:
        return Permission[self.role.upper()]


class MetricsPolicy(BaseModel):
    """How metrics are judged."""

    model_config = FROZEN

    tolerance: Fraction = Field(
        default=0.02, description="How much worse than the baseline counts as not worse, in parts of it."
    )
    directions: Mapping[str, Direction] = Field(
        default={}, description="Which way a metric is better, where its name does not tell."
    )


class Policy(BaseModel):
    """One policy, `extends` already resolved."""

    model_config = FROZEN

    name: str = Field(default="", description="The name of the file without `.yaml`.")
    description: str = Field(default="", max_length=500, description="What it is for.")
    promote: Literal["on_command", "automatic"] = Field(
        default="on_command", description="`automatic` merges once the gates hold, without a comment."
    )
    revert: Literal["merge", "propose"] = Field(
        default="merge", description="Merge the revert pull request, or leave that to a person."
    )
    on_failure: Literal["revert", "report"] = Field(
        default="revert", description="What a failed canary does."
    )
    supersede: Literal["close", "update"] = Field(
        default="close",
        description="A newer candidate closes the open pull request and opens its own, or updates it.",
    )
    canary: CanaryPolicy = Field(
        default=CanaryPolicy(), description="How the candidate is watched once it is live."
    )
    live_within: Duration = Field(
        default=timedelta(minutes=15), description="A merged promotion that is not live by then is held."
    )
    soak: Duration = Field(
        default=timedelta(0), description="How long it must have run in the earlier environment."
    )
    approvals: Approvals = Field(default=Approvals(), description="Who must approve before a merge.")
    freeze: tuple[FreezeWindow, ...] = Field(default=(), description="When nothing merges.")
    metrics: MetricsPolicy = Field(default=MetricsPolicy(), description="How metrics are compared.")
    gates: tuple[ExpressionGate, ...] = Field(default=(), description="The team's own rules, in their order.")
    commands: Mapping[Action, Right] = Field(
        default={}, description="Who may do what, where it is not as everywhere."
    )

    @property
    def asks_for_attestations(self) -> bool:
        """Whether a gate names what is attached to the image; finding out takes requests."""
        return any(_ATTESTATION.search(gate.expression) for gate in self.gates)


class BrokenPolicy(Policy):
    """Stands for a policy that cannot be read: it blocks everything, and says why."""

    reasons: tuple[str, ...]


class PolicyFile(Policy):
    """One file as it is written."""

    extends: str | None = Field(
        default=None, description="The policy that this one builds on.", examples=["baseline"]
    )
