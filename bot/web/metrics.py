"""Slipway's own metrics: asked of the rows when Prometheus scrapes, and of what GitHub said of its limits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bot.ports import Usage

Counts = Mapping[tuple[str, ...], float]

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
LEAD_TIMES = (5 * _MINUTE, 15 * _MINUTE, _HOUR, 4 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY)
"""Bounds of the histogram, in seconds."""


class Figures(Protocol):
    """What is counted, one query each."""

    def stages(self) -> Counts:
        """(repository, environment, stage) → promotions."""
        ...

    def verdicts(self) -> Counts:
        """(repository, environment, outcome) → promotions whose canary ended so."""
        ...

    def lead_times(self, bounds: Sequence[float]) -> Mapping[tuple[str, ...], tuple[list[float], float]]:
        """(repository, environment) → promotions within each bound and in all, and seconds together."""
        ...

    def drifts(self) -> Counts:
        """(repository, environment, model) → 1 where an alias and its pin name different versions."""
        ...

    def retrainings(self) -> Counts:
        """(repository, environment, model, state) → new versions asked for; `waiting`, `told`, `given up`."""
        ...

    def backlog(self) -> Counts:
        """Kind → how many wait."""
        ...


class RowCollector(Collector):
    """Metrics from one query each; rows are the only state there is."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        place = ["repository", "environment"]
        yield _gauge("promotions", "Promotions by stage.", [*place, "stage"], self._figures.stages())
        yield _gauge("verdicts", "Canaries by how they ended.", [*place, "outcome"], self._figures.verdicts())
        lead_time = HistogramMetricFamily(
            "slipway_lead_time_seconds", "From a version named to its canary passed.", labels=place
        )
        bounds = [*(f"{bound:g}" for bound in LEAD_TIMES), "+Inf"]
        for labels, (counts, seconds) in self._figures.lead_times(LEAD_TIMES).items():
            lead_time.add_metric(labels, list(zip(bounds, counts, strict=True)), seconds)
        yield lead_time
        about = "Registry and Git name different versions; an issue says which."
        yield _gauge("drift", about, [*place, "model"], self._figures.drifts())
        yield _gauge(
            "retrainings", "New versions asked for.", [*place, "model", "state"], self._figures.retrainings()
        )
        yield _gauge("backlog", "What waits to be worked on.", ["kind"], self._figures.backlog())


def _gauge(name: str, about: str, labels: list[str], counts: Counts) -> Metric:
    family = GaugeMetricFamily(f"slipway_{name}", about, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family


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
