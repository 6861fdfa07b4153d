"""Repositories the App is installed in, their configuration, and what the registry was last seen to want."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import drifts, repositories, wanted
from bot.domain.drift import Drift
from bot.jobs.store import Repository


class Repositories(Rows):
    """The part of the store about repositories."""

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

    def set_drifts(self, repository: str, found: Sequence[Drift]) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(drifts).where(drifts.c.repository == repository))
            if found:
                rows = [{"repository": repository, **asdict(drift)} for drift in found]
                connection.execute(insert(drifts).on_conflict_do_nothing(), rows)


def _repository(row: Row[Any]) -> Repository:
    return Repository(row.name, row.installation, row.files, row.commit, row.heard_at)
