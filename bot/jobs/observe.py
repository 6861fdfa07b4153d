"""What a decision needs to know, read from the outside and from the rows: no more than the stage asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.authorization import Action, Denied, action_of
from bot.domain.commands import Release, Retry
from bot.domain.config import Environment, Model
from bot.domain.freeze import freeze_on
from bot.domain.hold import Hold
from bot.domain.live import Liveness, LiveState
from bot.domain.policy import Policy
from bot.domain.promotion import Promotion, Stage
from bot.domain.pull import Pull, PullState
from bot.domain.situation import Request, Situation, Soaking
from bot.jobs import own_series
from bot.jobs.authority import permitted
from bot.jobs.canary import CanaryLook, Seen
from bot.jobs.configuration import Configurations
from bot.jobs.events import COMMANDS
from bot.jobs.judge import Judge, Place
from bot.jobs.outside import Outside
from bot.jobs.plan import Planner
from bot.jobs.store import Repository, RequestRow, Watched
from bot.ports import Forge, OutsideError, Refused, Unavailable

_STEPPING = frozenset({Stage.WATCHING, Stage.HELD, Stage.REVERTING})
_ACTIVE = frozenset({Stage.SYNCING, Stage.WATCHING, Stage.REVERTING})


@dataclass(frozen=True, slots=True)
class Observation:
    """The situation at one look, and what performing and showing need beside them."""

    situation: Situation
    repository: Repository
    forge: Forge
    model: Model | None
    environment: Environment | None
    place: Place | None = None
    canary: Seen | None = None
    more: bool = False
    """Further requests wait: each is obeyed in a look of its own, and so sees what the one before it did."""

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
            raise Refused("GitHub", f"the App is not installed in {promotion.repository} any more")
        forge = self._outside.forge(repository)
        configured = self._configurations.of(repository)
        model = configured.config.promoted.get(promotion.model) if configured is not None else None
        environment = model.environments.get(promotion.environment) if model is not None else None
        policy = (
            configured.policy(environment)
            if configured is not None and environment is not None
            else Policy(name="none")
        )
        here = (promotion.repository, promotion.model, promotion.environment)
        others = _Others.among(promotion, self._store.under_way(*here))
        pull = _pull(forge, promotion.pull, wanted=promotion.stage is Stage.OPEN)
        place = (
            Place(
                environment,
                policy,
                configured.calendars,
                tuple(self._store.holds(*here)),
                self._store.quarantine(*here, promotion.candidate),
                others.busy,
            )
            if configured is not None and environment is not None
            else None
        )
        canary = self._watch(promotion, environment, policy, now)
        rows = self._pending(promotion)
        holds = place.holds if place is not None else ()
        requests = self._requests(rows[:1], promotion, forge, policy, holds)
        situation = Situation(
            environment=environment,
            policy=policy,
            next_environments=model.next_after(promotion.environment) if model is not None else (),
            requests=requests,
            holds=holds,
            quarantine=place.quarantine if place is not None else None,
            newer=others.newer,
            older=others.open_before,
            soaking=self._soaking(promotion, environment, policy),
            overtaken=others.overtaken,
            plan=(
                self._planner.bump(promotion, forge, model, environment, now, retry=_retried(requests))
                if model is not None and environment is not None and _wants_plan(promotion, pull, requests)
                else None
            ),
            pull=pull,
            gates=(
                self._judge.gates(promotion, place, forge, pull, now)
                if place is not None and pull is not None and pull.state is PullState.OPEN
                else ()
            ),
            revert=_pull(forge, promotion.revert_pull, wanted=promotion.stage is Stage.REVERTING),
            step=_pull(
                forge,
                promotion.open_step.pull if promotion.open_step else None,
                wanted=promotion.stage in _STEPPING,
            ),
            frozen=(
                freeze.reason
                if configured is not None
                and promotion.next_weight
                and promotion.override is None
                and (freeze := freeze_on(policy.freeze, now, configured.calendars))
                else None
            ),
            liveness=self._liveness(promotion, environment, forge, now),
            verdict=canary.verdict if canary is not None else None,
        )
        return Observation(situation, repository, forge, model, environment, place, canary, len(rows) > 1)

    def _pending(self, promotion: Promotion) -> Sequence[RequestRow]:
        step = promotion.step.pull if promotion.step is not None else None
        mine = (promotion.issue, promotion.pull, promotion.revert_pull, step)
        pulls = [number for number in mine if number is not None]
        return self._store.pending_requests(promotion.repository, pulls, promotion.id) if pulls else ()

    def _requests(
        self,
        rows: Sequence[RequestRow],
        promotion: Promotion,
        forge: Forge,
        policy: Policy,
        holds: Sequence[Hold],
    ) -> tuple[Request, ...]:
        everything = any(hold.model is None for hold in holds)
        return tuple(self._request(row, promotion, forge, policy, everything=everything) for row in rows)

    def _request(
        self, row: RequestRow, promotion: Promotion, forge: Forge, policy: Policy, *, everything: bool
    ) -> Request:
        """`everything`: whether everything is on hold, which takes a right of its own to lift."""

        def denied(action: Action) -> str | None:
            answer = permitted(forge, policy, promotion, row.author, action)
            return answer.reason if isinstance(answer, Denied) else None

        command = COMMANDS.load(row.command)
        lifting = everything and isinstance(command, Release)
        return Request(
            id=row.id,
            author=row.author,
            command=command,
            denied=denied(action_of(command)),
            not_everything=denied(Action.HOLD_ALL) if lifting else None,
            via_revert=row.pull == promotion.revert_pull,
        )

    def _soaking(
        self, promotion: Promotion, environment: Environment | None, policy: Policy
    ) -> Soaking | None:
        if promotion.stage is not Stage.WAITING or environment is None or not policy.soak:
            return None
        earlier = self._judge.earlier(promotion, environment)
        if earlier is None or earlier.verified_at is None:
            return None
        return Soaking(earlier.name, earlier.verified_at + policy.soak, earlier.cut_short(policy.soak))

    def _liveness(
        self, promotion: Promotion, environment: Environment | None, forge: Forge, now: datetime
    ) -> Liveness | None:
        if promotion.stage is Stage.SYNCING:
            commit = promotion.live_commit
        elif promotion.stage is Stage.REVERTING:
            commit = promotion.revert_merge_sha or (promotion.live_commit if promotion.weight == 0 else None)
        else:
            return None
        if commit is None:
            return None
        if environment is None or environment.argocd is None or self._outside.cluster is None:
            if promotion.stage is Stage.SYNCING:
                slo = environment.slo if environment is not None else None
                return own_series.liveness(self._outside, promotion, slo, now)
            # Of the baseline's pods nothing tells whether they are the old ones or new ones.
            return Liveness(LiveState.LIVE, "No Argo CD application is configured.", revision=commit)
        try:
            url = self._outside.repository_url(promotion.repository)
            return self._outside.cluster.liveness(environment.argocd, commit, url, forge)
        except OutsideError as trouble:
            # Argo CD's absence says nothing about the sync: the deadline waits for it. A clear no (no such
            # application, no right) may end by itself too, but somebody must hear of one that does not.
            away = isinstance(trouble, Unavailable)
            state = LiveState.WAITING if away else LiveState.SYNCING
            return Liveness(state, f"Argo CD cannot be asked: {trouble.message}")

    def _watch(
        self, promotion: Promotion, environment: Environment | None, policy: Policy, now: datetime
    ) -> Seen | None:
        if promotion.stage is not Stage.WATCHING or environment is None or environment.slo is None:
            return None
        told = environment.argocd is not None and self._outside.cluster is not None
        return self._canary.look(promotion, environment.slo, policy, now, live_is_told=told)


@dataclass(frozen=True, slots=True)
class _Others:
    """What other promotions of the same place mean for this one."""

    newer: str | None
    """Was asked for later, and its bump is open or could be."""
    open_before: str | None
    """Has the target's one open bump."""
    overtaken: str | None
    """Was merged after this one."""
    busy: str | None

    @classmethod
    def among(cls, promotion: Promotion, under_way: Sequence[Promotion]) -> "_Others":
        others = [other for other in under_way if other.id != promotion.id]
        newer = [
            other
            for other in others
            if (other.stage is Stage.OPEN or other.ready)
            and (other.created_at, other.id) > (promotion.created_at, promotion.id)
        ]
        before = [other for other in others if other.stage is Stage.OPEN]
        later = [
            other
            for other in others
            if promotion.merged_at is not None
            and other.merged_at is not None
            and other.merged_at > promotion.merged_at
        ]
        active = [other for other in others if other.stage in _ACTIVE]
        return cls(
            newer=newer[-1].candidate if newer else None,
            open_before=before[0].candidate if before else None,
            overtaken=later[-1].candidate if later else None,
            busy=f"version {active[0].candidate} is {active[0].stage.value} here" if active else None,
        )


def _pull(forge: Forge, number: int | None, *, wanted: bool) -> Pull | None:
    return forge.pull(number) if wanted and number is not None else None


def _retried(requests: Sequence[Request]) -> bool:
    return any(isinstance(request.command, Retry) and request.denied is None for request in requests)


def _wants_plan(promotion: Promotion, pull: Pull | None, requests: Sequence[Request]) -> bool:
    """Whether a bump may have to be made, for the first time or anew: planning one reads files from Git."""
    if promotion.stage is Stage.OPEN:
        return _retried(requests) or (pull is not None and pull.mergeable is False)
    return promotion.stage is Stage.WAITING
