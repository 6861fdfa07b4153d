"""Whether a merged commit is live in the cluster, and if not, why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LiveState(StrEnum):
    LIVE = "live"
    SYNCING = "syncing"
    WAITING = "waiting"
    """Somebody or something must act first: manual sync, a closed sync window."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Liveness:
    """What the cluster says of "this merge commit or a later one is live and healthy"."""

    state: LiveState
    reason: str
    revision: str | None = None
    since: datetime | None = None
    url: str | None = None
    paused: bool = False
    """Synced, and at rest in the middle of a rollout: what a traffic step waits for."""
