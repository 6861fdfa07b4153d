"""Alembic's entry: runs the migrations on the engine that the caller hands over."""

from alembic import context

from bot.adapters.database.tables import metadata

with context.config.attributes["engine"].begin() as connection:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    context.run_migrations()
