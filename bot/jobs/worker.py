"""The worker: takes jobs off the queue, sweeps, and stops cleanly."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import procrastinate

from bot.jobs.store import Store
from bot.jobs.sweep import sweep_forever
from bot.jobs.tasks import RESYNC

CONCURRENCY = 8
GRACE = 10.0
"""Seconds that running jobs get to finish when the process stops."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def working(queue: procrastinate.App, store: Store) -> AsyncIterator[None]:
    """Work while the block runs. Begins with a resync: whatever was missed while nobody listened."""
    async with queue.open_async():
        await _resync_now(queue)
        worker = asyncio.create_task(
            queue.run_worker_async(
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE,
                delete_jobs="always",
            )
        )
        sweeper = asyncio.create_task(sweep_forever(store))
        try:
            yield
        finally:
            for task in (sweeper, worker):
                task.cancel()
            await asyncio.gather(sweeper, worker, return_exceptions=True)


async def _resync_now(queue: procrastinate.App) -> None:
    await queue.configure_task(RESYNC).defer_async(timestamp=0)
