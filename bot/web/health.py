"""Is the process alive, and can it work."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse


def router(database_answers: Callable[[], bool]) -> APIRouter:
    """`/healthz` says that the process runs, `/readyz` that its database answers."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Whether the process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz", summary="Whether the process can work", responses={503: {}})
    async def readyz() -> Response:
        try:
            ready = await run_in_threadpool(database_answers)
        except Exception:  # noqa: BLE001  whatever keeps the database from answering, the answer is "not ready"
            ready = False
        if ready:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "unavailable", "why": "the database does not answer"}, 503)

    return routes
