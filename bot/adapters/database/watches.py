"""Canaries between two looks, and what replays them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import delete, insert, select

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import judged_watches, watches, windows
from bot.domain.verdict import Verdict
from bot.jobs.store import JudgedWatch

_VERDICT = TypeAdapter(Verdict)


class Watches(Rows):
    """The part of the store about canaries."""

    def watched(self, promotion: str) -> Mapping[str, Any] | None:
        with self._engine.connect() as connection:
            state = connection.scalar(select(watches.c.state).where(watches.c.promotion == promotion))
        return cast("Mapping[str, Any] | None", state)

    def windows(self, promotion: str) -> Sequence[Mapping[str, Any]]:
        kept = select(windows.c.data).where(windows.c.promotion == promotion).order_by(windows.c.id)
        with self._engine.connect() as connection:
            return list(connection.execute(kept).scalars())

    def forget_watch(self, promotion: str, verdict: Verdict | None) -> None:
        with self._engine.begin() as connection:
            dropped = delete(watches).where(watches.c.promotion == promotion).returning(watches.c.state)
            state = connection.scalar(dropped)
            gone = delete(windows).where(windows.c.promotion == promotion)
            rows = connection.execute(gone.returning(windows.c.id, windows.c.data)).all()
            # Whoever forgets a second time finds no watch, and so keeps nothing twice.
            if state is not None and verdict is not None:
                connection.execute(
                    insert(judged_watches).values(
                        promotion=promotion,
                        verdict=_VERDICT.dump_python(verdict, mode="json"),
                        state=state,
                        windows=[row.data for row in sorted(rows, key=lambda row: row.id)],
                    )
                )

    def judged_watches(self, promotion: str) -> Sequence[JudgedWatch]:
        kept = (
            select(judged_watches)
            .where(judged_watches.c.promotion == promotion)
            .order_by(judged_watches.c.id)
        )
        with self._engine.connect() as connection:
            return [
                JudgedWatch(_VERDICT.validate_python(row.verdict), row.state, row.windows)
                for row in connection.execute(kept)
            ]
