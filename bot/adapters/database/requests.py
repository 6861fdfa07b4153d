"""Commands that people gave, until they are answered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import requests
from bot.jobs.store import RequestRow


class Requests(Rows):
    """The part of the store about requests."""

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
                "promotion": row.promotion,
            }
            for row in rows
        ]
        with self._engine.begin() as connection:
            statement = insert(requests).values(values).on_conflict_do_nothing().returning(requests.c.id)
            return len(connection.execute(statement).all())

    def pending_requests(self, repository: str, pulls: Sequence[int], promotion: str) -> Sequence[RequestRow]:
        pending = (
            select(requests)
            .where(
                requests.c.repository == repository,
                requests.c.pull.in_(pulls),
                or_(requests.c.promotion.is_(None), requests.c.promotion == promotion),
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


def _request(row: Row[Any]) -> RequestRow:
    return RequestRow(
        row.repository, row.pull, row.author, row.command, row.comment, row.ordinal, row.id, row.promotion
    )
