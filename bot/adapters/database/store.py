"""The store in PostgreSQL: each method is one transaction, wake-ups included.

A wake-up is a row's `wake_at` plus a Procrastinate job deferred in the same transaction. The job is
for speed; the row is the truth, and `claim_due` finds whatever a lost job left behind.
"""

from sqlalchemy import Engine, text

from bot.adapters.database.alerts import Alerts
from bot.adapters.database.builds import Builds
from bot.adapters.database.deliveries import Deliveries
from bot.adapters.database.guards import Guards
from bot.adapters.database.repositories import Repositories
from bot.adapters.database.requests import Requests
from bot.adapters.database.watches import Watches


class PostgresStore(Deliveries, Repositories, Requests, Guards, Alerts, Watches, Builds):
    """`bot.jobs.store.Store` on an SQLAlchemy engine (psycopg)."""


def healthy(engine: Engine) -> bool:
    """Whether the database answers."""
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT 1")) == 1)
