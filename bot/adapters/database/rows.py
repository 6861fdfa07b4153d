"""What every part of the store stands on: the engine, and wake-ups written in the same transaction."""

from collections.abc import Sequence
from typing import Any, cast

import procrastinate
import psycopg
from procrastinate.jobs import DEFAULT_QUEUE
from procrastinate.types import JSONValue
from sqlalchemy import Connection, Engine, and_


class Rows:
    """Access to the tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Never opened: it only writes jobs on the connections of the store's own transactions.
        self._queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

    def _defer(
        self,
        connection: Connection,
        task: str,
        arguments: Sequence[dict[str, JSONValue]],
        queue: str = DEFAULT_QUEUE,
    ) -> None:
        if not arguments:
            return
        raw = cast("psycopg.Connection", connection.connection.driver_connection)
        self._queue.configure_task(task, connection=raw, queue=queue).batch_defer(*arguments)


def at_place(table: Any, repository: str, model: str, environment: str) -> Any:
    """The rows of one model in one environment of one repository."""
    return and_(table.c.repository == repository, table.c.model == model, table.c.environment == environment)
