"""The composition root: the one place that knows every adapter."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import procrastinate
from fastapi import FastAPI
from sqlalchemy import Engine

from bot.adapters.argocd import ArgoCD
from bot.adapters.clock import SystemClock
from bot.adapters.database.connection import connect, embedded_url, libpq_url, migrate
from bot.adapters.database.figures import Figures
from bot.adapters.database.store import PostgresStore, healthy
from bot.adapters.github import GitHubApp
from bot.adapters.mlflow import MlflowRegistry
from bot.adapters.oci import OciRegistry
from bot.adapters.prometheus import Prometheus
from bot.jobs import tasks
from bot.jobs.configuration import Configurations
from bot.jobs.outside import Outside
from bot.jobs.propose import Proposer
from bot.jobs.receive import Receiver
from bot.jobs.reconcile import Reconciler
from bot.jobs.resync import Resync
from bot.jobs.worker import working
from bot.ports import Metrics
from bot.settings import Settings
from bot.web import health, metrics, webhooks
from bot.web.app import create_app


@dataclass(frozen=True, slots=True)
class Slipway:
    """One process of Slipway, put together but not started."""

    settings: Settings
    engine: Engine
    queue: procrastinate.App
    outside: Outside

    def application(self, *, work: bool = True) -> FastAPI:
        """The web application; with `work` it also takes jobs."""

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            if not work:
                yield
                return
            async with working(self.queue, self.outside.store):
                yield

        figures = Figures(self.engine)
        settings = self.settings
        return create_app(
            [
                webhooks.router(
                    self.outside.store,
                    github_secrets=_secrets(settings.github_webhook_secret.get_secret_value()),
                    mlflow_secrets=_secrets(settings.mlflow_webhook_secret.get_secret_value()),
                ),
                health.router(lambda: healthy(self.engine)),
                metrics.router(metrics.RowCollector(figures.stages, figures.backlog)),
            ],
            lifespan,
        )


def build(settings: Settings) -> Slipway:
    """Connect, migrate and wire everything. Raises NoDatabaseError and SQLAlchemy's errors."""
    url = (
        settings.database_url.get_secret_value()
        if settings.database_url is not None
        else embedded_url(settings.data_dir.resolve())
    )
    engine = connect(url)
    queue = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=libpq_url(engine), min_size=1, max_size=8)
    )
    migrate(engine)
    store = PostgresStore(engine, queue)
    outside = Outside(
        store=store,
        app=_github(settings),
        registry=_mlflow(settings),
        images=OciRegistry(),
        metrics=_metrics(settings),
        cluster=_argocd(settings),
        clock=SystemClock(),
    )
    configurations = Configurations(outside)
    proposer = Proposer(outside, configurations)
    tasks.register(
        queue,
        receive=Receiver(outside, configurations, proposer).receive,
        reconcile=Reconciler(outside, configurations, proposer).reconcile,
        resync=Resync(outside, configurations, proposer).run,
    )
    return Slipway(settings, engine, queue, outside)


def _secrets(joined: str) -> tuple[str, ...]:
    return tuple(secret.strip() for secret in joined.split(",") if secret.strip())


def _metrics(settings: Settings) -> Mapping[str, Metrics]:
    return {}
