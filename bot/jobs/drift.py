"""Registry and Git agree, or an issue says where they do not. Nothing is ever overwritten here."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.domain.config import Config, Environment, Model
from bot.domain.drift import Drift
from bot.domain.promotion import AliasDue, Stage
from bot.domain.version import ModelVersion
from bot.jobs.outside import Outside
from bot.jobs.pinned import Files, version_in
from bot.jobs.store import Repository
from bot.manifests.bump import find_bytes
from bot.manifests.errors import BumpError
from bot.messages import issue
from bot.ports import Refused

logger = logging.getLogger(__name__)

MARKER = "<!-- slipway:drift -->"
_HOUR = 3600
_BUSY = frozenset({Stage.OPEN, Stage.SYNCING, Stage.WATCHING, Stage.HELD, Stage.REVERTING})


@dataclass(frozen=True, slots=True)
class _Place:
    """An environment whose alias Slipway moves, and where the registry has it."""

    name: str
    model: Model
    environment_name: str
    environment: Environment
    alias: str
    registered: str | None


class DriftWatch:
    """Compares aliases with pins, again only where something changed, or after an hour."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._store = outside.store
        self._seen: dict[str, object] = {}

    def look(self, repository: Repository, config: Config, aliases: Mapping[str, Mapping[str, str]]) -> None:
        """Report what disagrees in one issue, or close it. Raises OutsideError where the forge is away."""
        watched = list(_places(config, aliases))
        places = [place for place in watched if not self._under_way(repository.name, place)]
        forge = self._outside.forge(repository)
        # Where no alias is moved there is nothing in Git to compare with, only an issue that may be left.
        head = forge.head() if watched else None
        hour = int(self._outside.clock.now().timestamp() // _HOUR)
        compared = [(place.name, place.environment_name, place.registered) for place in places]
        seen = (head, hour, repository.commit, compared)
        if self._seen.get(repository.name) == seen:
            return
        drifts = self._drifts(repository.name, places, Files(forge, head)) if head is not None else []
        self._store.set_drifts(repository.name, drifts)
        if drifts:
            title, body = issue.drift(drifts)
            forge.upsert_issue(MARKER, title, f"{MARKER}\n{body}")
        else:
            forge.close_issue(MARKER)
        self._seen[repository.name] = seen

    def _under_way(self, repository: str, place: _Place) -> bool:
        """Whether a promotion there still has something to settle between Git and the registry."""
        return any(
            promotion.stage in _BUSY or any(isinstance(due, AliasDue) for due in promotion.due)
            for promotion in self._store.under_way(repository, place.name, place.environment_name)
        )

    def _drifts(self, repository: str, places: Iterable[_Place], files: Files) -> list[Drift]:
        return [drift for place in places if (drift := self._drift(repository, place, files))]

    def _drift(self, repository: str, place: _Place, files: Files) -> Drift | None:
        for selector in place.environment.targets:
            try:
                pin = find_bytes(files.of(selector)[1], selector).pin
            except (BumpError, Refused) as error:
                logger.info("%s in %s: its pin is not read: %s", place.name, place.environment_name, error)
                continue
            pinned = None if pin is None else str(pin)
            version = pinned and self._version(repository, place, pinned)
            # A pin that tells no version proves nothing.
            if pinned is not None and version is None:
                continue
            if version != place.registered:
                return Drift(place.name, place.environment_name, place.alias, place.registered, version)
        return None

    def _version(self, repository: str, place: _Place, pinned: str) -> str | None:
        """Which version a pin means, as far as the pin itself or the rows tell."""
        like = ModelVersion(place.name, place.registered or "1", "", self._outside.clock.now())
        for selector in place.environment.targets:
            if found := version_in(pinned, selector, like, place.model):
                return found
        there = self._store.of_place(repository, place.name, place.environment_name)
        for promotion in reversed(there):
            for change in promotion.changes:
                if promotion.merge_sha is not None and change.new == pinned:
                    return promotion.candidate
                if change.old == pinned:
                    return promotion.baseline
        return None


def _places(config: Config, aliases: Mapping[str, Mapping[str, str]]) -> Iterator[_Place]:
    for name, model in config.promoted.items():
        for environment_name, environment in model.environments.items():
            # A model that is not registered has nothing to disagree with.
            if environment.alias is not None and name in aliases:
                registered = aliases[name].get(environment.alias)
                yield _Place(name, model, environment_name, environment, environment.alias, registered)
