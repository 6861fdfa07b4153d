"""What repairs lost events: every two minutes everything that an event could have told is looked at."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from bot.domain.pull import Pull, PullState
from bot.jobs.check_pull import PullChecker
from bot.jobs.configuration import Configurations
from bot.jobs.drift import DriftWatch
from bot.jobs.hear import Hearing
from bot.jobs.outside import Outside
from bot.jobs.propose import Proposer
from bot.jobs.store import Repository
from bot.messages.check import GATES
from bot.ports import Forge, OutsideError

logger = logging.getLogger(__name__)

_LOOK_BACK = timedelta(minutes=30)
_LONGEST_LOOK_BACK = timedelta(days=3)
_OVERLAP = timedelta(minutes=5)
"""Clocks differ, and a listing may lag behind."""


class Resync:
    """Compares the outside with the rows."""

    def __init__(self, outside: Outside, configurations: Configurations, proposer: Proposer) -> None:
        self._outside = outside
        self._configurations = configurations
        self._proposer = proposer
        self._drift = DriftWatch(outside)
        self._hearing = Hearing(outside)
        self._checker = PullChecker(outside, configurations)

    def run(self) -> None:
        """Look at everything; trouble in one place does not keep the others from being looked at."""
        since = self._outside.clock.now() - _LOOK_BACK
        steps: list[tuple[str, Callable[[], object]]] = [
            ("repositories", lambda: self._outside.store.set_repositories(self._outside.app.repositories())),
            ("configurations", self._configurations.refresh_all),
            ("deliveries", lambda: self._outside.app.redeliver_failed(since)),
            ("registry", self._compare_registry),
        ]
        for name, step in steps:
            self._try(name, step)
        for repository in self._outside.store.repositories():
            self._try(f"pull requests of {repository.name}", partial(self._compare_pulls, repository))
            self._try(f"what was said in {repository.name}", partial(self._listen_again, repository))

    def _compare_registry(self) -> None:
        aliases = self._outside.registry.aliases()
        self._proposer.compare_registry(aliases)
        for repository, config in self._configurations.all():
            look = partial(self._drift.look, repository, config, aliases)
            self._try(f"aliases and pins of {repository.name}", look)

    def _compare_pulls(self, repository: Repository) -> None:
        """Wake each promotion whose pull request is not open any more, or has another head or label set."""
        waiting = self._outside.store.open_pulls(repository.name)
        if not waiting:
            return
        still_open = {pull.number for pull in self._outside.forge(repository).open_pulls()}
        self._outside.store.wake(promotion for pull, promotion in waiting.items() if pull not in still_open)

    def _listen_again(self, repository: Repository) -> None:
        """Hear what was said and see what was done since the last time; what a webhook brought is known."""
        now = self._outside.clock.now()
        since = max(repository.heard_at or now, now - _LONGEST_LOOK_BACK) - _OVERLAP
        forge = self._outside.forge(repository)
        for comment in forge.recent_comments(since):
            if not comment.from_bot and not comment.edited and comment.created_at >= since:
                self._hearing.hear(
                    repository,
                    comment.pull,
                    comment.author,
                    comment.body,
                    comment.id,
                    at=comment.created_at,
                )
        waiting = self._outside.store.open_pulls(repository.name)
        for pull in forge.recent_pulls(since):
            if self._outside.store.of_pull(repository.name, pull.number) is not None:
                self._hear_reviews(repository, forge, pull, since)
            elif repository.files and pull.state is PullState.OPEN:
                self._check_once(repository, forge, pull)
            if pull.number in waiting:
                self._outside.store.wake([waiting[pull.number]])
        self._outside.store.set_heard(repository.name, now)

    def _check_once(self, repository: Repository, forge: Forge, pull: Pull) -> None:
        if not forge.has_check(pull.head_sha, GATES):
            self._checker.check(repository, pull.number, "synchronize", pull.head_sha, pull.base_branch)

    def _hear_reviews(self, repository: Repository, forge: Forge, pull: Pull, since: datetime) -> None:
        for review in forge.reviews(pull.number):
            if not review.from_bot and review.submitted_at >= since:
                self._hearing.hear(
                    repository, pull.number, review.author, review.body, -review.id, at=review.submitted_at
                )

    def _try(self, what: str, step: Callable[[], object]) -> None:
        try:
            step()
        except OutsideError as trouble:
            logger.warning("resync of %s failed and is repeated: %s", what, trouble)
