"""The re-run button of Slipway's check runs: a press is a request of a person, like a command.

GitHub sets the check back to queued when somebody presses, so the check is shown as running at once and
written anew at the next look, whoever pressed; what the press does takes the right that the command takes.
"""

import hashlib

from bot.domain.commands import Rerun
from bot.domain.promotion import Promotion
from bot.jobs import check_pull
from bot.jobs.check_pull import PullChecker
from bot.jobs.configuration import Configurations
from bot.jobs.events import COMMANDS
from bot.jobs.outside import Outside
from bot.jobs.store import Repository, RequestRow
from bot.messages import check
from bot.ports import CheckRun
from bot.webhooks.github_events import CheckRerequested

_CHECKS = {"gates": check.GATES, "canary": check.CANARY}


class Reruns:
    """Takes presses in."""

    def __init__(self, outside: Outside, configurations: Configurations, checker: PullChecker) -> None:
        self._outside = outside
        self._store = outside.store
        self._configurations = configurations
        self._checker = checker

    def pressed(self, repository: Repository, event: CheckRerequested) -> None:
        """Take in one press on a check, or on all of a commit where it names none. Raises OutsideError."""
        concerned = self._store.of_commit(repository.name, event.head_sha)
        for promotion in concerned:
            kind = _kind(promotion, event.head_sha)
            if event.name in (None, _CHECKS[kind]):
                self._ask(repository, promotion, kind, event)
        if event.name == check_pull.NAME or not concerned:
            self._check_again(repository, event.head_sha)

    def _ask(self, repository: Repository, promotion: Promotion, kind: str, event: CheckRerequested) -> None:
        if promotion.pull is None:
            return
        command = COMMANDS.dump(Rerun(kind))
        press = _number(f"{event.delivery}/{promotion.id}")
        row = RequestRow(repository.name, promotion.pull, event.by, command, press, 0, promotion=promotion.id)
        if self._store.add_requests([row]):
            running = CheckRun(
                _CHECKS[kind], event.head_sha, "Looking again", "Somebody asked for another look.", None
            )
            self._outside.forge(repository).check(running)
        self._store.wake([promotion.id])

    def _check_again(self, repository: Repository, sha: str) -> None:
        forge = self._outside.forge(repository)
        for pull in forge.open_pulls():
            if pull.head_sha == sha:
                self._checker.check(repository, pull.number, "reopened", sha, pull.base_branch)
                return
        self._configurations.refresh(repository)


def _kind(promotion: Promotion, sha: str) -> str:
    return "canary" if sha == promotion.merge_sha else "gates"


def _number(press: str) -> int:
    """A number for a press, the same for a repeated delivery, below the ids of all reviews negated."""
    return -(2**62) + int.from_bytes(hashlib.sha256(press.encode()).digest()[:6])
