"""New versions that were asked for: at most one in a window for each place."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from bot.adapters.database.rows import Rows, at_place
from bot.adapters.database.tables import retrainings, transitions
from bot.domain.promotion import Stage
from bot.domain.retrain import Retraining


class Retrainings(Rows):
    """The part of the store about retraining."""

    def asked_since(self, repository: str, model: str, environment: str, since: datetime) -> bool:
        asked = select(retrainings.c.id).where(
            at_place(retrainings, repository, model, environment), retrainings.c.asked_at > since
        )
        with self._engine.connect() as connection:
            return connection.execute(asked.limit(1)).first() is not None

    def ask_retraining(self, wanted: Retraining, not_since: datetime) -> bool:
        place = at_place(retrainings, wanted.repository, wanted.model, wanted.environment)
        key = f"retrain/{wanted.repository}/{wanted.model}/{wanted.environment}"
        with self._engine.begin() as connection:
            # Whoever else asks for this place waits here, and then sees our row.
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
            recent = select(retrainings.c.id).where(place, retrainings.c.asked_at > not_since)
            if connection.execute(recent.limit(1)).first() is not None:
                return False
            number = select(func.count()).select_from(retrainings).where(place).scalar_subquery()
            connection.execute(
                insert(retrainings).values(
                    repository=wanted.repository,
                    model=wanted.model,
                    environment=wanted.environment,
                    version=wanted.version,
                    promotion=wanted.promotion,
                    number=number,
                    signal=wanted.signal,
                    reason=wanted.reason,
                    evidence=dict(wanted.evidence),
                    asked_at=wanted.asked_at,
                )
            )
            connection.execute(
                insert(transitions).values(
                    promotion=wanted.promotion,
                    at=wanted.asked_at,
                    stage_from=Stage.PASSED.value,
                    stage_to=Stage.PASSED.value,
                    actor="slipway",
                    reason=f"A new version is asked for: {wanted.reason}",
                )
            )
        return True

    def retrainings(self, limit: int) -> Sequence[Retraining]:
        newest = select(retrainings).order_by(retrainings.c.asked_at.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_retraining(row) for row in connection.execute(newest)]

    def untold_retrainings(self) -> Sequence[Retraining]:
        waiting = select(retrainings).where(retrainings.c.told_at.is_(None), retrainings.c.tried_at.is_(None))
        with self._engine.connect() as connection:
            return [_retraining(row) for row in connection.execute(waiting.order_by(retrainings.c.id))]

    def try_retraining(self, retraining: int, at: datetime) -> bool:
        mine = (
            update(retrainings)
            .where(retrainings.c.id == retraining, retrainings.c.tried_at.is_(None))
            .values(tried_at=at)
            .returning(retrainings.c.id)
        )
        with self._engine.begin() as connection:
            return connection.execute(mine).first() is not None

    def failed_retraining(self, retraining: int, trouble: str) -> None:
        self._set_retraining(retraining, tried_at=None, trouble=trouble)

    def told_retraining(self, retraining: int, at: datetime, trouble: str | None) -> None:
        self._set_retraining(retraining, told_at=at, trouble=trouble)

    def _set_retraining(self, retraining: int, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(retrainings).where(retrainings.c.id == retraining).values(**values))


def _retraining(row: Row[Any]) -> Retraining:
    return Retraining(
        repository=row.repository,
        model=row.model,
        environment=row.environment,
        version=row.version,
        promotion=row.promotion,
        signal=row.signal,
        reason=row.reason,
        evidence=row.evidence,
        asked_at=row.asked_at,
        tried_at=row.tried_at,
        told_at=row.told_at,
        trouble=row.trouble,
        id=row.id,
    )
