"""Counts over the rows, for the metrics page and the dashboard."""

from collections.abc import Mapping

from sqlalchemy import Engine, func, select

from bot.adapters.database.tables import deliveries, promotions, requests


class Figures:
    """Each figure is one query."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def stages(self) -> Mapping[tuple[str, ...], float]:
        """(repository, environment, stage) → promotions."""
        by = (promotions.c.repository, promotions.c.environment, promotions.c.stage)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*by, func.count()).group_by(*by)).all()
        return {(row[0], row[1], row[2]): float(row[3]) for row in rows}

    def backlog(self) -> Mapping[tuple[str, ...], float]:
        """Kind → how many wait: deliveries and requests nobody has finished, promotions that are due."""
        with self._engine.connect() as connection:
            waiting = connection.scalar(
                select(func.count()).select_from(deliveries).where(deliveries.c.finished_at.is_(None))
            )
            asked = connection.scalar(
                select(func.count()).select_from(requests).where(requests.c.answered_at.is_(None))
            )
            due = connection.scalar(
                select(func.count()).select_from(promotions).where(promotions.c.wake_at <= func.now())
            )
        return {
            ("deliveries",): float(waiting or 0),
            ("requests",): float(asked or 0),
            ("promotions",): float(due or 0),
        }
