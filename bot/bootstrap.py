"""The composition root: the one place that knows every adapter."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import procrastinate
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine

from bot.adapters import shipped
from bot.adapters.argocd import ArgoCd
from bot.adapters.cel import LimitedEvaluator
from bot.adapters.clock import SystemClock
from bot.adapters.database.connection import connect, embedded_url, libpq_url, migrate
from bot.adapters.database.figures import Figures
from bot.adapters.database.store import PostgresStore, healthy
from bot.adapters.docker import DockerBuilder
from bot.adapters.github import GITHUB, GitHubApp
from bot.adapters.mlflow import MlflowFiles, MlflowRegistry
from bot.adapters.oci import Credentials, LayerBuilder, OciRegistry, from_docker_config
from bot.adapters.prometheus import Connection, Prometheus
from bot.jobs import tasks
from bot.jobs.build import Builder, Workshop
from bot.jobs.configuration import Configurations
from bot.jobs.outside import Outside
from bot.jobs.propose import Proposer
from bot.jobs.receive import Receiver
from bot.jobs.reconcile import Reconciler
from bot.jobs.resync import Resync
from bot.jobs.worker import working
from bot.ports import Cluster, Limits, Metrics
from bot.settings import MetricsSource, Settings
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

    def application(self, *, hear: bool = True, work: bool = True) -> FastAPI:
        """The web application: with `hear` it takes webhooks, with `work` jobs; health and metrics always."""

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            if not work:
                yield
                return
            async with working(self.queue, self.outside.store, self.builder):
                yield

        figures = Figures(self.engine)
        settings = self.settings
        routers = [
            health.router(lambda: healthy(self.engine)),
            metrics.router(metrics.RowCollector(figures.stages, figures.backlog)),
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
    url = (
        settings.database_url.get_secret_value()
        if settings.database_url is not None
        else embedded_url(settings.data_dir.resolve())
    )
    engine = connect(url)
    migrate(engine)
    queue = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=libpq_url(engine), min_size=1, max_size=8)
    )
    images = OciRegistry(_registries(settings))
    outside = Outside(
        store=PostgresStore(engine),
        app=GitHubApp(settings.github_app_id, settings.private_key(), settings.github_base_url),
        registry=MlflowRegistry(settings.mlflow_tracking_uri, settings.mlflow_public_url),
        images=images,
        metrics=_metrics(settings),
        cluster=_cluster(settings),
        clock=SystemClock(),
        web=_pages(settings.github_base_url),
        expressions=LimitedEvaluator(),
    )
    configurations = Configurations(outside, shipped.policies())
    proposer = Proposer(outside, configurations)
    builder = Builder(outside, _workshop(settings, images))
    tasks.register(
        queue,
        receive=Receiver(outside, configurations, proposer).receive,
        reconcile=Reconciler(outside, configurations, proposer).reconcile,
        resync=Resync(outside, configurations, proposer).run,
        build=builder.build,
    )
    return Slipway(settings, engine, queue, outside, builder)


def _workshop(settings: Settings, images: OciRegistry) -> Workshop:
    return Workshop(
        files=MlflowFiles(settings.mlflow_tracking_uri),
        builders={
            "none": LayerBuilder(images),
            "docker": DockerBuilder(settings.registry_auth_file),
        },
        folder=settings.build_dir,
        limits=Limits(settings.build_max_bytes, settings.build_max_files),
    )


def _secrets(joined: str) -> tuple[str, ...]:
    return tuple(secret.strip() for secret in joined.split(",") if secret.strip())


def _metrics(settings: Settings) -> Mapping[str, Metrics]:
    """Each metrics server by its name; `default` is the one of the plain settings."""
    sources = dict(settings.prometheus_sources)
    if settings.prometheus_url is not None:
        tenant = settings.prometheus_tenant
        sources["default"] = MetricsSource(
            url=settings.prometheus_url,
            token=settings.prometheus_token,
            username=settings.prometheus_username,
            password=settings.prometheus_password,
            headers={"X-Scope-OrgID": SecretStr(tenant)} if tenant else {},
        )
    return {name: Prometheus(_connection(source)) for name, source in sources.items()}


def _connection(source: MetricsSource) -> Connection:
    basic = (source.username, _revealed(source.password) or "") if source.username else None
    own = (str(source.certificate), str(source.key)) if source.certificate and source.key else None
    return Connection(
        url=source.url,
        bearer=_revealed(source.token),
        basic=basic,
        headers={name: value.get_secret_value() for name, value in source.headers.items()},
        certificate=own,
        ca=str(source.ca) if source.ca else None,
        read_timeout=source.timeout,
    )


def _registries(settings: Settings) -> Mapping[str, Credentials]:
    file = settings.registry_auth_file
    return from_docker_config(file.read_text()) if file is not None else {}


def _cluster(settings: Settings) -> Cluster | None:
    if settings.argocd_url is None:
        return None
    return ArgoCd(settings.argocd_url, _revealed(settings.argocd_token) or "")


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _pages(api: str) -> str:
    """Where people see what this API serves: github.com, or a server of one's own."""
    if api.rstrip("/") == GITHUB:
        return "https://github.com"
    return api.rstrip("/").removesuffix("/api/v3")
