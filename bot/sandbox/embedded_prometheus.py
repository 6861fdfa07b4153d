"""Prometheus' HTTP API for plain selectors over a store that a `Scraper` fills.

For machines without the real binary. It answers `/api/v1/query` (instant and range selectors),
`/api/v1/query_range` (instant selectors), `/-/ready` and the build information, in Prometheus' own
shapes; every other expression is refused with `bad_data`, never answered in part.
"""

import math
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from bot.sandbox import selectors
from bot.sandbox.sample_store import Labels, Sample, SampleStore
from bot.sandbox.scraper import milliseconds

VERSION = "embedded"
MAX_POINTS = 11_000
ABOUT = """\
The sandbox's embedded metrics store: it answers plain selectors at /api/v1/query.
Install Prometheus to have its graphs here.
"""

Answer = dict[str, Any]


class Queries:
    """What the two query endpoints answer. Both raise SelectorError for what they do not understand."""

    def __init__(self, store: SampleStore) -> None:
        self._store = store

    def query(self, text: str, moment: str | None) -> Answer:
        selector = selectors.parse(text)
        at = _time(moment) if moment else milliseconds()
        if selector.range_seconds is None:
            return _vector(self._store.instant(selector, at))
        return _matrix(self._store.range(selector, at - selector.range_seconds, at))

    def query_range(self, text: str, start: str, end: str, step: str) -> Answer:
        selector = selectors.parse(text)
        if selector.range_seconds is not None:
            raise selectors.SelectorError("a range query takes an instant selector")
        points: dict[Labels, list[Sample]] = {}
        for moment in _steps(_time(start), _time(end), _seconds(step)):
            for labels, (_, value) in self._store.instant(selector, moment).items():
                points.setdefault(labels, []).append((moment, value))
        return _matrix(points)


def build(store: SampleStore) -> FastAPI:
    """The HTTP API over a store."""
    app = FastAPI(title="Prometheus (embedded)", openapi_url=None)
    queries = Queries(store)

    @app.exception_handler(selectors.SelectorError)
    def bad_data(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"status": "error", "errorType": "bad_data", "error": str(error)}, 400)

    @app.get("/api/v1/query")
    def query_get(query: str, time: Annotated[str | None, Query()] = None) -> Answer:
        return queries.query(query, time)

    @app.post("/api/v1/query")
    async def query_post(request: Request) -> Answer:
        # As Prometheus does: from the address and from the form. FastAPI's own forms need one more library.
        form = parse_qs((await request.body()).decode())
        given = {key: values[0] for key, values in form.items()} | dict(request.query_params)
        return queries.query(given.get("query", ""), given.get("time"))

    @app.get("/api/v1/query_range")
    def query_range(query: str, start: str, end: str, step: str) -> Answer:
        return queries.query_range(query, start, end, step)

    @app.get("/api/v1/status/buildinfo")
    def build_information() -> Answer:
        return {"status": "success", "data": {"version": VERSION}}

    @app.get("/-/ready")
    @app.get("/-/healthy")
    def ready() -> PlainTextResponse:
        return PlainTextResponse("Prometheus (embedded) is Ready.\n")

    @app.get("/")
    def about() -> PlainTextResponse:
        return PlainTextResponse(ABOUT)

    return app


def _steps(start: float, end: float, step: float) -> Iterable[float]:
    if step <= 0 or end < start or (end - start) / step > MAX_POINTS:
        raise selectors.SelectorError("start, end and step make no range of at most 11,000 points")
    return (start + number * step for number in range(int((end - start) / step) + 1))


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise selectors.SelectorError(f"{text!r} is no time") from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return selectors.duration(text)


def _vector(found: dict[Labels, Sample]) -> Answer:
    result = [{"metric": dict(labels), "value": _pair(sample)} for labels, sample in found.items()]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def _matrix(found: dict[Labels, list[Sample]]) -> Answer:
    result = [
        {"metric": dict(labels), "values": [_pair(sample) for sample in samples]}
        for labels, samples in found.items()
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def _pair(sample: Sample) -> list[Any]:
    at, value = sample
    if not math.isfinite(value):
        return [at, "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"]
    return [at, format(Decimal(repr(value)), "f").removesuffix(".0")]
