"""What people outside of the pull request are told: which transitions are news, and what is said. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.promotion import Stage


class Happening(StrEnum):
    """What may be news of a promotion."""

    OPENED = "opened"
    """Its pull request is open."""
    APPROVAL = "approval"
    """Its pull request is open and waits for people to approve it."""
    MERGED = "merged"
    """It is on its way into the environment."""
    PASSED = "passed"
    """It is live, and the canary passed."""
    HELD = "held"
    """It is merged, and a person must decide."""
    REVERTING = "reverting"
    """It failed or was taken back; the revert is being opened."""
    REVERTED = "reverted"
    """The baseline is live again."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news; `id` stays the same however often it is delivered."""

    id: str
    happenings: tuple[Happening, ...]
    """The one that counts last; those before it happened on the way, within one look."""
    at: datetime
    repository: str
    model: str
    version: str
    baseline: str | None
    environment: str
    actor: str
    reason: str
    """Plain text with hostile parts."""
    pull: int | None
    url: str | None
    """The page of the pull request."""


_ENDS = {
    Stage.PASSED: Happening.PASSED,
    Stage.HELD: Happening.HELD,
    Stage.REVERTING: Happening.REVERTING,
    Stage.REVERTED: Happening.REVERTED,
}


def happenings(before: str, after: str, *, approvals: int) -> tuple[Happening, ...]:
    """The news in one transition, in its order; `approvals`: how many the policy wants."""
    if after == Stage.OPEN:
        return (Happening.OPENED, Happening.APPROVAL) if approvals else (Happening.OPENED,)
    merged = before == Stage.OPEN and after != Stage.CLOSED
    end = _ENDS.get(Stage(after))
    return ((Happening.MERGED,) if merged else ()) + ((end,) if end else ())
