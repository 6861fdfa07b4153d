"""The store in PostgreSQL: each method is one transaction, wake-ups included.

A wake-up is a row's `wake_at` plus a Procrastinate job deferred in the same transaction. The job is
for speed; the row is the truth, and `claim_due` finds whatever a lost job left behind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import procrastinate
import psycopg
from procrastinate.types import JSONValue
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, Row, Select, and_, case, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.tables import (
    deliveries,
    holds,
    promotions,
    quarantines,
    repositories,
    requests,
    transitions,
    wanted,
    watches,
    windows,
)
from bot.domain.hold import Hold, Quarantine
from bot.domain.promotion import ENDED, Promotion, Stage
from bot.jobs.store import Delivery, Loaded, Repository, RequestRow, Transition, Watched
from bot.jobs.tasks import RECEIVE, RECONCILE

_PROMOTION = TypeAdapter(Promotion)
_MOST_ATTEMPTS = 20
_ENDED = [stage.value for stage in ENDED]


class PostgresStore:
    """`bot.jobs.store.Store` on an SQLAlchemy engine (psycopg)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Never opened: it only writes jobs on the connections of this store's own transactions.
        self._queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

    # -- deliveries --------------------------------------------------------------------------------

    def accept(self, delivery: Delivery) -> bool:
        row = {"source": delivery.source, "id": delivery.id, "event": delivery.event}
        with self._engine.begin() as connection:
            new = connection.execute(
                insert(deliveries).values(row).on_conflict_do_nothing().returning(deliveries.c.id)
            ).first()
            if new is not None:
                self._defer(connection, RECEIVE, [{"source": delivery.source, "delivery": delivery.id}])
        return new is not None

    def delivery(self, source: str, delivery_id: str) -> Delivery | None:
        wanted = select(deliveries.c.event).where(
            deliveries.c.source == source, deliveries.c.id == delivery_id, deliveries.c.finished_at.is_(None)
        )
        with self._engine.connect() as connection:
            event = connection.scalar(wanted)
        return None if event is None else Delivery(source, delivery_id, event)

    def finish(self, source: str, delivery_id: str) -> None:
        done = (
            update(deliveries)
            .where(deliveries.c.source == source, deliveries.c.id == delivery_id)
            .values(finished_at=func.now())
        )
        with self._engine.begin() as connection:
            connection.execute(done)

    def recover(self, lease: timedelta) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(promotions)
                .where(promotions.c.wake_at <= func.now() + lease)
                .values(wake_at=func.now())
            )
            connection.execute(
                update(deliveries)
                .where(deliveries.c.finished_at.is_(None))
                .values(deferred_at=func.now() - lease)
            )

    def reclaim_deliveries(self, lease: timedelta) -> int:
        claimed = (
            update(deliveries)
            .where(
                deliveries.c.finished_at.is_(None),
                deliveries.c.deferred_at < func.now() - lease,
                deliveries.c.attempts < _MOST_ATTEMPTS,
            )
            .values(deferred_at=func.now(), attempts=deliveries.c.attempts + 1)
            .returning(deliveries.c.source, deliveries.c.id)
        )
        with self._engine.begin() as connection:
            rows = connection.execute(claimed).all()
            self._defer(connection, RECEIVE, [{"source": row.source, "delivery": row.id} for row in rows])
        return len(rows)

    # -- repositories ------------------------------------------------------------------------------

    def repositories(self) -> Sequence[Repository]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(repositories).order_by(repositories.c.name)).all()
        return [_repository(row) for row in rows]

    def repository(self, name: str) -> Repository | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(repositories).where(repositories.c.name == name)).first()
        return None if row is None else _repository(row)

    def set_repositories(self, installed: Iterable[tuple[int, str]]) -> None:
        rows = [{"name": name, "installation": installation} for installation, name in installed]
        with self._engine.begin() as connection:
            gone = repositories.c.name.not_in([row["name"] for row in rows])
            connection.execute(delete(repositories).where(gone))
            if rows:
                statement = insert(repositories)
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["name"], set_={"installation": statement.excluded.installation}
                    ),
                    rows,
                )

    def set_heard(self, name: str, at: datetime) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(repositories).where(repositories.c.name == name).values(heard_at=at))

    def set_configuration(self, name: str, files: Mapping[str, str], commit: str) -> None:
        changed = update(repositories).where(repositories.c.name == name)
        with self._engine.begin() as connection:
            connection.execute(changed.values(files=dict(files), commit=commit))

    # -- promotions --------------------------------------------------------------------------------

    def load(self, promotion: str) -> Loaded | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(promotions).where(promotions.c.id == promotion)).first()
        return None if row is None else Loaded(_promotion(row), row.wakes, row.wake_at)

    def of_pull(self, repository: str, pull: int) -> Promotion | None:
        mine = or_(promotions.c.pull == pull, promotions.c.revert_pull == pull)
        found = self._promotions(select(promotions).where(promotions.c.repository == repository, mine))
        return found[-1] if found else None

    def under_way(self, repository: str, model: str, environment: str) -> Sequence[Promotion]:
        place = _place(promotions, repository, model, environment)
        return self._promotions(select(promotions).where(place, promotions.c.stage.not_in(_ENDED)))

    def of_version(self, repository: str, model: str, environment: str, version: str) -> Sequence[Promotion]:
        place = _place(promotions, repository, model, environment)
        return self._promotions(select(promotions).where(place, promotions.c.candidate == version))

    def of_place(self, repository: str, model: str, environment: str) -> Sequence[Promotion]:
        place = _place(promotions, repository, model, environment)
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

    def open_pulls(self, repository: str) -> Mapping[int, str]:
        waiting = select(promotions).where(
            promotions.c.repository == repository,
            promotions.c.stage.in_([Stage.OPEN.value, Stage.REVERTING.value]),
        )
        pulls: dict[int, str] = {}
        for promotion in self._promotions(waiting):
            number = promotion.pull if promotion.stage is Stage.OPEN else promotion.revert_pull
            if number is not None:
                pulls[number] = promotion.id
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
        place = [promotions.c.repository == repository, promotions.c.stage.not_in(_ENDED)]
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

    # -- requests ----------------------------------------------------------------------------------

    def add_requests(self, rows: Sequence[RequestRow]) -> int:
        if not rows:
            return 0
        values = [
            {
                "repository": row.repository,
                "pull": row.pull,
                "author": row.author,
                "command": dict(row.command),
                "comment": row.comment,
                "ordinal": row.ordinal,
            }
            for row in rows
        ]
        with self._engine.begin() as connection:
            statement = insert(requests).values(values).on_conflict_do_nothing().returning(requests.c.id)
            return len(connection.execute(statement).all())

    def pending_requests(self, repository: str, pulls: Sequence[int]) -> Sequence[RequestRow]:
        pending = (
            select(requests)
            .where(
                requests.c.repository == repository,
                requests.c.pull.in_(pulls),
                requests.c.answered_at.is_(None),
            )
            .order_by(requests.c.id)
        )
        with self._engine.connect() as connection:
            return [_request(row) for row in connection.execute(pending)]

    def request(self, request: int) -> RequestRow | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(requests).where(requests.c.id == request)).first()
        return None if row is None else _request(row)

    # -- holds and quarantine ----------------------------------------------------------------------

    def holds(self, repository: str, model: str, environment: str) -> Sequence[Hold]:
        here = and_(holds.c.model == model, holds.c.environment == environment)
        standing = (
            select(holds)
            .where(
                holds.c.repository == repository,
                holds.c.released_at.is_(None),
                or_(holds.c.model.is_(None), here),
            )
            .order_by(holds.c.model.is_not(None), holds.c.id)
        )
        with self._engine.connect() as connection:
            return [
                Hold(row.repository, row.model, row.environment, row.owner, row.reason, row.since)
                for row in connection.execute(standing)
            ]

    def place_hold(self, hold: Hold) -> None:
        values = {
            "repository": hold.repository,
            "model": hold.model,
            "environment": hold.environment,
            "owner": hold.owner,
            "reason": hold.reason,
            "since": hold.since,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(holds).values(values).on_conflict_do_nothing())
        self.wake_place(hold.repository, hold.model, hold.environment)

    def release_hold(
        self, repository: str, model: str | None, environment: str | None, by: str, at: datetime
    ) -> None:
        released = (
            update(holds)
            .where(
                holds.c.repository == repository,
                holds.c.model.is_not_distinct_from(model),
                holds.c.environment.is_not_distinct_from(environment),
                holds.c.released_at.is_(None),
            )
            .values(released_at=at, released_by=by)
        )
        with self._engine.begin() as connection:
            connection.execute(released)
        self.wake_place(repository, model, environment)

    def quarantine(self, repository: str, model: str, environment: str, version: str) -> Quarantine | None:
        with self._engine.connect() as connection:
            row = connection.execute(
                select(quarantines).where(_quarantined(repository, model, environment, version))
            ).first()
        if row is None:
            return None
        return Quarantine(repository, model, environment, version, row.reason, row.since, row.pull)

    def place_quarantine(self, quarantine: Quarantine) -> None:
        values = {
            "repository": quarantine.repository,
            "model": quarantine.model,
            "environment": quarantine.environment,
            "version": quarantine.version,
            "reason": quarantine.reason,
            "pull": quarantine.pull,
            "since": quarantine.since,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(quarantines).values(values).on_conflict_do_nothing())

    def lift_quarantine(
        self, repository: str, model: str, environment: str, version: str, by: str, reason: str, at: datetime
    ) -> None:
        lifted = update(quarantines).where(_quarantined(repository, model, environment, version))
        with self._engine.begin() as connection:
            connection.execute(lifted.values(lifted_at=at, lifted_by=by, lifted_reason=reason))

    # -- the registry as last seen -----------------------------------------------------------------

    def wanted(self, repository: str, model: str) -> str | None:
        named = select(wanted.c.version).where(wanted.c.repository == repository, wanted.c.model == model)
        with self._engine.connect() as connection:
            return connection.scalar(named)

    def set_wanted(self, repository: str, model: str, version: str) -> None:
        statement = insert(wanted).values(repository=repository, model=model, version=version)
        with self._engine.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["repository", "model"], set_={"version": statement.excluded.version}
                )
            )

    # -- canaries ----------------------------------------------------------------------------------

    def watched(self, promotion: str) -> Mapping[str, Any] | None:
        with self._engine.connect() as connection:
            state = connection.scalar(select(watches.c.state).where(watches.c.promotion == promotion))
        return cast("Mapping[str, Any] | None", state)

    def windows(self, promotion: str) -> Sequence[Mapping[str, Any]]:
        kept = select(windows.c.data).where(windows.c.promotion == promotion).order_by(windows.c.id)
        with self._engine.connect() as connection:
            return list(connection.execute(kept).scalars())

    def forget_watch(self, promotion: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(watches).where(watches.c.promotion == promotion))
            connection.execute(delete(windows).where(windows.c.promotion == promotion))

    # -- jobs --------------------------------------------------------------------------------------

    def _defer(self, connection: Connection, task: str, arguments: Sequence[dict[str, JSONValue]]) -> None:
        if not arguments:
            return
        raw = cast("psycopg.Connection", connection.connection.driver_connection)
        self._queue.configure_task(task, connection=raw).batch_defer(*arguments)


