"""`slipway.yaml` and policies of each repository, read from the default branch only.

Of a wrong `slipway.yaml` the last good one is kept. A wrong policy is in force and stops what needs it: it
may have been meant to forbid what the one before it allowed.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.domain.config import FILE, Config, Environment
from bot.domain.loading import load
from bot.domain.mistake import ConfigError, Mistake
from bot.domain.policies import Policies, calendars, resolve
from bot.domain.policy import Policy
from bot.jobs.outside import Outside
from bot.jobs.store import Repository
from bot.messages import issue
from bot.ports import CheckRun, Forge, NotFound, OutsideError, Refused

logger = logging.getLogger(__name__)

POLICIES = "policies"
_MARKER = "<!-- slipway:configuration -->"
_MOST_CALENDARS = 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """A repository's configuration, with its policies resolved and its freeze calendars at hand."""

    config: Config
    policies: Policies
    calendars: Mapping[str, str]

    def policy(self, environment: Environment) -> Policy:
        """The environment's policy; one that is missing or broken blocks and says so."""
        return self.policies.get(environment.policy)


def parse(files: Mapping[str, str], shipped: Mapping[str, str]) -> Loaded:
    """Read a repository's own files. Raises ConfigError with every mistake of `slipway.yaml`."""
    config = load(files.get(FILE, ""), FILE)
    own = {path: text for path, text in files.items() if path != FILE and path.endswith((".yaml", ".yml"))}
    return Loaded(
        config, resolve(own, shipped), {path: text for path, text in files.items() if path.endswith(".ics")}
    )


class Configurations:
    """The last good configuration of each repository."""

    def __init__(self, outside: Outside, shipped: Mapping[str, str]) -> None:
        self._outside = outside
        self.shipped = shipped
        self._cache: dict[tuple[str, str], Loaded] = {}

    def all(self) -> Iterator[tuple[Repository, Config]]:
        """Every repository that has a configuration."""
        for repository in self._outside.store.repositories():
            loaded = self.of(repository)
            if loaded is not None:
                yield repository, loaded.config

    def of(self, repository: Repository) -> Loaded | None:
        """The repository's last good configuration, parsed once for each commit."""
        if not repository.files or repository.commit is None:
            return None
        key = (repository.name, repository.commit)
        if key not in self._cache:
            self._cache = {kept: value for kept, value in self._cache.items() if kept[0] != repository.name}
            loaded = parse(repository.files, self.shipped)
            # The rules may have changed since this was read: what they no longer allow is not there.
            self._cache[key] = replace(loaded, config=self._within(repository.name, loaded.config))
        return self._cache[key]

    def _within(self, repository: str, config: Config) -> Config:
        """The configuration without the models and prompts that this repository may not name."""
        strange = self._strange(repository, config)
        if not strange:
            return config
        kept = {
            kind: {name: each for name, each in named.items() if name not in strange}
            for kind, named in (("models", config.models), ("prompts", config.prompts))
        }
        return config.model_copy(update=kept)

    def _refuse_strange(self, repository: str, config: Config) -> None:
        strange = self._strange(repository, config)
        if strange:
            raise ConfigError([_not_yours(name) for name in strange])

    def _strange(self, repository: str, config: Config) -> list[str]:
        return [name for name in config.promoted if not self._outside.scopes.allow(repository, name)]

    def refresh_all(self) -> None:
        for repository in self._outside.store.repositories():
            try:
                self.refresh(repository)
            except OutsideError as trouble:
                logger.warning("the configuration of %s is read later: %s", repository.name, trouble)

    def refresh(self, repository: Repository) -> None:
        """Read the default branch again; a mistake is told where it was made, and the last good one stays."""
        forge = self._outside.forge(repository)
        commit = forge.head()
        if commit == repository.commit:
            return
        files = read_files(forge, commit)
        if not files and not repository.files:
            return
        try:
            loaded = parse(files, self.shipped)
            self._refuse_strange(repository.name, loaded.config)
        except ConfigError as error:
            logger.warning("%s at %s: %d mistakes in %s", repository.name, commit, len(error.mistakes), FILE)
            self._tell(forge, commit, *issue.configuration(commit, error.mistakes))
            return
        self._outside.store.set_configuration(repository.name, files, commit)
        self._outside.store.wake_place(repository.name, None, None)
        if mistakes := loaded.policies.mistakes:
            logger.warning("%s at %s: %d mistakes in policies", repository.name, commit, len(mistakes))
            self._tell(forge, commit, *issue.policies(commit, mistakes))
        else:
            forge.close_issue(_MARKER)

    def _tell(self, forge: Forge, commit: str, title: str, body: str) -> None:
        forge.upsert_issue(_MARKER, title, f"{_MARKER}\n{body}")
        try:
            forge.check(CheckRun("slipway / configuration", commit, title, body, "failure"))
        except Refused as refused:
            logger.info("no check on %s: %s", commit, refused)


def _not_yours(name: str) -> Mistake:
    said = f"`{name}` is not for this repository: whoever runs Slipway says which models are"
    return Mistake(FILE, 1, 1, f"models.{name}", said, "ask for it in SLIPWAY_MODEL_SCOPES")


def read_files(forge: Forge, commit: str) -> dict[str, str]:
    """`slipway.yaml`, the policies and the calendars beside it; empty where there is no `slipway.yaml`."""
    try:
        files = {FILE: forge.read(FILE, commit)}
    except NotFound:
        return {}
    try:
        listed = forge.list_folder(POLICIES, commit)
    except NotFound:
        listed = ()
    for path in listed:
        if path.endswith((".yaml", ".yml", ".ics")):
            files[path] = forge.read(path, commit)
    texts = {path: data.decode("utf-8", "replace") for path, data in files.items()}
    for path in _calendars_elsewhere(texts):
        try:
            texts[path] = forge.read(path, commit).decode("utf-8", "replace")
        except (NotFound, Refused):  # the freeze says so, and counts as on
            continue
    return texts


def _calendars_elsewhere(files: Mapping[str, str]) -> tuple[str, ...]:
    """The calendars that policies name and that are not among the files: the first few."""
    named = [
        freeze.ical
        for path, text in files.items()
        if path != FILE and path.endswith((".yaml", ".yml"))
        for _, freeze in calendars(text, path)
    ]
    return tuple(sorted(set(named) - set(files)))[:_MOST_CALENDARS]
