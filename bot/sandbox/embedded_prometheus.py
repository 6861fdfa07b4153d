"""Prometheus' HTTP API for plain selectors over a store that scrapes by itself.

For machines without the real binary. It answers `/api/v1/query` (instant and range selectors),
`/api/v1/query_range` (instant selectors), `/-/ready` and the build information, in Prometheus' own
shapes; every other expression is refused with `bad_data`, never answered in part.
"""

import json
import math
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client.parser import text_string_to_metric_families

from bot.sandbox import selectors
from bot.sandbox.sample_store import Labels, Sample, SampleStore

VERSION = "embedded"
MAX_POINTS = 11_000


class Scraper:
    """Scrapes every target of a file (in the form of Prometheus' file discovery) once per interval."""

    def __init__(self, store: SampleStore, targets: Path, interval: float, job: str) -> None:
        self._store = store
        self._targets = targets
        self._interval = interval
        self._job = job
        self._seen: dict[str, frozenset[Labels]] = {}
        self._closed = threading.Event()
        self._http = httpx.Client(timeout=interval, trust_env=False)
        self._thread = threading.Thread(target=self._run, name="scraper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(10)
        self._http.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            started = time.monotonic()
            self.scrape()
            self._closed.wait(max(0.0, self._interval - (time.monotonic() - started)))

    def scrape(self) -> None:
        """One round over all targets."""
        found = _read_targets(self._targets)
        for target in set(self._seen) - set(found):
            self._store.end(_now(), self._seen.pop(target))
        for target, labels in found.items():
            at = _now()
            own = {"job": self._job, "instance": target} | labels
            values = self._ask(target, own)
            ended = self._seen.get(target, frozenset()) - set(values)
            self._store.end(at, ended)
            self._store.add(at, values)
            self._seen[target] = frozenset(values)

    def _ask(self, target: str, own: dict[str, str]) -> dict[Labels, float]:
        started = time.monotonic()
        values: dict[Labels, float] = {}
        try:
            text = self._http.get(f"http://{target}/metrics").raise_for_status().text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    values[_labels(sample.name, sample.labels, own)] = float(sample.value)
        except (httpx.HTTPError, ValueError):
            values = {}
        up = 1.0 if values else 0.0
        values[_labels("up", {}, own)] = up
        values[_labels("scrape_duration_seconds", {}, own)] = time.monotonic() - started
        return values


def _labels(name: str, labels: dict[str, str], own: dict[str, str]) -> Labels:
    """A target's labels win over those it exports, which stay as `exported_…`."""
    exported = {f"exported_{key}" if key in own else key: value for key, value in labels.items()}
    return frozenset((exported | own | {"__name__": name}).items())


def _read_targets(file: Path) -> dict[str, dict[str, str]]:
    groups = json.loads(file.read_text())
    return {target: group.get("labels", {}) for group in groups for target in group["targets"]}


def _now() -> float:
    """Prometheus counts in milliseconds."""
    return round(time.time(), 3)


def build(store: SampleStore) -> FastAPI:
    """The HTTP API over a store."""
    app = FastAPI(title="Prometheus (embedded)", openapi_url=None)

    @app.exception_handler(selectors.SelectorError)
    def bad_data(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"status": "error", "errorType": "bad_data", "error": str(error)}, 400)

    def query(text: str, moment: str | None) -> dict[str, Any]:
        selector = selectors.parse(text)
        at = _time(moment) if moment else _now()
        if selector.range_seconds is None:
            return _vector(store.instant(selector, at))
        return _matrix(store.range(selector, at - selector.range_seconds, at))

    @app.get("/api/v1/query")
    def query_get(
        query_: Annotated[str, Query(alias="query")], time_: Annotated[str | None, Query(alias="time")] = None
    ) -> dict[str, Any]:
        return query(query_, time_)

    @app.post("/api/v1/query")
    def query_post(
        query_: Annotated[str, Form(alias="query")], time_: Annotated[str | None, Form(alias="time")] = None
    ) -> dict[str, Any]:
        return query(query_, time_)

    @app.get("/api/v1/query_range")
    def query_range(
        query_: Annotated[str, Query(alias="query")], start: str, end: str, step: str
    ) -> dict[str, Any]:
        selector = selectors.parse(query_)
        if selector.range_seconds is not None:
            raise selectors.SelectorError("a range query takes an instant selector")
        points: dict[Labels, list[Sample]] = {}
        for moment in _steps(_time(start), _time(end), _seconds(step)):
            for labels, (_, value) in store.instant(selector, moment).items():
                points.setdefault(labels, []).append((moment, value))
        return _matrix(points)

    @app.get("/api/v1/status/buildinfo")
    def build_information() -> dict[str, Any]:
        return {"status": "success", "data": {"version": VERSION}}

    @app.get("/-/ready")
    @app.get("/-/healthy")
    def ready() -> PlainTextResponse:
        return PlainTextResponse("Prometheus (embedded) is Ready.\n")

    @app.get("/")
    def about() -> PlainTextResponse:
        return PlainTextResponse(
            "The sandbox's embedded metrics store: it answers plain selectors at /api/v1/query.\n"
            "Install Prometheus to have its graphs here.\n"
        )

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


def _vector(found: dict[Labels, Sample]) -> dict[str, Any]:
    result = [{"metric": dict(labels), "value": _pair(sample)} for labels, sample in found.items()]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def _matrix(found: dict[Labels, list[Sample]]) -> dict[str, Any]:
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
