"""Everything outside that the jobs work with, handed in by the composition root."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.expression import Evaluator, evaluate
from bot.domain.scope import EVERYTHING, Scopes
from bot.jobs.store import Repository, Store
from bot.ports import Clock, Cluster, Forge, ForgeApp, ImageRegistry, Metrics, ModelRegistry, Notifier, Prober


@dataclass(frozen=True, slots=True)
class Outside:
    """The ports, and the store. `metrics` by the name that `slo.source` uses; `default` is the first."""

    store: Store
    app: ForgeApp
    registry: ModelRegistry
    images: ImageRegistry
    metrics: Mapping[str, Metrics]
    cluster: Cluster | None
    prober: Prober
    clock: Clock
    web: str
    """Address of the forge's pages; a repository's is `web/owner/name`."""
    scopes: Scopes = EVERYTHING
    """Which repositories may name which models."""
    expressions: Evaluator = evaluate
    """Runs the rules of policies; production limits them in time and memory."""
    notifier: Notifier | None = None

    def forge(self, repository: Repository) -> Forge:
        return self.app.forge(repository.installation, repository.name)

    def repository_url(self, name: str) -> str:
        return f"{self.web}/{name}"
