"""A gate is a check that must hold before a promotion may be merged; it always answers with a reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Enforce(StrEnum):
    """What a gate that does not hold does."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class GateResult:
    """The answer of one gate: whether it holds, and the sentence that the reviewer reads.

    `pending` marks a gate that nobody has broken and time or a person will settle (approvals, soak,
    image not built yet); it still does not hold. `until` is the moment at which time alone will have
    settled it. The reason is plain text with hostile parts: `bot.messages` escapes it.
    """

    id: str
    holds: bool
    reason: str
    enforce: Enforce = Enforce.BLOCK
    pending: bool = False
    until: datetime | None = None

    @property
    def blocks(self) -> bool:
        return not self.holds and self.enforce is Enforce.BLOCK


def blocking(results: Iterable[GateResult]) -> tuple[GateResult, ...]:
    """The gates that stand in the way of a merge, in their order."""
    return tuple(result for result in results if result.blocks)
