"""One version on its way into one environment: the record. What may change it is `bot.domain.decide`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.checks import CheckResult
from bot.domain.verdict import Verdict


class Stage(StrEnum):
    """Where a promotion is."""

    WAITING = "waiting"
    """Named, no pull request yet: image absent, a hold, the earlier environment not verified."""
    OPEN = "open"
    """The bump pull request is open."""
    SYNCING = "syncing"
    """Merged; the cluster is bringing it live."""
    WATCHING = "watching"
    """Live; the canary watches."""
    PASSED = "passed"
    """The canary passed. Ends here unless somebody says `/rollback`."""
    HELD = "held"
    """Merged, and a person must decide: inconclusive, no data, sync failed, revert impossible."""
    REVERTING = "reverting"
    """The revert pull request is being opened, merged and synced."""
    REVERTED = "reverted"
    """The baseline is pinned again. The end."""
    CLOSED = "closed"
    """The bump was closed without a merge. The end."""


UNMERGED = frozenset({Stage.WAITING, Stage.OPEN})
ENDED = frozenset({Stage.REVERTED, Stage.CLOSED})


@dataclass(frozen=True, slots=True)
class PinChange:
    """What one target pinned before the bump and pins after it.

    `target` is its place in the environment's `pins`, from 0: its `targets:`, then what `traffic:` names.
    """

    target: int
    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class AliasDue:
    """The registry's alias still has to be pointed to this version."""

    alias: str
    version: str


@dataclass(frozen=True, slots=True)
class TagDue:
    """How the version fared still has to be written down in the registry."""

    version: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class TrafficStep:
    """The newest pull request that changes the candidate's share of the traffic; 0 takes it all away.

    `changes` are the pins that it writes; `merge_sha` is None until it is merged.
    """

    weight: int
    pull: int
    head_sha: str
    changes: tuple[PinChange, ...] = ()
    merge_sha: str | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """One version on its way into one environment."""

    id: str
    repository: str
    model: str
    environment: str
    candidate: str
    baseline: str | None
    stage: Stage
    requested_by: str
    created_at: datetime
    stage_since: datetime
    reason: str = ""
    """Why it is where it is: the sentence that a person reads."""
    revision: int = 0
    issue: int | None = None
    """Where people are told, and can answer, while there is no pull request."""
    pull: int | None = None
    branch: str | None = None
    """Of the pull request, once there is one."""
    opened_at: datetime | None = None
    """When its bump first stood in the pull request, which may be an older candidate's that goes on."""
    ready: bool = False
    """Waiting, and nothing but the older open bump is in the way of its own."""
    head_sha: str | None = None
    merge_sha: str | None = None
    merged_at: datetime | None = None
    changes: tuple[PinChange, ...] = ()
    image: str | None = None
    """The image that the bump pins, where it pins one."""
    armed_by: str | None = None
    armed_request: int | None = None
    """The `/promote` that armed it: its answer is edited when something comes of it."""
    override: str | None = None
    """Why whoever armed it lets it through a freeze; every other gate must hold all the same."""
    live_at: datetime | None = None
    verdict: Verdict | None = None
    revert_pull: int | None = None
    revert_head_sha: str | None = None
    revert_merge_sha: str | None = None
    revert_reason: str | None = None
    reverted_by: str | None = None
    revert_armed_by: str | None = None
    steps: tuple[int, ...] = ()
    """The shares of the traffic, in percent, that the candidate gets one after the other."""
    weight: int | None = None
    """The share that the default branch gives it; None where it is not given in steps, or no longer."""
    step: TrafficStep | None = None
    checks: tuple[CheckResult, ...] = ()
    """How the environment's checks went, each with its newest answer."""
    vouched_by: str | None = None
    """Who said `/canary pass` for the share that it has."""
    watch_extra: float = 0.0
    """Seconds that people added to the watch."""
    due: tuple[AliasDue | TagDue, ...] = ()
    """What the registry must still learn. Kept here so that a registry that is away never delays Git."""
    shown: str | None = None
    """Digest of the status comment as last written."""
    shown_at: datetime | None = None
    checked: str | None = None
    """Digest of the check runs as last written."""
    checked_at: datetime | None = None
    deployed: str | None = None
    """Digest of the deployments as last written."""
    failures: int = 0
    """Attempts in a row that ended in trouble outside; the wait grows with it."""

    @property
    def open_step(self) -> TrafficStep | None:
        """The step whose pull request nobody has merged yet."""
        return self.step if self.step is not None and self.step.merge_sha is None else None

    @property
    def live_commit(self) -> str | None:
        """The newest of its commits on the default branch that the cluster must bring live."""
        merged = self.step.merge_sha if self.step is not None else None
        return merged or self.merge_sha

    @property
    def next_weight(self) -> int | None:
        """The share after the one that it has; None after the last, and without steps."""
        if self.weight is None:
            return None
        return next((weight for weight in self.steps if weight > self.weight), None)
