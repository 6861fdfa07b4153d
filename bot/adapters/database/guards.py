"""Holds and quarantines."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.promotions import Promotions
from bot.adapters.database.rows import at_place
from bot.adapters.database.tables import holds, quarantines
from bot.domain.hold import Hold, Quarantine


class Guards(Promotions):
    """The part of the store about what stands in the way; whoever it concerns is woken."""

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
        self,
        repository: str,
        model: str,
        environment: str,
        version: str,
        *,
        by: str,
        reason: str,
        at: datetime,
    ) -> None:
        lifted = update(quarantines).where(_quarantined(repository, model, environment, version))
        with self._engine.begin() as connection:
            connection.execute(lifted.values(lifted_at=at, lifted_by=by, lifted_reason=reason))


def _quarantined(repository: str, model: str, environment: str, version: str) -> Any:
    return and_(
        at_place(quarantines, repository, model, environment),
        quarantines.c.version == version,
        quarantines.c.lifted_at.is_(None),
    )
