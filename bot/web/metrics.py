"""Slipway's own metrics: asked of the rows when Prometheus scrapes, and of what GitHub said of its limits."""

from collections.abc import Callable, Iterable, Mapping

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.ports import Usage

Counts = Mapping[tuple[str, ...], float]


class RowCollector(Collector):
    """Gauges from one query each; rows are the only state there is."""

    def __init__(self, stages: Callable[[], Counts], backlog: Callable[[], Counts]) -> None:
        self._stages = stages
        self._backlog = backlog

    def collect(self) -> Iterable[Metric]:
        promotions = GaugeMetricFamily(
            "slipway_promotions", "Promotions by stage.", labels=["repository", "environment", "stage"]
        )
        for labels, count in self._stages().items():
            promotions.add_metric(labels, count)
        yield promotions
        backlog = GaugeMetricFamily("slipway_backlog", "What waits to be worked on.", labels=["kind"])
        for labels, count in self._backlog().items():
            backlog.add_metric(labels, count)
        yield backlog


class LimitCollector(Collector):
    """What is left of GitHub's rate limit and what waited for it, by installation; 0 is the App itself."""

    def __init__(self, usage: Callable[[], Mapping[int, Usage]]) -> None:
        self._usage = usage

    def collect(self) -> Iterable[Metric]:
        labels = ["installation"]
        remaining = GaugeMetricFamily(
            "slipway_github_requests_remaining", "Requests left in this hour, as last told.", labels=labels
        )
        pause = GaugeMetricFamily(
            "slipway_github_pause_seconds", "How long GitHub asked not to be asked.", labels=labels
        )
        requests = CounterMetricFamily(
            "slipway_github_requests",
            "Requests by what came of them; postponed ones were not sent.",
            labels=[*labels, "outcome"],
        )
        for installation, usage in self._usage().items():
            name = str(installation)
            if usage.remaining is not None:
                remaining.add_metric([name], usage.remaining)
            pause.add_metric([name], usage.pause)
            for outcome, count in usage.answers.items():
                requests.add_metric([name, outcome], count)
        yield from (remaining, pause, requests)


def router(*collectors: Collector) -> APIRouter:
    """`/metrics` in Prometheus' text format."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(_Deferred(collector))
    ProcessCollector(registry=registry)
    routes = APIRouter(tags=["metrics"])

    @routes.get("/metrics", summary="Slipway's metrics for Prometheus")
    async def metrics() -> Response:
        text = await run_in_threadpool(generate_latest, registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return routes


class _Deferred(Collector):
    """Registering asks a collector for its metrics; the database is not asked before the first scrape."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterable[Metric]:
        return self._collector.collect()

    def describe(self) -> Iterable[Metric]:
        return ()
