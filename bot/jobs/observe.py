"""What a decision needs to know, read from the outside and from the rows: no more than the stage asks for."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.commands import parse
from bot.domain.comparison import Comparison
from bot.domain.config import Environment, Model
from bot.domain.facts import Facts, Request
from bot.domain.gates import GateResult
from bot.domain.hold import Hold
from bot.domain.live import Liveness, LiveState
from bot.domain.policy import Policy
from bot.domain.promotion import UNMERGED, Promotion, Stage
from bot.domain.pull import Pull
from bot.jobs.canary import CanaryLook, Seen
from bot.jobs.configuration import Configurations
from bot.jobs.judge import Judge
from bot.jobs.outside import Outside
from bot.jobs.plan import Planner
from bot.jobs.store import Repository, RequestRow, Watched
from bot.ports import Forge, OutsideError

_REVERTING = frozenset({Stage.REVERTING})
_MERGED_LATER = frozenset({Stage.SYNCING, Stage.WATCHING, Stage.PASSED, Stage.HELD})


@dataclass(frozen=True, slots=True)
class Observation:
    """The facts of one look, and what performing and showing need beside them."""

    facts: Facts
    repository: Repository
    forge: Forge
    model: Model | None
    environment: Environment | None
    canary: Seen | None = None

    @property
    def watched(self) -> Watched | None:
        return self.canary.watched if self.canary is not None else None


class Observer:
    """Reads the world for one promotion."""

    def __init__(
        self, outside: Outside, configurations: Configurations, planner: Planner, judge: Judge
    ) -> None:
        self._outside = outside
        self._store = outside.store
        self._configurations = configurations
        self._planner = planner
        self._judge = judge
        self._canary = CanaryLook(outside)

    def observe(self, promotion: Promotion, now: datetime) -> Observation:
        """Raises OutsideError where the forge is away, without which nothing can be decided."""
        repository = self._store.repository(promotion.repository)
        if repository is None:
            raise _uninstalled(promotion)
        forge = self._outside.forge(repository)
        loaded = self._configurations.of(repository)
        model = loaded.config.models.get(promotion.model) if loaded is not None else None
        environment = model.environments.get(promotion.environment) if model is not None else None
        policy = loaded.policy(environment) if loaded is not None and environment is not None else Policy()
        pull, revert = self._pulls(promotion, forge)
        holds = tuple(self._store.holds(promotion.repository, promotion.model, promotion.environment))
        requests = self._requests(promotion, forge, policy)
        newer, overtaken = self._others(promotion)
        canary = self._watch(promotion, environment, policy, now)
        plan = self._plan(promotion, forge, model, environment, pull, requests)
        facts = Facts(
            environment=environment,
            policy=policy,
            next_environments=model.next_after(promotion.environment) if model is not None else (),
            requests=requests,
            holds=holds,
            quarantine=self._store.quarantine(
                promotion.repository, promotion.model, promotion.environment, promotion.candidate
            ),
            newer=newer,
            overtaken=overtaken,
            plan=plan,
            pull=pull,
            revert=revert,
            liveness=self._liveness(promotion, environment, forge),
            verdict=canary.verdict if canary is not None else None,
            gates=self._gates(promotion, forge, policy, model, pull, holds, now),
        )
        return Observation(facts, repository, forge, model, environment, canary)
