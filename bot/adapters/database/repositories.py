"""Repositories the App is installed in, their configuration, and what the registry was last seen to want."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.promotions import Promotions
from bot.adapters.database.renaming import rename
from bot.adapters.database.tables import drifts, repositories, wanted
from bot.domain.drift import Drift
from bot.jobs.store import Repository
from bot.ports import Installed


class Repositories(Promotions):
    """The part of the store about repositories."""

    def repositories(self) -> Sequence[Repository]:
        with self._engine.connect() as connection:
            rows = connection.execute(_installed().order_by(repositories.c.name)).all()
        return [_repository(row) for row in rows]

    def repository(self, name: str) -> Repository | None:
        with self._engine.connect() as connection:
            row = connection.execute(_installed().where(repositories.c.name == name)).first()
        return None if row is None else _repository(row)

    def set_repositories(self, installed: Iterable[Installed]) -> None:
        found = {each.id: each for each in installed}
        with self._engine.begin() as connection:
            # Two workers that listed at once must not write halves of what each saw. Reading goes on.
            connection.execute(text("LOCK TABLE repositories IN SHARE ROW EXCLUSIVE MODE"))
            columns = (repositories.c.id, repositories.c.name, repositories.c.installation)
            known: dict[int, Any] = {row.id: row for row in connection.execute(select(*columns))}
            _take_along(connection, known.values(), found)
            gone = repositories.c.id.not_in(list(found))
            connection.execute(update(repositories).where(gone).values(installation=None))
            if found:
                statement = insert(repositories)
                told = {key: statement.excluded[key] for key in ("name", "installation")}
                connection.execute(
                    statement.on_conflict_do_update(index_elements=["id"], set_=told),
                    [asdict(each) for each in found.values()],
                )
        for each in found.values():
            before = known.get(each.id)
            if before is not None and (before.installation is None or before.name != each.name):
                self.wake_place(each.name, None, None)

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


def _installed() -> Select[Any]:
    return select(repositories).where(repositories.c.installation.is_not(None))


def _take_along(connection: Connection, known: Iterable[Any], found: Mapping[int, Installed]) -> None:
    """Let everything that is kept of a repository follow its name.

    Names may have been exchanged, or taken from a repository that is gone: whoever has another name now, or
    none, steps aside first, under a name that no repository can have.
    """
    taken = {each.name for each in found.values()}
    moved = [row for row in known if row.id in found and row.name != found[row.id].name]
    robbed = [row for row in known if row.id not in found and row.name in taken]
    for row in (*moved, *robbed):
        _name(connection, row.id, row.name, f"{row.name}#{row.id}")
    for row in moved:
        _name(connection, row.id, f"{row.name}#{row.id}", found[row.id].name)


def _name(connection: Connection, ident: int, old: str, new: str) -> None:
    rename(connection, old, new)
    connection.execute(update(repositories).where(repositories.c.id == ident).values(name=new))


def _repository(row: Row[Any]) -> Repository:
    return Repository(row.name, row.installation, row.files, row.commit, row.heard_at)
