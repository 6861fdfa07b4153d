"""What is looked at, in three rounds: the systems, then the repositories, then what these configure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from bot.adapters.database import inspection
from bot.adapters.database.connection import NoDatabaseError, connect, embedded_url
from bot.adapters.database.store import PostgresStore
from bot.adapters.github import GitHubApp, GitHubInspection, pages
from bot.adapters.mlflow import MlflowInspection, MlflowRegistry
from bot.bootstrap import metrics_of
from bot.doctor import database, github, metrics, registry
from bot.doctor.configured import Configured, from_forge, remembered
from bot.doctor.environments import Tools, looks
from bot.doctor.run import Look, run
from bot.domain.finding import Finding, ok, problem
from bot.domain.inspection import InstallationSeen
from bot.settings import Partly

SECONDS = 20.0
"""For each of the three rounds; every adapter gives up earlier by itself."""

_APP = "Check SLIPWAY_GITHUB_APP_ID, the private key and SLIPWAY_GITHUB_BASE_URL."
_MLFLOW = (
    "Check SLIPWAY_MLFLOW_TRACKING_URI, and MLflow's own variables for credentials"
    " (MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN)."
)
_PROMETHEUS = "Check its address and credentials in SLIPWAY_PROMETHEUS_URL or SLIPWAY_PROMETHEUS_SOURCES."
_REPOSITORY = "Check that the App is installed there with the right to read contents."
_GITHUB_SETTINGS = frozenset({"github_app_id", "github_private_key", "github_base_url"})


def examine(read: Partly, seconds: float = SECONDS) -> list[Finding]:
    """Look at everything that these settings name; reads only, and never raises for trouble outside."""
    return _Rounds(read).make(seconds)


class _Rounds:
    def __init__(self, read: Partly) -> None:
        self._read = read
        self._settings = read.settings
        self._metrics = metrics_of(read.settings)
        self._web = pages(read.settings.github_base_url)
        # What one round finds out for the next; each value is written by one look.
        self._slug = ""
        self._installed: Sequence[InstallationSeen] = ()
        self._remembered: Sequence[Configured] = ()
        self._arrived: Mapping[str, datetime] = {}
        self._aliases: Mapping[str, Mapping[str, str]] | None = None
        self._configured: dict[str, Configured] = {}
        self._bare: list[str] = []

    def make(self, seconds: float) -> list[Finding]:
        found = [_mistaken(mistake) for mistake in self._read.mistakes]
        found += run(self._systems(), seconds)
        found += run(list(self._repositories()), seconds)
        if self._bare and not self._configured:
            found.append(github.no_configuration(self._bare))
        # What GitHub does not tell now, Slipway may have read before.
        known = self._configured or {each.repository: each for each in self._remembered}
        found += run(list(self._ends(list(known.values()))), seconds)
        return found

    # The systems.
    def _systems(self) -> list[Look]:
        found = [Look(database.AREA, database.SUBJECT, self._look_at_database, database.ADDRESS)]
        if not self._read.lacking & _GITHUB_SETTINGS:
            found.append(Look(github.AREA, "App", self._look_at_app, _APP))
        if "mlflow_tracking_uri" not in self._read.lacking:
            found.append(Look(registry.AREA, "server", self._look_at_registry, _MLFLOW))
        found += [
            Look(metrics.AREA, name, partial(self._look_at_source, name), _PROMETHEUS)
            for name in self._metrics
        ]
        return found

    def _look_at_database(self) -> Iterator[Finding]:
        settings = self._settings
        try:
            if settings.database_url is not None:
                url = settings.database_url.get_secret_value()
            elif (settings.data_dir / "postgres").exists():
                url = embedded_url(settings.data_dir.resolve())
            else:
                yield database.not_started()
                return
            engine = connect(url, pool=1)
        except NoDatabaseError as error:
            yield database.away(str(error).rstrip("."))
            return
        try:
            seen = inspection.inspect(engine)
            if seen.revision == seen.newest:
                self._arrived = seen.deliveries
                self._remembered = remembered(PostgresStore(engine).repositories())
        except SQLAlchemyError as error:
            # The driver's own sentence names host and user, never the password.
            why = str(getattr(error, "orig", None) or type(error).__name__).strip()
            yield database.away(why.splitlines()[0])
            return
        finally:
            engine.dispose()
        yield from database.state(seen)

    def _look_at_app(self) -> Iterator[Finding]:
        settings = self._settings
        look = GitHubInspection(settings.github_app_id, settings.private_key(), settings.github_base_url)
        app = look.app()
        self._slug = app.slug
        yield from github.app(app, settings.public_url)
        self._installed = look.installations()
        yield from github.installations(self._installed, app.slug)

    def _look_at_registry(self) -> Iterator[Finding]:
        uri = self._settings.mlflow_tracking_uri
        self._aliases = MlflowRegistry(uri).aliases()
        count = len(self._aliases)
        yield ok(registry.AREA, "server", f"It answers, and lists {count} registered models and prompts.")
        look = MlflowInspection(uri)
        yield registry.access(look.user(()), open_to_all=look.open_to_all())

    def _look_at_source(self, name: str) -> Iterator[Finding]:
        self._metrics[name].instant("up", datetime.now().timestamp())  # noqa: DTZ005  only its number is used
        yield ok(metrics.AREA, name, "It answers queries.")

    # The repositories.
    def _repositories(self) -> Iterator[Look]:
        settings = self._settings
        if not any(each.repositories for each in self._installed):
            return
        app = GitHubApp(settings.github_app_id, settings.private_key(), settings.github_base_url)
        look = GitHubInspection(settings.github_app_id, settings.private_key(), settings.github_base_url)
        for each in self._installed:
            for name in each.repositories:
                yield Look(
                    github.AREA,
                    name,
                    partial(self._look_at_repository, app, look, each, name),
                    _REPOSITORY,
                )

    def _look_at_repository(
        self, app: GitHubApp, look: GitHubInspection, granted: InstallationSeen, name: str
    ) -> Iterator[Finding]:
        read = from_forge(app.forge(granted.id, name))
        if read is None:
            self._bare.append(name)
            return
        configured, finding = read
        yield finding
        if configured is not None:
            self._configured[name] = configured
            yield from github.teams(name, configured.policies, granted)
            yield from github.workflows(name, configured.config, granted)
        yield from github.branch(name, look.default_branch(granted.id, name))

    # What is configured.
    def _ends(self, configured: Sequence[Configured]) -> Iterator[Look]:
        if not configured:
            return
        if self._aliases is not None:
            yield Look(registry.AREA, "webhooks", partial(self._look_at_webhooks, configured), _MLFLOW)
            for each in configured:
                yield Look(registry.AREA, each.repository, partial(self._look_at_models, each), _MLFLOW)
        tools = Tools.of(self._settings, self._metrics, self._web)
        for each in configured:
            yield from looks(tools, each)

    def _look_at_webhooks(self, configured: Sequence[Configured]) -> Iterable[Finding]:
        models = [model for each in configured for model in each.config.promoted.values()]
        return registry.webhooks(
            MlflowInspection(self._settings.mlflow_tracking_uri).webhooks(),
            registry.needed_events(models),
            self._settings.public_url,
            self._arrived.get("mlflow"),
        )

    def _look_at_models(self, configured: Configured) -> Iterable[Finding]:
        user = MlflowInspection(self._settings.mlflow_tracking_uri).user(configured.config.promoted)
        return registry.models(configured.config, self._aliases or {}, user)


def _mistaken(mistake: str) -> Finding:
    """A mistake of the settings; it begins with the variable's name, which is what the line is about."""
    name, _, said = mistake.rstrip(".").partition(" ")
    sentence = f"It {said}." if said.startswith("is ") else f"{name} {said}."
    from_setup = ", as `slipway setup` wrote it" if name.startswith("SLIPWAY_GITHUB_") else ""
    return problem("Settings", name, sentence, f"Set it in the environment of Slipway{from_setup}.")
