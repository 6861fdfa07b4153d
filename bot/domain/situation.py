"""The small read-only view of the world that one decision is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.build import BuildOrder
from bot.domain.commands import Command
from bot.domain.config import Environment
from bot.domain.gates import GateResult
from bot.domain.hold import Hold, Quarantine
from bot.domain.live import Liveness
from bot.domain.policy import Policy
from bot.domain.promotion import PinChange
from bot.domain.pull import Pull
from bot.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Request:
    """A command that a person gave and nobody has answered yet; `denied` says why it may not be obeyed."""

    id: int
    author: str
    command: Command
    denied: str | None = None
    not_everything: str | None = None
    """Of a `/release`: why this person may not lift a hold on everything."""
    via_revert: bool = False
    """Whether it was given in the revert pull request."""


@dataclass(frozen=True, slots=True)
class BumpPlan:
    """The files that would change on today's default branch, and the pins in them."""

    base_sha: str
    edits: Mapping[str, bytes]
    changes: tuple[PinChange, ...]
    baseline: str | None
    image: str | None = None
    """The image among the pins, with its digest where the model wants one."""
    steps: tuple[int, ...] = ()
    """The shares of the traffic that follow one another; the first is among the edits."""


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Why no bump can be made now; `settled` when the candidate is pinned already."""

    reason: str
    settled: bool = False
    gave_up: bool = False
    build: BuildOrder | None = None
    """The image that has to be built first, where nobody was asked to yet."""


@dataclass(frozen=True, slots=True)
class Soaking:
    """Until when the earlier environment runs the version for as long as the policy wants.

    `cut_short`: why it never will, where another version came too early.
    """

    environment: str
    until: datetime
    cut_short: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What was observed; None where it was not asked for because the stage does not need it."""

    environment: Environment | None
    policy: Policy
    next_environments: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    holds: tuple[Hold, ...] = ()
    quarantine: Quarantine | None = None
    newer: str | None = None
    """The version of a newer promotion that wants the same target and could have its bump at once."""
    older: str | None = None
    """The version of the older promotion whose bump is open here."""
    soaking: Soaking | None = None
    overtaken: str | None = None
    """The version of a promotion that was merged there after this one."""
    plan: BumpPlan | NoPlan | None = None
    pull: Pull | None = None
    gates: tuple[GateResult, ...] = ()
    revert: Pull | None = None
    step: Pull | None = None
    """The pull request of the traffic step that is not merged yet."""
    frozen: str | None = None
    """Why a traffic step may not be merged now, where a freeze says so."""
    liveness: Liveness | None = None
    verdict: Verdict | None = None
