"""Looking at the database: whether it answers, how far its tables are, what arrived lately."""

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, select, text

from bot.adapters.database.connection import migrations
from bot.adapters.database.tables import deliveries
from bot.domain.inspection import DatabaseSeen


def inspect(engine: Engine) -> DatabaseSeen:
    """Reads only. Raises SQLAlchemy's errors where the database does not answer."""
    newest = ScriptDirectory.from_config(migrations(Config())).get_current_head() or ""
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        queue = connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is not None
        arrived = {}
        if revision is not None:
            last = select(deliveries.c.source, func.max(deliveries.c.received_at))
            arrived = {row[0]: row[1] for row in connection.execute(last.group_by(deliveries.c.source))}
        server = str(connection.scalar(text("SHOW server_version")))
    return DatabaseSeen(server, revision, newest, queue=queue, deliveries=arrived)
