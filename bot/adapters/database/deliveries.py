"""Webhook deliveries: remembered once, handed out until somebody finishes them."""

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import builds, deliveries, promotions
from bot.domain.build import BuildStage
from bot.jobs.store import Delivery
from bot.jobs.tasks import RECEIVE

_MOST_ATTEMPTS = 20


class Deliveries(Rows):
    """The part of the store about deliveries."""

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
            connection.execute(
                update(builds).where(builds.c.stage == BuildStage.BUILDING.value).values(next_at=func.now())
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
