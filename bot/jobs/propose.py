"""From the registry to promotions: which version is wanted, and is that news."""

import logging
import uuid
from collections.abc import Mapping

from bot.domain.config import Config, Model, WhenAlias, WhenTag, WhenVersion
from bot.domain.hold import Quarantine
from bot.domain.promotion import ENDED, Promotion, Stage
from bot.jobs.configuration import Configurations
from bot.jobs.outside import Outside
from bot.jobs.store import Repository
from bot.messages import replies
from bot.ports import NotFound
from bot.webhooks.mlflow import ALIAS_SET, RegistryChanged

logger = logging.getLogger(__name__)


class Proposer:
    """Begins promotions."""

    def __init__(self, outside: Outside, configurations: Configurations) -> None:
        self._outside = outside
        self._store = outside.store
        self._configurations = configurations

    def registry_changed(self, event: RegistryChanged) -> None:
        """Look again at the model or prompt that an event names.

        An alias that is set to where it points already is no change, but a person meant something by it.
        """
        for repository, config in self._configurations.all():
            model = config.promoted.get(event.model)
            if model is None:
                continue
            wanted = self._wanted(event.model, model)
            meant = isinstance(model.when, WhenAlias) and (
                event.kind in ALIAS_SET and event.alias == model.when.alias
            )
            self._consider(repository, config, event.model, wanted, meant=meant)

    def compare_registry(self, aliases: Mapping[str, Mapping[str, str]]) -> None:
        """Find what no event told: compare all models and prompts with what was last wanted of them."""
        for repository, config in self._configurations.all():
            for name, model in config.promoted.items():
                wanted = self._wanted(name, model, aliases)
                self._consider(repository, config, name, wanted, meant=False)

    def begin(self, repository: str, model: str, environment: str, version: str, by: str) -> Promotion:
        """Begin a promotion, or find the one that is under way."""
        now = self._outside.clock.now()
        promotion = Promotion(
            id=uuid.uuid4().hex[:12],
            repository=repository,
            model=model,
            environment=environment,
            candidate=version,
            baseline=None,
            stage=Stage.WAITING,
            requested_by=by,
            created_at=now,
            stage_since=now,
            reason=f"Requested by {by}.",
        )
        if self._store.create(promotion):
            logger.info("promotion %s: %s %s into %s", promotion.id, model, version, environment)
            # An older open bump for the same target gives way.
            self._store.wake_place(repository, model, environment)
        return promotion

    def _wanted(
        self, name: str, model: Model, aliases: Mapping[str, Mapping[str, str]] | None = None
    ) -> str | None:
        registry = self._outside.registry
        match model.when:
            case WhenAlias(alias=alias):
                return (
                    aliases.get(name, {}).get(alias) if aliases is not None else registry.alias(name, alias)
                )
            case WhenVersion():
                return registry.latest_version(name)
            case WhenTag(tag=tag):
                latest = registry.latest_version(name)
                if latest is None:
                    return None
                tagged = registry.version(name, latest).tags.get(tag.key) == tag.value
                return latest if tagged else None

    def _consider(
        self, repository: Repository, config: Config, model: str, wanted: str | None, *, meant: bool
    ) -> None:
        if wanted is None:
            return
        if not meant and self._store.wanted(repository.name, model) == wanted:
            return
        by = _reason(config.promoted[model])
        for name in config.promoted[model].first:
            self._propose(repository, model, name, wanted, by)
        self._store.set_wanted(repository.name, model, wanted)

    def _propose(self, repository: Repository, model: str, environment: str, version: str, by: str) -> None:
        quarantine = self._store.quarantine(repository.name, model, environment, version)
        if quarantine is not None:
            self._refuse(repository, quarantine, by)
            return
        before = self._store.of_version(repository.name, model, environment, version)
        if before and before[-1].stage not in ENDED:
            self._store.wake([before[-1].id])
            return
        self.begin(repository.name, model, environment, version, by)

    def _refuse(self, repository: Repository, quarantine: Quarantine, by: str) -> None:
        logger.info(
            "%s %s is quarantined in %s: nothing is opened (%s)",
            quarantine.model,
            quarantine.version,
            quarantine.environment,
            by,
        )
        if quarantine.pull is None:
            return
        marker = replies.marker("quarantined", f"{quarantine.environment}-{quarantine.version}")
        text = replies.quarantined(quarantine, by)
        try:
            self._outside.forge(repository).upsert_comment(quarantine.pull, marker, text)
        except NotFound:
            logger.warning("the pull request %s of %s is gone", quarantine.pull, repository.name)


def _reason(model: Model) -> str:
    match model.when:
        case WhenAlias(alias=alias):
            return f"alias {alias}"
        case WhenVersion():
            return "new version"
        case WhenTag(tag=tag):
            return f"tag {tag.key}"
