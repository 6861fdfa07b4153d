"""The webhook routes: verify, remember, answer. What a delivery means is the jobs' business."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from bot.jobs.events import EVENTS
from bot.jobs.store import Delivery, Store
from bot.web.body import CAP, GITHUB_CAP, read_body
from bot.webhooks import github, mlflow
from bot.webhooks.errors import WebhookError

logger = logging.getLogger(__name__)

_Event = TypeVar("_Event")


def router(store: Store, *, github_secrets: tuple[str, ...], mlflow_secrets: tuple[str, ...]) -> APIRouter:
    """Routes for GitHub and MLflow; several secrets are valid at once while one is being replaced."""
    routes = APIRouter(prefix="/webhooks", tags=["webhooks"])

    @routes.post("/github", status_code=202, summary="GitHub's webhook deliveries")
    async def from_github(request: Request) -> Response:
        body = await read_body(request, GITHUB_CAP)
        event = _verified("github", lambda: github.parse(request.headers, body, github_secrets))
        return await _accept(store, "github", event.delivery, event)

    @routes.post("/mlflow", status_code=202, summary="MLflow's webhook deliveries")
    async def from_mlflow(request: Request) -> Response:
        body = await read_body(request, CAP)
        event = _verified(
            "mlflow", lambda: mlflow.parse(request.headers, body, mlflow_secrets, datetime.now(UTC))
        )
        return await _accept(store, "mlflow", event.delivery, event)

    return routes


def _verified(source: str, parse: Callable[[], _Event]) -> _Event:
    try:
        return parse()
    except WebhookError as error:
        logger.warning("a delivery of %s was not taken: %s", source, error)
        raise HTTPException(error.status, str(error)) from None


async def _accept(store: Store, source: str, delivery: str, event: Any) -> Response:
    if not EVENTS.knows(event):
        return Response(status_code=202)
    delivered = Delivery(source, delivery, EVENTS.dump(event))
    try:
        await run_in_threadpool(store.accept, delivered)
    except Exception:
        # Never a 4xx for our own trouble: MLflow would drop the delivery for ever.
        logger.exception("a delivery of %s could not be stored", source)
        raise HTTPException(503, "Try again later.", {"Retry-After": "5"}) from None
    return Response(status_code=202)
