"""A repository's configuration as it is in force, wherever it could be read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.adapters import shipped
from bot.doctor import github
from bot.domain.config import FILE, Config, Environment, Model
from bot.domain.finding import Finding
from bot.domain.mistake import ConfigError
from bot.domain.policy import Policy
from bot.domain.version import ModelVersion
from bot.jobs.configuration import Loaded, parse, read_files
from bot.jobs.pinned import Files, version_in
from bot.jobs.store import Repository
from bot.manifests.bump import find_bytes
from bot.manifests.check import check
from bot.manifests.errors import BumpError
from bot.ports import Forge, NotFound, Refused


@dataclass(frozen=True, slots=True)
class Configured:
    """`forge` is None where GitHub did not answer and the database still knew the configuration."""

    repository: str
    loaded: Loaded
    forge: Forge | None = None
    commit: str | None = None
    branch: str | None = None

    @property
    def config(self) -> Config:
        return self.loaded.config

    @property
    def policies(self) -> Sequence[Policy]:
        environments = [
            place for model in self.config.promoted.values() for place in model.environments.values()
        ]
        return [self.loaded.policy(place) for place in environments]

    def pinned(self, name: str, model: Model, environment: Environment) -> str | None:
        """The version that the default branch pins; None where no pin tells one. Raises Unavailable."""
        if self.forge is None or self.commit is None:
            return None
        like = ModelVersion(name, "1", "", datetime.now(UTC))
        files = Files(self.forge, self.commit)
        for selector in environment.targets:
            try:
                pin = find_bytes(files.of(selector)[1], selector).pin
            except (BumpError, Refused):
                continue
            if pin is not None and (found := version_in(str(pin), selector, like, model)) is not None:
                return found
        return None


def from_forge(forge: Forge) -> tuple[Configured | None, Finding] | None:
    """What the default branch holds, and what there is to say of it; None without a slipway.yaml."""
    commit = forge.head()
    files = read_files(forge, commit)
    if not files:
        return None
    mistakes = check(lambda path: _content(forge, path, commit), _policies(files), shipped.policies())
    try:
        loaded = parse(files, shipped.policies())
    except ConfigError as error:
        return None, github.configuration(forge.repository, commit, mistakes or error.mistakes, None)
    configured = Configured(forge.repository, loaded, forge, commit, forge.default_branch())
    return configured, github.configuration(forge.repository, commit, mistakes, loaded.config)


def remembered(rows: Iterable[Repository]) -> Sequence[Configured]:
    """What the database last read of each repository without a mistake."""
    return [Configured(row.name, parse(row.files, shipped.policies())) for row in rows if row.files]


def _policies(files: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if path != FILE and not path.endswith(".ics")}


def _content(forge: Forge, path: str, commit: str) -> bytes | None:
    try:
        return forge.read(path, commit)
    except (NotFound, Refused):
        return None
