"""The composition root: the one place that knows every adapter."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import procrastinate
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine

from bot.adapters import shipped
from bot.adapters.argocd import ArgoCd, ArgoCdResources
from bot.adapters.cel import LimitedEvaluator
from bot.adapters.clock import SystemClock
from bot.adapters.database.connection import connect, embedded_url, libpq_url, migrate
from bot.adapters.database.figures import Figures
from bot.adapters.database.store import PostgresStore, healthy
from bot.adapters.docker import DockerBuilder
from bot.adapters.github import GitHubApp, pages
from bot.adapters.http import HttpProber
from bot.adapters.mlflow import MlflowFiles, MlflowRegistry
from bot.adapters.notifications import HttpNotifier
from bot.adapters.oci import Credentials, LayerBuilder, OciRegistry, from_docker_config
from bot.adapters.prometheus import Prometheus
from bot.domain.scope import Scopes
from bot.jobs import tasks
from bot.jobs.build import Builder, Workshop
from bot.jobs.configuration import Configurations
from bot.jobs.notify import Notifications
from bot.jobs.outside import Outside
from bot.jobs.propose import Proposer
from bot.jobs.receive import Receiver
from bot.jobs.reconcile import Reconciler
from bot.jobs.resync import Resync
from bot.jobs.worker import working
from bot.ports import Limits, Metrics
from bot.settings import MetricsSettings, Settings
from bot.web import health, metrics, webhooks
from bot.web.app import create_app


@dataclass(frozen=True, slots=True)
class Slipway:
    """One process of Slipway, put together but not started."""

    settings: Settings
    engine: Engine
    queue: procrastinate.App
    outside: Outside
    builder: Builder
    notifications: Notifications
    closing: ExitStack
    """What ends with the application: child process, connections."""

    def application(self, *, hear: bool = True, work: bool = True) -> FastAPI:
        """The web application: with `hear` it takes webhooks, with `work` jobs; health and metrics always."""

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            with self.closing:
                if not work:
                    yield
                    return
                async with working(self.queue, self.outside.store, self.builder, self.notifications):
                    yield

        figures = Figures(self.engine)
        settings = self.settings
        routers = [
            health.router(lambda: healthy(self.engine)),
            metrics.router(metrics.RowCollector(figures), metrics.LimitCollector(self.outside.app.usage)),
        ]
        if hear:
            routers.append(
                webhooks.router(
                    self.outside.store,
                    github_secrets=_secrets(settings.github_webhook_secret.get_secret_value()),
                    mlflow_secrets=_secrets(settings.mlflow_webhook_secret.get_secret_value()),
                    alertmanager_secrets=_secrets(_revealed(settings.alertmanager_secret) or ""),
                    argocd_secrets=_secrets(_revealed(settings.argocd_webhook_secret) or ""),
                )
            )
        return create_app(routers, lifespan)


def build(settings: Settings) -> Slipway:
    """Connect, migrate and wire everything. Raises NoDatabaseError and SQLAlchemy's errors."""
    closing = ExitStack()
    engine = _engine(settings, closing)
    migrate(engine)
    return wire(settings, engine, _outside(settings, engine, closing), closing)


def wire(settings: Settings, engine: Engine, outside: Outside, closing: ExitStack) -> Slipway:
    """Put the jobs together on a migrated database; `closing` is what ends with the process."""
    queue = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=libpq_url(engine), min_size=1, max_size=8)
    )
    configurations = Configurations(outside, shipped.policies())
    proposer = Proposer(outside, configurations)
    builder = Builder(outside, _workshop(settings, closing))
    tasks.register(
        queue,
        receive=Receiver(outside, configurations, proposer).receive,
        reconcile=Reconciler(outside, configurations, proposer).reconcile,
        resync=Resync(outside, configurations, proposer).run,
        build=builder.build,
    )
    notifications = Notifications(outside, configurations)
    return Slipway(settings, engine, queue, outside, builder, notifications, closing)


def _workshop(settings: Settings, closing: ExitStack) -> Workshop:
    images = closing.enter_context(contextlib.closing(OciRegistry(registries_of(settings))))
    return Workshop(
        files=MlflowFiles(settings.mlflow_tracking_uri),
        builders={
            "none": LayerBuilder(images),
            "docker": DockerBuilder(settings.registry_auth_file),
        },
        folder=settings.build_dir,
        limits=Limits(settings.build_max_bytes, settings.build_max_files),
    )


def outside_of(settings: Settings, closing: ExitStack) -> Outside:
    """The same outside for one look at it: nothing is migrated, and no job runs.

    Raises NoDatabaseError and SQLAlchemy's errors.
    """
    return _outside(settings, _engine(settings, closing), closing)


def _engine(settings: Settings, closing: ExitStack) -> Engine:
    url = (
        settings.database_url.get_secret_value()
        if settings.database_url is not None
        else embedded_url(settings.data_dir.resolve())
    )
    engine = connect(url)
    closing.callback(engine.dispose)
    return engine


def _outside(settings: Settings, engine: Engine, closing: ExitStack) -> Outside:
    return Outside(
        store=PostgresStore(engine),
        app=GitHubApp(settings.github_app_id, settings.private_key(), settings.github_base_url),
        registry=MlflowRegistry(settings.mlflow_tracking_uri, settings.mlflow_public_url),
        images=closing.enter_context(contextlib.closing(OciRegistry(registries_of(settings)))),
        metrics=metrics_of(settings),
        cluster=cluster_of(settings),
        prober=HttpProber(),
        scopes=Scopes(settings.model_scopes),
        clock=SystemClock(),
        web=pages(settings.github_base_url),
        expressions=closing.enter_context(LimitedEvaluator()),
        notifier=closing.enter_context(contextlib.closing(_notifier(settings))),
    )


def _notifier(settings: Settings) -> HttpNotifier:
    return HttpNotifier({name: told.target() for name, told in settings.notify_targets.items()})


def _secrets(joined: str) -> tuple[str, ...]:
    return tuple(secret.strip() for secret in joined.split(",") if secret.strip())


def metrics_of(settings: MetricsSettings) -> Mapping[str, Metrics]:
    """Each metrics server by its name; `default` is the one of the plain settings."""
    return {name: Prometheus(source.connection()) for name, source in settings.sources().items()}


def registries_of(settings: Settings) -> Mapping[str, Credentials]:
    file = settings.registry_auth_file
    return from_docker_config(file.read_text()) if file is not None else {}


def cluster_of(settings: Settings) -> ArgoCd | ArgoCdResources | None:
    """Raises NoKubernetesError where Applications are to be read from a Kubernetes that is not there."""
    if settings.argocd_url is None:
        return ArgoCdResources.connect(settings.argocd_namespace) if settings.argocd_namespace else None
    return ArgoCd(settings.argocd_url, _revealed(settings.argocd_token) or "")


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
