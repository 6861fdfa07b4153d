"""The sweep: finds what is due or was lost, every second, in every worker.

Procrastinate's own timers are not used for this: a canary looks every few seconds, thousands of
promotions wait at a time, and a timer that a dead worker held must not be the only one.
"""

import asyncio
import logging
from datetime import timedelta

from bot.jobs.build import SILENCE
from bot.jobs.store import Store

LEASE = timedelta(seconds=30)
"""How long a job may take before the sweep believes it lost."""

BATCH = 200

logger = logging.getLogger(__name__)


def sweep(store: Store) -> int:
    """Wake everything that is due or was lost; returns how many."""
    found = store.claim_due(LEASE, BATCH) + store.reclaim_deliveries(LEASE)
    return found + store.claim_builds(SILENCE, BATCH)


async def sweep_forever(store: Store, every: float = 1.0) -> None:
    """Sweep until cancelled; a database that is away is waited for."""
    while True:
        try:
            await asyncio.to_thread(sweep, store)
        except Exception:
            logger.warning("the sweep failed; it is tried again", exc_info=True)
        await asyncio.sleep(every)
