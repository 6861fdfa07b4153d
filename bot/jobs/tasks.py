"""The names under which Procrastinate knows the jobs, and how each is run.

A job carries an id and nothing else: what to do is read from the rows. So a job that is lost, run
twice or run late changes nothing but the time.
"""

import logging
from collections.abc import Callable

import procrastinate

RECEIVE = "slipway.receive"
RECONCILE = "slipway.reconcile"
RESYNC = "slipway.resync"
BUILD = "slipway.build"
BUILDS = "builds"
"""A queue of its own: what takes minutes never stands before what takes a moment."""

logger = logging.getLogger(__name__)


def register(
    queue: procrastinate.App,
    *,
    receive: Callable[[str, str], None],
    reconcile: Callable[[str], None],
    resync: Callable[[], None],
    build: Callable[[str], None],
) -> None:
    """Give the queue its jobs. Each runs in a thread and catches its errors: the queue retries nothing."""

    @queue.task(name=RECEIVE)
    def _receive(source: str, delivery: str) -> None:
        _guard(lambda: receive(source, delivery), f"delivery {delivery} of {source}")

    @queue.task(name=RECONCILE)
    def _reconcile(promotion: str) -> None:
        _guard(lambda: reconcile(promotion), f"promotion {promotion}")

    @queue.periodic(cron="*/2 * * * *")
    @queue.task(name=RESYNC, queueing_lock=RESYNC)
    def _resync(timestamp: int) -> None:  # noqa: ARG001  Procrastinate passes the tick's time
        _guard(resync, "resync")

    @queue.task(name=BUILD, queue=BUILDS)
    def _build(image: str) -> None:
        _guard(lambda: build(image), f"image {image}")


def _guard(job: Callable[[], None], what: str) -> None:
    # The row still says what is to be done, and the sweep finds it: a failed job is only late.
    try:
        job()
    except Exception:
        logger.exception("the job for %s failed", what)
