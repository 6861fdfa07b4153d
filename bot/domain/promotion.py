"""One version on its way into one environment: the record. What may change it is `bot.domain.decide`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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

    `target` is its place in the environment's `targets:`, from 0.
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
    """Why whoever armed it passes over gates that do not hold."""
    live_at: datetime | None = None
    verdict: Verdict | None = None
    revert_pull: int | None = None
    revert_head_sha: str | None = None
    revert_merge_sha: str | None = None
    revert_reason: str | None = None
    reverted_by: str | None = None
    revert_armed_by: str | None = None
    watch_extra: float = 0.0
    """Seconds that people added to the watch."""
    due: tuple[AliasDue | TagDue, ...] = ()
    """What the registry must still learn. Kept here so that a registry that is away never delays Git."""
    shown: str | None = None
    """Digest of the status comment as last written."""
    shown_at: datetime | None = None
    failures: int = 0
    """Attempts in a row that ended in trouble outside; the wait grows with it."""
