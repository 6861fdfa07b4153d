"""Canaries between two looks, and the windows that replay them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import delete, select

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import watches, windows


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

    def forget_watch(self, promotion: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(watches).where(watches.c.promotion == promotion))
            connection.execute(delete(windows).where(windows.c.promotion == promotion))
