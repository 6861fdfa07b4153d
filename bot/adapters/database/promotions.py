"""Promotions: saved where nobody else saved first, woken by events, found when due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, and_, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.rows import Rows, at_place
from bot.adapters.database.tables import promotions, requests, transitions, watches, windows
from bot.domain.promotion import ENDED, Promotion, Stage
from bot.jobs.store import Loaded, Transition, Watched
from bot.jobs.tasks import RECONCILE

_PROMOTION = TypeAdapter(Promotion)
_ENDED = [stage.value for stage in ENDED]
_STEPPING = [Stage.WATCHING.value, Stage.HELD.value]
_RESTING = [*_ENDED, Stage.PASSED.value]
"""Only a command moves these: nothing that happens to their place does."""


class Promotions(Rows):
    """The part of the store about promotions."""

    def load(self, promotion: str) -> Loaded | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(promotions).where(promotions.c.id == promotion)).first()
        return None if row is None else Loaded(_promotion(row), row.wakes, row.wake_at)

    def of_pull(self, repository: str, pull: int, at: datetime | None = None) -> Promotion | None:
        named = (promotions.c.pull, promotions.c.revert_pull, promotions.c.step_pull, promotions.c.issue)
        mine = or_(*(column == pull for column in named))
        found = self._promotions(select(promotions).where(promotions.c.repository == repository, mine))
        then = [each for each in found if at is None or each.opened_at is None or each.opened_at <= at]
        return next(iter((then or found[:1])[-1:]), None)

    def of_commit(self, repository: str, sha: str) -> Sequence[Promotion]:
        named = [promotions.c.data[key].astext == sha for key in ("head_sha", "merge_sha", "revert_head_sha")]
        named.append(promotions.c.data["step"]["head_sha"].astext == sha)
        return self._promotions(select(promotions).where(promotions.c.repository == repository, or_(*named)))

    def under_way(self, repository: str, model: str, environment: str) -> Sequence[Promotion]:
        place = at_place(promotions, repository, model, environment)
        return self._promotions(select(promotions).where(place, promotions.c.stage.not_in(_ENDED)))

    def of_version(self, repository: str, model: str, environment: str, version: str) -> Sequence[Promotion]:
        place = at_place(promotions, repository, model, environment)
        return self._promotions(select(promotions).where(place, promotions.c.candidate == version))

    def of_place(self, repository: str, model: str, environment: str) -> Sequence[Promotion]:
        place = at_place(promotions, repository, model, environment)
        newest = select(promotions).where(place).order_by(promotions.c.created_at.desc()).limit(100)
        with self._engine.connect() as connection:
            return [_promotion(row) for row in connection.execute(newest)][::-1]

    def of_model_version(self, repository: str, model: str, version: str) -> Sequence[Promotion]:
        here = and_(promotions.c.repository == repository, promotions.c.model == model)
        return self._promotions(select(promotions).where(here, promotions.c.candidate == version))

    def recent(self, limit: int) -> Sequence[Promotion]:
        newest = select(promotions).order_by(promotions.c.created_at.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_promotion(row) for row in connection.execute(newest)]

    def of_stages(self, stages: Iterable[Stage]) -> Sequence[Promotion]:
        wanted = promotions.c.stage.in_([stage.value for stage in stages])
        return self._promotions(select(promotions).where(wanted))

    def open_pulls(self, repository: str) -> Mapping[int, str]:
        waiting = select(promotions).where(
            promotions.c.repository == repository,
            or_(
                promotions.c.stage.in_([Stage.OPEN.value, Stage.REVERTING.value]),
                promotions.c.step_pull.is_not(None) & promotions.c.stage.in_(_STEPPING),
            ),
        )
        pulls: dict[int, str] = {}
        for promotion in self._promotions(waiting):
            number = promotion.pull if promotion.stage is Stage.OPEN else promotion.revert_pull
            step = promotion.open_step
            pulls |= {
                each: promotion.id for each in (number, step.pull if step else None) if each is not None
            }
        return pulls

    def create(self, promotion: Promotion) -> bool:
        with self._engine.begin() as connection:
            created = connection.execute(
                insert(promotions)
                .values(**_columns(promotion), wake_at=func.now(), created_at=promotion.created_at)
                .on_conflict_do_nothing()
                .returning(promotions.c.id)
            ).first()
            if created is None:
                return False
            first = Transition(
                promotion.id,
                promotion.created_at,
                "",
                promotion.stage.value,
                promotion.requested_by,
                promotion.reason,
            )
            connection.execute(insert(transitions).values(_transition_columns(first)))
            self._defer(connection, RECONCILE, [{"promotion": promotion.id}])
        return True

    def save(
        self,
        before: Loaded,
        after: Promotion,
        *,
        wake_at: datetime | None,
        answered: Sequence[int] = (),
        actor: str = "slipway",
        watched: Watched | None = None,
    ) -> bool:
        woken = promotions.c.wakes != before.wakes
        saved = (
            update(promotions)
            .where(promotions.c.id == after.id, promotions.c.revision == before.promotion.revision)
            .values(
                **_columns(after),
                revision=promotions.c.revision + 1,
                wake_at=case((woken, func.now()), else_=wake_at),
            )
            .returning(promotions.c.id)
        )
        with self._engine.begin() as connection:
            if connection.execute(saved).first() is None:
                return False
            if after.stage is not before.promotion.stage:
                line = Transition(
                    after.id,
                    after.stage_since,
                    before.promotion.stage.value,
                    after.stage.value,
                    actor,
                    after.reason,
                )
                connection.execute(insert(transitions).values(_transition_columns(line)))
            if answered:
                done = update(requests).where(requests.c.id.in_(answered))
                connection.execute(done.values(answered_at=func.now()))
            if watched is not None:
                _save_watch(connection, after.id, watched)
        return True

    def wake(self, promotions_: Iterable[str]) -> None:
        self._wake(promotions.c.id.in_(list(promotions_)))

    def wake_place(self, repository: str, model: str | None, environment: str | None) -> None:
        place = [promotions.c.repository == repository, promotions.c.stage.not_in(_RESTING)]
        if model is not None:
            place.append(promotions.c.model == model)
        if environment is not None:
            place.append(promotions.c.environment == environment)
        self._wake(and_(*place))

    def _wake(self, which: Any) -> None:
        woken = (
            update(promotions)
            .where(which)
            .values(wakes=promotions.c.wakes + 1, wake_at=func.now())
            .returning(promotions.c.id)
        )
        with self._engine.begin() as connection:
            ids = connection.execute(woken).scalars().all()
            self._defer(connection, RECONCILE, [{"promotion": promotion} for promotion in ids])

    def come_back(self, promotion: str, wait: timedelta) -> None:
        earlier = func.least(promotions.c.wake_at, func.now() + wait)
        with self._engine.begin() as connection:
            connection.execute(update(promotions).where(promotions.c.id == promotion).values(wake_at=earlier))

    def claim_due(self, lease: timedelta, limit: int) -> int:
        due = (
            select(promotions.c.id)
            .where(promotions.c.wake_at <= func.now())
            .order_by(promotions.c.wake_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(promotions)
            .where(promotions.c.id.in_(due.scalar_subquery()))
            .values(wake_at=func.now() + lease)
            .returning(promotions.c.id)
        )
        with self._engine.begin() as connection:
            ids = connection.execute(claimed).scalars().all()
            self._defer(connection, RECONCILE, [{"promotion": promotion} for promotion in ids])
        return len(ids)

    @contextmanager
    def exclusive(self, key: str) -> Iterator[bool]:
        # A session lock: PostgreSQL frees it when the connection dies, so a killed process holds nothing.
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            number = func.hashtextextended(key, 0)
            mine = bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
            try:
                yield mine
            finally:
                if mine:
                    connection.execute(select(func.pg_advisory_unlock(number)))

    def transitions(self, promotion: str) -> Sequence[Transition]:
        lines = select(transitions).where(transitions.c.promotion == promotion).order_by(transitions.c.id)
        with self._engine.connect() as connection:
            return [
                Transition(row.promotion, row.at, row.stage_from, row.stage_to, row.actor, row.reason)
                for row in connection.execute(lines)
            ]

    def _promotions(self, wanted: Select[Any]) -> list[Promotion]:
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(promotions.c.created_at, promotions.c.id)).all()
        return [_promotion(row) for row in rows]


def _columns(promotion: Promotion) -> dict[str, Any]:
    return {
        "id": promotion.id,
        "repository": promotion.repository,
        "model": promotion.model,
        "environment": promotion.environment,
        "candidate": promotion.candidate,
        "stage": promotion.stage.value,
        "pull": promotion.pull,
        "revert_pull": promotion.revert_pull,
        "step_pull": promotion.step.pull if promotion.step is not None else None,
        "issue": promotion.issue,
        "data": _PROMOTION.dump_python(promotion, mode="json"),
    }


def _promotion(row: Row[Any]) -> Promotion:
    return _PROMOTION.validate_python({**row.data, "revision": row.revision})


def _transition_columns(line: Transition) -> dict[str, Any]:
    return {
        "promotion": line.promotion,
        "at": line.at,
        "stage_from": line.stage_from,
        "stage_to": line.stage_to,
        "actor": line.actor,
        "reason": line.reason,
    }


def _save_watch(connection: Connection, promotion: str, watched: Watched) -> None:
    statement = insert(watches).values(promotion=promotion, state=dict(watched.state))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["promotion"], set_={"state": statement.excluded.state}
        )
    )
    if watched.again:
        connection.execute(delete(windows).where(windows.c.promotion == promotion))
    if watched.windows:
        rows = [{"promotion": promotion, "data": dict(window)} for window in watched.windows]
        connection.execute(insert(windows), rows)
