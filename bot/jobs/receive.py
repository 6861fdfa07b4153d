"""What a webhook delivery wakes. An event never decides anything: it says where to look."""

import logging
from collections.abc import Iterator

from bot.domain.alert_rule import named
from bot.domain.branches import named_in, own_branch, place_branch
from bot.domain.config import Environment
from bot.domain.policy import Policy
from bot.domain.promotion import Promotion, Stage
from bot.jobs.check_pull import PullChecker
from bot.jobs.configuration import Configurations
from bot.jobs.events import EVENTS, Event
from bot.jobs.hear import Hearing
from bot.jobs.outside import Outside
from bot.jobs.propose import Proposer
from bot.jobs.rerun import Reruns
from bot.jobs.store import Repository
from bot.webhooks import github_events as github
from bot.webhooks.alertmanager import AlertsChanged
from bot.webhooks.argocd import ApplicationChanged
from bot.webhooks.mlflow import RegistryChanged

logger = logging.getLogger(__name__)


class Receiver:
    """Turns stored deliveries into rows and wake-ups."""

    def __init__(self, outside: Outside, configurations: Configurations, proposer: Proposer) -> None:
        self._outside = outside
        self._store = outside.store
        self._configurations = configurations
        self._proposer = proposer
        self._hearing = Hearing(outside)
        self._checker = PullChecker(outside, configurations)
        self._reruns = Reruns(outside, configurations, self._checker)
        self._strangers: set[str] = set()
        """Names that were looked for among the App's repositories, and not found."""

    def receive(self, source: str, delivery_id: str) -> None:
        """Do what one delivery asks for, once; after trouble outside the sweep tries again."""
        delivery = self._store.delivery(source, delivery_id)
        if delivery is None:
            return
        self._handle(EVENTS.load(delivery.event))
        self._store.finish(source, delivery_id)

    def _handle(self, event: Event) -> None:
        match event:
            case RegistryChanged():
                self._proposer.registry_changed(event)
            case AlertsChanged():
                self._alerted(event)
            case ApplicationChanged():
                self._synced(event)
            case github.InstallationChanged():
                self._installed(event)
            case github.RepositoryEvent():
                repository = self._known(event)
                if repository is not None:
                    self._happened(repository, event)

    def _installed(self, event: github.InstallationChanged) -> None:
        self._strangers.clear()
        self._store.set_repositories(self._outside.app.repositories())
        self._configurations.refresh_all()
        for repository in self._store.repositories():
            if repository.installation == event.installation:
                # A right that was given now may be what a promotion waits for.
                self._store.wake_place(repository.name, None, None)

    def _happened(self, repository: Repository, event: github.RepositoryEvent) -> None:
        match event:
            case github.CommentCreated() | github.ReviewSubmitted():
                self._spoken(repository, event)
            case github.Pushed():
                self._pushed(repository, event)
            case github.PullRequestChanged():
                self._changed(repository, event)
            case github.PullRequestClosed():
                self._wake_pull(event.repository, event.pull)
            case github.ChecksCompleted():
                self._store.wake(self._store.open_pulls(event.repository).values())
            case github.CheckRerequested():
                self._reruns.pressed(repository, event)

    def _alerted(self, event: AlertsChanged) -> None:
        self._store.keep_alerts(event.alerts)
        firing = {alert.name for alert in event.alerts if alert.firing}
        self._store.wake(
            promotion.id
            for promotion, _, policy in self._at(Stage.WATCHING)
            if any(named(policy.canary.alerts, name) for name in firing)
        )

    def _synced(self, event: ApplicationChanged) -> None:
        self._store.wake(
            promotion.id
            for promotion, environment, _ in self._at(Stage.SYNCING, Stage.REVERTING)
            if environment.argocd == event.application
        )

    def _at(self, *stages: Stage) -> Iterator[tuple[Promotion, Environment, Policy]]:
        """Promotions in these stages, with their environment and policy as configured."""
        for promotion in self._store.of_stages(stages):
            repository = self._store.repository(promotion.repository)
            loaded = self._configurations.of(repository) if repository is not None else None
            model = loaded.config.promoted.get(promotion.model) if loaded is not None else None
            environment = model.environments.get(promotion.environment) if model is not None else None
            if loaded is not None and environment is not None:
                yield promotion, environment, loaded.policy(environment)

    def _wake_pull(self, repository: str, pull: int) -> None:
        promotion = self._store.of_pull(repository, pull)
        if promotion is not None:
            self._store.wake([promotion.id])

    def _changed(self, repository: Repository, event: github.PullRequestChanged) -> None:
        self._wake_pull(event.repository, event.pull)
        # Slipway's own pull requests change pins only, each change verified when it was made.
        # What is saved meanwhile is found by its number, so the number is looked up last.
        if not self._opening(event) and self._store.of_pull(event.repository, event.pull) is None:
            self._checker.check(repository, event.pull, event.change, event.head_sha, event.base_branch)

    def _opening(self, event: github.PullRequestChanged) -> bool:
        """Whether it is a promotion's pull request that no row names yet: its delivery may come before the
        process that opened it has saved that, or another one finds it after a kill.
        """
        if event.from_fork:
            return False
        loaded = self._store.load(named_in(event.branch) or "")
        if loaded is not None:
            own = own_branch(loaded.promotion)
            return loaded.promotion.repository == event.repository and event.branch.startswith(own)
        return any(
            each.repository == event.repository and event.branch == place_branch(each)
            for each in self._store.of_stages([Stage.WAITING])
        )

    def _pushed(self, repository: Repository, event: github.Pushed) -> None:
        if event.to_default_branch:
            self._configurations.refresh(repository)
            # A merge by hand, a moved base, a pin that somebody changed: all of them concern open bumps.
            self._store.wake(self._store.open_pulls(event.repository).values())

    def _spoken(self, repository: Repository, event: github.CommentCreated | github.ReviewSubmitted) -> None:
        if isinstance(event, github.ReviewSubmitted):
            self._wake_pull(event.repository, event.pull)
        if not event.is_bot:
            # A review cannot carry reactions; its own id, negated, keeps it apart from comments.
            said = event.comment if isinstance(event, github.CommentCreated) else -event.review
            at = event.created_at if isinstance(event, github.CommentCreated) else event.submitted_at
            self._hearing.hear(repository, event.pull, event.author, event.body, said, at=at)

    def _known(self, event: github.RepositoryEvent) -> Repository | None:
        """The repository as we know it; an installation that does not match speaks for nobody."""
        repository = self._store.repository(event.repository) or self._renamed(event.repository)
        if repository is None:
            return None
        if event.installation is not None and event.installation != repository.installation:
            logger.warning(
                "a delivery for %s names installation %s, which is not the one it belongs to",
                event.repository,
                event.installation,
            )
            return None
        return repository

    def _renamed(self, name: str) -> Repository | None:
        """A name that nobody has told of: a repository was renamed or has moved. Looked for once a name."""
        if name in self._strangers:
            return None
        self._strangers.add(name)
        self._store.set_repositories(self._outside.app.repositories())
        return self._store.repository(name)
