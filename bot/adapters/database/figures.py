"""Counts over the rows, for the metrics page and the dashboard."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, case, func, select

from bot.adapters.database.tables import (
    deliveries,
    drifts,
    notices,
    promotions,
    requests,
    retrainings,
    transitions,
)
from bot.domain.promotion import Stage


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

    def drifts(self) -> Mapping[tuple[str, ...], float]:
        """(repository, environment, model) → 1 where an alias and its pin name different versions."""
        place = (drifts.c.repository, drifts.c.environment, drifts.c.model)
        with self._engine.connect() as connection:
            return {(row[0], row[1], row[2]): 1.0 for row in connection.execute(select(*place))}

    def backlog(self) -> Mapping[tuple[str, ...], float]:
        """Kind → how many wait: deliveries and requests nobody has finished, promotions that are due, notices
        that nobody was told yet, and those that were given up.
        """
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
            untold = connection.scalar(
                select(func.count()).select_from(notices).where(notices.c.ended_at.is_(None))
            )
            dead = connection.scalar(
                select(func.count())
                .select_from(notices)
                .where(notices.c.ended_at.is_not(None), notices.c.trouble.is_not(None))
            )
        return {
            ("deliveries",): float(waiting or 0),
            ("requests",): float(asked or 0),
            ("promotions",): float(due or 0),
            ("notices",): float(untold or 0),
            ("notices given up",): float(dead or 0),
        }

    def verdicts(self) -> Mapping[tuple[str, ...], float]:
        """(repository, environment, outcome) → promotions whose canary ended so."""
        outcome = promotions.c.data[("verdict", "outcome")].astext
        by = (promotions.c.repository, promotions.c.environment, outcome)
        counted = select(*by, func.count()).where(outcome.is_not(None)).group_by(*by)
        with self._engine.connect() as connection:
            rows = connection.execute(counted).all()
        return {(row[0], row[1], row[2]): float(row[3]) for row in rows}

    def retrainings(self) -> Mapping[tuple[str, ...], float]:
        """(repository, environment, model, state) → new versions that were asked for: told to whoever trains,
        still waiting to be, or given up.
        """
        state = case(
            (retrainings.c.told_at.is_(None), "waiting"),
            (retrainings.c.trouble.is_(None), "told"),
            else_="given up",
        )
        by = (retrainings.c.repository, retrainings.c.environment, retrainings.c.model, state)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*by, func.count()).group_by(*by)).all()
        return {(row[0], row[1], row[2], row[3]): float(row[4]) for row in rows}

    def lead_times(self, bounds: Sequence[float]) -> Mapping[tuple[str, ...], tuple[list[float], float]]:
        """(repository, environment) → how many promotions took at most so many seconds, for each bound and
        in all, and the seconds of all together: from when a version was named to when it first passed.
        """
        passed = (
            select(transitions.c.promotion, func.min(transitions.c.at).label("at"))
            .where(transitions.c.stage_to == Stage.PASSED.value)
            .group_by(transitions.c.promotion)
            .subquery()
        )
        seconds = func.extract("epoch", passed.c.at - promotions.c.created_at)
        by = (promotions.c.repository, promotions.c.environment)
        within = [func.count().filter(seconds <= bound) for bound in bounds]
        asked = (
            select(*by, *within, func.count(), func.sum(seconds))
            .join(passed, passed.c.promotion == promotions.c.id)
            .group_by(*by)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(asked).all()
        return {(row[0], row[1]): ([float(count) for count in row[2:-1]], float(row[-1])) for row in rows}
