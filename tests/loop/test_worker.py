"""The worker on a real queue: builds have a queue of their own and never stand before anything else."""

import asyncio
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import procrastinate

from bot.adapters.database.connection import libpq_url
from bot.domain.build import Build, BuildOrder
from bot.jobs import tasks
from bot.jobs.build import Builder, Workshop
from bot.jobs.worker import BUILDS_AT_ONCE, working
from bot.ports import Limits

WITHIN = 60


def order(number: int) -> BuildOrder:
    return BuildOrder(
        image=f"registry.example/ml/fraud:v{number}",
        model="fraud",
        version=str(number),
        source="models:/m-1",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        build=Build(base="registry.example/ml/serving:1"),
    )


def test_builds_that_take_long_keep_nothing_else_waiting(engine, store, tmp_path):
    """With more builds under way than there is room for, another job is still done at once."""
    go, reconciled, resynced = threading.Event(), threading.Event(), threading.Event()
    begun: list[str] = []
    beginning = threading.Lock()
    full, over = threading.Event(), threading.Event()

    def build(image: str) -> None:
        # The sweep may ask for an image that is under way once more. As for the builder, once is enough.
        with beginning:
            if image in begun:
                return
            begun.append(image)
        if len(begun) == BUILDS_AT_ONCE:
            full.set()
        if len(begun) > BUILDS_AT_ONCE:
            over.set()
        go.wait(WITHIN)

    queue = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=libpq_url(engine)))
    tasks.register(
        queue,
        receive=lambda _source, _delivery: None,
        reconcile=lambda _promotion: reconciled.set(),
        resync=resynced.set,
        build=build,
    )
    builder = Builder(SimpleNamespace(store=store), Workshop(None, {}, tmp_path, Limits()))

    async def work() -> None:
        async with working(queue, store, builder, SimpleNamespace(run=lambda: None)):
            for number in range(BUILDS_AT_ONCE + 1):
                store.order_build(order(number))
            assert await asyncio.to_thread(full.wait, WITHIN)
            await queue.configure_task(tasks.RECONCILE).defer_async(promotion="p1")
            assert await asyncio.to_thread(reconciled.wait, WITHIN)
            assert len(begun) == BUILDS_AT_ONCE
            go.set()
            assert await asyncio.to_thread(over.wait, WITHIN)

    asyncio.run(work())

    assert sorted(begun) == [order(number).image for number in range(BUILDS_AT_ONCE + 1)]
    assert resynced.is_set()