def healthy(engine: Engine) -> bool:
    """Whether the database answers."""
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT 1")) == 1)


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
        "data": _PROMOTION.dump_python(promotion, mode="json"),
    }


def _promotion(row: Row[Any]) -> Promotion:
    return _PROMOTION.validate_python({**row.data, "revision": row.revision})


def _repository(row: Row[Any]) -> Repository:
    return Repository(row.name, row.installation, row.files, row.commit, row.heard_at)


def _request(row: Row[Any]) -> RequestRow:
    return RequestRow(row.repository, row.pull, row.author, row.command, row.comment, row.ordinal, row.id)


def _transition_columns(line: Transition) -> dict[str, Any]:
    return {
        "promotion": line.promotion,
        "at": line.at,
        "stage_from": line.stage_from,
        "stage_to": line.stage_to,
        "actor": line.actor,
        "reason": line.reason,
    }


def _place(table: Any, repository: str, model: str, environment: str) -> Any:
    return and_(table.c.repository == repository, table.c.model == model, table.c.environment == environment)


def _quarantined(repository: str, model: str, environment: str, version: str) -> Any:
    return and_(
        _place(quarantines, repository, model, environment),
        quarantines.c.version == version,
        quarantines.c.lifted_at.is_(None),
    )


def _save_watch(connection: Connection, promotion: str, watched: Watched) -> None:
    statement = insert(watches).values(promotion=promotion, state=dict(watched.state))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["promotion"], set_={"state": statement.excluded.state}
        )
    )
    if watched.windows:
        rows = [{"promotion": promotion, "data": dict(window)} for window in watched.windows]
        connection.execute(insert(windows), rows)
