"""The worker: takes jobs off the queue, sweeps, and stops cleanly."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import procrastinate
from procrastinate.jobs import DEFAULT_QUEUE, Status

from bot.jobs.build import Builder
from bot.jobs.store import Store
from bot.jobs.sweep import LEASE, sweep_forever
from bot.jobs.tasks import BUILDS, RESYNC

CONCURRENCY = 8
BUILDS_AT_ONCE = 2
TIDY_EVERY = 300.0
"""Seconds."""
GRACE = 10.0
"""Seconds that running jobs get to finish when the process stops."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def working(queue: procrastinate.App, store: Store, builder: Builder) -> AsyncIterator[None]:
    """Work while the block runs. Begins with a resync: whatever was missed while nobody listened."""
    async with queue.open_async():
        await asyncio.to_thread(store.recover, LEASE)
        await _resync_now(queue)
        workers = [
            asyncio.create_task(
                queue.run_worker_async(
                    queues=[name],
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=GRACE,
                    delete_jobs="always",
                )
            )
            for name, concurrency in ((DEFAULT_QUEUE, CONCURRENCY), (BUILDS, BUILDS_AT_ONCE))
        ]
        beside = (asyncio.create_task(sweep_forever(store)), asyncio.create_task(_tidy_forever(queue)))
        try:
            yield
        finally:
            builder.stop()
            for task in (*beside, *workers):
                task.cancel()
            await asyncio.gather(*beside, *workers, return_exceptions=True)


async def _resync_now(queue: procrastinate.App) -> None:
    await queue.configure_task(RESYNC).defer_async(timestamp=0)


async def _tidy_forever(queue: procrastinate.App) -> None:
    """Take away jobs whose worker died: the sweep has found their work again, only their rows are left."""
    while True:
        await asyncio.sleep(TIDY_EVERY)
        try:
            for job in await queue.job_manager.get_stalled_jobs():
                await queue.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
        except Exception:
            logger.warning("dead jobs were not taken away; it is tried again", exc_info=True)
