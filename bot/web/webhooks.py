"""The webhook routes: verify, remember, answer. What a delivery means is the jobs' business."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from bot.jobs.events import EVENTS
from bot.jobs.store import Delivery, Store
from bot.web.body import CAP, GITHUB_CAP, read_body
from bot.webhooks import alertmanager, argocd, github, mlflow
from bot.webhooks.errors import WebhookError

logger = logging.getLogger(__name__)

_DESCRIBED: dict[str, Any] = {
    "status_code": 202,
    "responses": {
        202: {"description": "Taken; what follows from it is done later."},
        400: {"description": "Signed, and nothing that can be read."},
        401: {"description": "Not signed with a secret of ours."},
        413: {"description": "The body is over its cap."},
        503: {"description": "It could not be stored; send it again."},
    },
    # The signature is over the raw bytes, so the body is read before anything describes it.
    "openapi_extra": {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    },
}

_Event = TypeVar("_Event")


def router(
    store: Store,
    *,
    github_secrets: tuple[str, ...],
    mlflow_secrets: tuple[str, ...],
    alertmanager_secrets: tuple[str, ...] = (),
    argocd_secrets: tuple[str, ...] = (),
) -> APIRouter:
    """Routes for whoever sends; several secrets are valid at once while one is being replaced.

    A sender that may be left out has no route (404) without a secret.
    """
    routes = APIRouter(prefix="/webhooks", tags=["webhooks"])

    @routes.post("/github", **_DESCRIBED, summary="GitHub's webhook deliveries")
    async def from_github(request: Request) -> Response:
        body = await read_body(request, GITHUB_CAP)
        event = _verified("github", lambda: github.parse(request.headers, body, github_secrets))
        return await _accept(store, "github", event.delivery, event)

    @routes.post("/mlflow", **_DESCRIBED, summary="MLflow's webhook deliveries")
    async def from_mlflow(request: Request) -> Response:
        body = await read_body(request, CAP)
        event = _verified(
            "mlflow", lambda: mlflow.parse(request.headers, body, mlflow_secrets, datetime.now(UTC))
        )
        return await _accept(store, "mlflow", event.delivery, event)

    if alertmanager_secrets:

        @routes.post("/alertmanager", **_DESCRIBED, summary="Alertmanager's notifications")
        async def from_alertmanager(request: Request) -> Response:
            body = await read_body(request, CAP)
            event = _verified(
                "alertmanager", lambda: alertmanager.parse(request.headers, body, alertmanager_secrets)
            )
            return await _accept(store, "alertmanager", event.delivery, event)

    if argocd_secrets:

        @routes.post("/argocd", **_DESCRIBED, summary="Argo CD's notifications")
        async def from_argocd(request: Request) -> Response:
            body = await read_body(request, CAP)
            event = _verified("argocd", lambda: argocd.parse(request.headers, body, argocd_secrets))
            # The same words mean something new each time: a hint is not told apart from the one before.
            return await _accept(store, "argocd", uuid4().hex, event)

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
