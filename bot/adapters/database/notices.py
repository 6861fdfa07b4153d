"""News on its way to people: which transitions were looked at, and what each target still has to be told."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import notices, transitions
from bot.domain.notification import Happening
from bot.jobs.store import NoticeRow, Transition


class Notices(Rows):
    """The part of the store about notices."""

    def news(self, limit: int) -> Sequence[tuple[int, Transition]]:
        unseen = select(transitions).where(~transitions.c.noted).order_by(transitions.c.id).limit(limit)
        with self._engine.connect() as connection:
            return [(row.id, _transition(row)) for row in connection.execute(unseen)]

    def note(self, transition: int, targets: Mapping[str, Sequence[str]]) -> None:
        seen = update(transitions).where(transitions.c.id == transition).values(noted=True)
        rows = [
            {"transition": transition, "target": target, "happenings": list(heard)}
            for target, heard in targets.items()
        ]
        with self._engine.begin() as connection:
            connection.execute(seen)
            if rows:
                connection.execute(insert(notices).values(rows).on_conflict_do_nothing())

    def claim_notices(self, now: datetime, lease: timedelta, limit: int) -> Sequence[NoticeRow]:
        due = (
            select(notices.c.id)
            .where(notices.c.ended_at.is_(None), notices.c.due_at <= now)
            .order_by(notices.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(notices)
            .where(notices.c.id.in_(due.scalar_subquery()))
            .values(due_at=now + lease, tries=notices.c.tries + 1)
            .returning(notices.c.id)
        )
        with self._engine.begin() as connection:
            ids = connection.execute(claimed).scalars().all()
            joined = select(notices, transitions).join(transitions).where(notices.c.id.in_(ids))
            rows = connection.execute(joined.order_by(notices.c.id)).all()
        return [_notice(row) for row in rows]

    def told(self, notice: int, at: datetime) -> None:
        self._set_notice(notice, ended_at=at, trouble=None)

    def try_again(self, notice: int, at: datetime, trouble: str) -> None:
        self._set_notice(notice, due_at=at, trouble=trouble)

    def give_up(self, notice: int, at: datetime, trouble: str) -> None:
        self._set_notice(notice, ended_at=at, trouble=trouble)

    def _set_notice(self, notice: int, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(notices).where(notices.c.id == notice).values(**values))


def _transition(row: Row[Any]) -> Transition:
    return Transition(row.promotion, row.at, row.stage_from, row.stage_to, row.actor, row.reason)


def _notice(row: Row[Any]) -> NoticeRow:
    happenings = tuple(Happening(each) for each in row.happenings)
    return NoticeRow(row.id, row.target, happenings, _transition(row), row.tries)
