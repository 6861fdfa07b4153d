"""Serves one MLflow model over HTTP: the reference serving image.

    POST /predict   {"dataframe_records": [{column: value, ...}, ...]} → {"predictions": [...], ...}
    GET  /healthz   the process is alive
    GET  /readyz    the model is loaded and the process is not going away
    GET  /metrics   for Prometheus, named as prometheus-fastapi-instrumentator names them

Settings: MODEL_URI (`models:/<name>/<version>`, or a folder in the image) and what MLflow itself reads
(MLFLOW_TRACKING_URI, ...); MODEL_NAME and MODEL_VERSION where MODEL_URI does not tell them; MAX_IN_FLIGHT,
MAX_ROWS and MAX_BODY_BYTES bound what one replica takes on.
"""

import logging
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import BoundedSemaphore
from typing import Any

import mlflow.pyfunc
from fastapi import FastAPI, HTTPException, Response
from mlflow.exceptions import MlflowException
from mlflow.utils.proto_json_utils import dataframe_from_parsed_json
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("uvicorn.error")

MODEL_URI = os.environ["MODEL_URI"]
MAX_IN_FLIGHT = int(os.environ.get("MAX_IN_FLIGHT", "32"))
MAX_ROWS = int(os.environ.get("MAX_ROWS", "1000"))
MAX_BODY_BYTES = int(os.environ.get("MAX_BODY_BYTES", "1000000"))

_named = re.fullmatch(r"models:/(?P<name>[^/@]+)[/@](?P<version>.+)", MODEL_URI)
MODEL = os.environ.get("MODEL_NAME") or (_named["name"] if _named else MODEL_URI)
VERSION = os.environ.get("MODEL_VERSION") or (_named["version"] if _named else "")

disable_created_metrics()
VERSIONED = ("model", "version")
REQUESTS = Counter("http_requests_total", "Requests by outcome.", ("method", "status", "handler", *VERSIONED))
DURATION = Histogram(
    "http_request_duration_seconds",
    "Seconds until the last byte of the answer, by handler.",
    ("method", "handler", *VERSIONED),
    buckets=(0.1, 0.5, 1),
)
DURATION_HIGHR = Histogram(
    "http_request_duration_highr_seconds",
    "Seconds until the last byte of the answer, in fine buckets.",
    VERSIONED,
    buckets=(0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 30, 60),
)
UNMEASURED = frozenset({"/healthz", "/readyz", "/metrics"})


class Measure:
    """Counts and times every request that a caller makes, those that end in an exception included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNMEASURED:
            await self.app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            # A path nobody serves must not become a label: callers choose paths.
            handler = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - started
            REQUESTS.labels(scope["method"], f"{status // 100}xx", handler, MODEL, VERSION).inc()
            DURATION.labels(scope["method"], handler, MODEL, VERSION).observe(seconds)
            DURATION_HIGHR.labels(MODEL, VERSION).observe(seconds)


class LimitBody:
    """Refuses a body larger than this replica takes, whether it says so at first or just goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = dict(scope.get("headers", ())).get(b"content-length", b"0")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            await Response(f"at most {MAX_BODY_BYTES} bytes", status_code=413)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413, f"at most {MAX_BODY_BYTES} bytes")
            return message

        await self.app(scope, counted, send)


class Question(BaseModel):
    dataframe_records: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_ROWS)


class Answer(BaseModel):
    predictions: list[Any]
    model: str
    version: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Loaded before the port opens: a replica that answers at all is able to predict.
    app.state.model = mlflow.pyfunc.load_model(MODEL_URI)
    app.state.ready = True
    yield
    app.state.ready = False


app = FastAPI(title=f"{MODEL} {VERSION}", lifespan=lifespan)
app.add_middleware(LimitBody)
app.add_middleware(Measure)
in_flight = BoundedSemaphore(MAX_IN_FLIGHT)


@app.post("/predict")
def predict(question: Question) -> Answer:
    if not in_flight.acquire(blocking=False):
        raise HTTPException(503, "this replica is busy", headers={"Retry-After": "1"})
    try:
        # JSON has one kind of number: the model's schema says which kind each column is.
        schema = app.state.model.metadata.get_input_schema()
        frame = dataframe_from_parsed_json(question.dataframe_records, "records", schema)
        predictions = app.state.model.predict(frame)
    except MlflowException as error:
        # What MLflow raises here is that the input breaks the model's signature.
        raise HTTPException(400, error.message) from error
    except Exception as error:  # whatever a model raises is its failure, and no reason to drop the connection
        logger.exception("%s %s failed", MODEL, VERSION)
        raise HTTPException(500, "the model failed") from error
    finally:
        in_flight.release()
    return Answer(
        predictions=list(getattr(predictions, "tolist", lambda: predictions)()), model=MODEL, version=VERSION
    )


# Asynchronous, so that probes and scrapes do not wait in the queue for a worker thread.
@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "alive"}


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    if not getattr(app.state, "ready", False):
        raise HTTPException(503, "not ready")
    return {"model": MODEL, "version": VERSION}


@app.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
