"""A repository under another name: everything that is kept of it goes along."""

from sqlalchemy import Connection, cast, update
from sqlalchemy.dialects.postgresql import JSONB

from bot.adapters.database.tables import drifts, holds, promotions, quarantines, requests, retrainings, wanted

_BESIDE = (requests, holds, quarantines, wanted, retrainings, drifts)


def rename(connection: Connection, old: str, new: str) -> None:
    """Write the new name wherever the old one stands. Nothing may stand under the new one yet.

    A promotion that somebody has loaded meanwhile gets another revision: what was decided about the old
    name is not saved.
    """
    name = cast({"repository": new}, JSONB)
    connection.execute(
        update(promotions)
        .where(promotions.c.repository == old)
        .values(
            repository=new,
            data=promotions.c.data.concat(name),
            revision=promotions.c.revision + 1,
        )
    )
    for table in _BESIDE:
        connection.execute(update(table).where(table.c.repository == old).values(repository=new))
