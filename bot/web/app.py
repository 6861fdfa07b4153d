"""The FastAPI application, put together from its routers."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from bot import __version__

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(routers: Sequence[APIRouter], lifespan: Lifespan | None = None) -> FastAPI:
    """All routes; `lifespan` runs what lives beside them (the worker and the sweep)."""
    app = FastAPI(
        title="Slipway",
        version=__version__,
        summary="Machine-learning models to production, and back, through pull requests.",
        lifespan=lifespan,
    )
    for router in routers:
        app.include_router(router)
    return app
