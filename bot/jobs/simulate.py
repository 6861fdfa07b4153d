"""What Slipway would do about a pull request now, and why. Everything is read, nothing is done."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.commands import Promote
from bot.domain.decide import Decision, decide
from bot.domain.promotion import Promotion, Stage
from bot.domain.situation import Request, Situation
from bot.jobs.configuration import Configurations
from bot.jobs.judge import Judge
from bot.jobs.observe import Observer
from bot.jobs.outside import Outside
from bot.jobs.plan import Planner

SOMEBODY = "somebody who may"


@dataclass(frozen=True, slots=True)
class Simulated:
    """A promotion, what was seen of it, and what would follow."""

    promotion: Promotion
    situation: Situation
    now: Decision
    promoted: Decision | None
    """The same, had somebody who may just said `/promote`; None where it is past that."""


class Simulator:
    """Looks and decides as the engine does, and stops there."""

    def __init__(self, outside: Outside, configurations: Configurations) -> None:
        self._store = outside.store
        self._observer = Observer(outside, configurations, Planner(outside), Judge(outside))

    def pull(self, repository: str, number: int, now: datetime) -> Simulated | None:
        """The promotion whose bump or revert this pull request is, as of `now`; None where it is nobody's.

        Raises OutsideError where the forge is away.
        """
        promotion = self._store.of_pull(repository, number)
        if promotion is None:
            return None
        situation = self._observer.observe(promotion, now).situation
        return Simulated(
            promotion,
            situation,
            decide(promotion, situation, now),
            _promoted(promotion, situation, now) if promotion.stage is Stage.OPEN else None,
        )


def _promoted(promotion: Promotion, situation: Situation, now: datetime) -> Decision:
    word = Request(0, SOMEBODY, Promote())
    return decide(promotion, replace(situation, requests=(*situation.requests, word)), now)
