"""Looking at what each environment of a configuration needs: its series, its Application, its image."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.adapters.argocd import ArgoCd, ArgoCdResources
from bot.adapters.oci import OciRegistry
from bot.analysis.queries import RAW, Query, queries
from bot.bootstrap import cluster_of, registries_of
from bot.doctor import delivery, metrics
from bot.doctor.configured import Configured
from bot.doctor.run import Look
from bot.domain.config import Environment, Model
from bot.domain.finding import Finding, warning
from bot.domain.series import Series
from bot.domain.version import ModelVersion
from bot.manifests.errors import BumpError
from bot.manifests.pin import image_of
from bot.ports import Metrics
from bot.settings import Settings

_SECONDS = metrics.MINUTES * 60.0
_SERIES = "Check the connection, and the selectors of `slo` in slipway.yaml."
_ARGOCD = "Check SLIPWAY_ARGOCD_URL, SLIPWAY_ARGOCD_TOKEN and `argocd` in slipway.yaml."
_IMAGES = "Check `image` in slipway.yaml, and the registry's entry in SLIPWAY_REGISTRY_AUTH_FILE."


@dataclass(frozen=True, slots=True)
class Tools:
    """What environments are looked at with. `web`: where the forge's pages are."""

    sources: Mapping[str, Metrics]
    cluster: ArgoCd | ArgoCdResources | None
    images: OciRegistry
    web: str

    @classmethod
    def of(cls, settings: Settings, sources: Mapping[str, Metrics], web: str) -> "Tools":
        return cls(sources, cluster_of(settings), OciRegistry(registries_of(settings)), web)


def looks(tools: Tools, configured: Configured) -> Iterator[Look]:
    """Everything to look at for one repository's configuration."""
    for name, model in configured.config.promoted.items():
        for key, environment in model.environments.items():
            place = _Place(tools, configured, name, model, key, environment)
            if environment.slo is not None:
                yield Look(metrics.AREA, place.subject, place.series, _SERIES)
            if environment.argocd is not None:
                yield Look(delivery.ARGOCD, place.subject, place.application, _ARGOCD)
            if model.image is not None and model.image.from_tag is None:
                yield Look(delivery.IMAGES, place.subject, place.image, _IMAGES)


@dataclass(frozen=True, slots=True)
class _Place:
    """One environment of one model."""

    tools: Tools
    configured: Configured
    name: str
    model: Model
    key: str
    environment: Environment

    @property
    def subject(self) -> str:
        return f"{self.name} in {self.key}"

    def _version(self) -> str | None:
        return self.configured.pinned(self.name, self.model, self.environment)

    def series(self) -> Iterator[Finding]:
        slo = self.environment.slo
        assert slo is not None, "looked at only with SLOs"
        source = self.tools.sources.get(slo.source)
        if source is None:
            yield metrics.unknown_source(self.subject, slo.source)
            return
        version = self._version()
        if version is None and "{version}" in slo.model_dump_json():
            yield metrics.unknown_version(self.subject)
            return
        asked = queries(slo, self._names(version or ""), stretch=_SECONDS)
        now = datetime.now(UTC).timestamp()
        answers = {query.text: _answer(source, query, now) for query in asked}
        yield from metrics.series(self.subject, slo, asked, answers)

    def _names(self, version: str) -> Mapping[str, str]:
        """As a canary fills its placeholders, with what is pinned now as candidate and baseline."""
        return {
            "model": self.name,
            "version": version,
            "baseline": version,
            "environment": self.key,
            "namespace": self.key,
        }

    def application(self) -> Iterator[Finding]:
        assert self.environment.argocd is not None, "looked at only with an Application"
        if self.tools.cluster is None:
            yield delivery.no_argocd(self.subject)
            return
        repository_url = f"{self.tools.web}/{self.configured.repository}"
        seen = self.tools.cluster.inspect(self.environment.argocd, repository_url)
        yield from delivery.application(self.subject, seen, repository_url, self.configured.branch)

    def image(self) -> Iterator[Finding]:
        """The image of the version that is pinned; without one, that of version 1 shows the registry."""
        source = self.model.image
        assert source is not None, "looked at only with an image"
        like = ModelVersion(self.name, self._version() or "1", "", datetime.now(UTC))
        try:
            pin = image_of(source, like)
        except BumpError as error:
            yield warning(
                delivery.IMAGES, self.subject, f"Its image cannot be told: {error.message}.", _IMAGES
            )
            return
        if pin.repository is not None:
            yield delivery.image(self.subject, str(pin), self.tools.images.digest(str(pin)))


def _answer(source: Metrics, query: Query, now: float) -> tuple[Series, ...]:
    if query.role in RAW:
        return tuple(source.raw(query.text, now - _SECONDS, now))
    return tuple(source.instant(query.text, now))
