"""What people say in pull requests: from a comment to requests that wait for their answer."""

import logging
from datetime import datetime

from bot.domain import commands
from bot.domain.branches import own_branch, place_branch
from bot.domain.promotion import Promotion, Stage
from bot.jobs.events import COMMANDS
from bot.jobs.outside import Outside
from bot.jobs.store import Repository, RequestRow
from bot.messages import replies
from bot.ports import Forge, NotFound, OutsideError

logger = logging.getLogger(__name__)


class Hearing:
    """Hears comments. One that was heard before is not heard again, however it comes in."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._store = outside.store

    def hear(
        self,
        repository: Repository,
        pull: int,
        author: str,
        body: str,
        comment: int,
        *,
        at: datetime | None = None,
    ) -> None:
        """Take in one comment (or, with its id negated, one review) of a person. Raises OutsideError.

        `at` is when it was said: what was meant for an older candidate is not heard as a word for the newer
        one that goes on in its pull request.
        """
        said = commands.parse(body)
        if not said.commands and not said.mistakes:
            return
        promotion = self._store.of_pull(repository.name, pull, at) or self._forgotten(repository, pull)
        if promotion is None:
            return
        rows = [
            RequestRow(
                repository.name,
                pull,
                author,
                COMMANDS.dump(command),
                comment,
                ordinal,
                promotion=promotion.id,
            )
            for ordinal, command in enumerate(said.commands)
        ]
        if rows and not self._store.add_requests(rows):
            # Known already; whoever took it in may have been killed before it woke anybody.
            if self._store.pending_requests(repository.name, [pull], promotion.id):
                self._store.wake([promotion.id])
            return
        forge = self._outside.forge(repository)
        _acknowledge(forge, comment)
        if said.mistakes:
            marker = replies.marker("mistakes", comment)
            forge.upsert_comment(pull, marker, f"{marker}\n{replies.mistakes(said.mistakes)}")
        self._store.wake([promotion.id])

    def _forgotten(self, repository: Repository, pull: int) -> Promotion | None:
        """Whose pull request this is where a process was killed after opening it and before it said so."""
        unopened = [
            each for each in self._store.of_stages([Stage.WAITING]) if each.repository == repository.name
        ]
        if not unopened:
            return None
        try:
            found = self._outside.forge(repository).pull(pull)
        except NotFound:  # an issue
            return None
        if not found.is_from(repository.name):
            return None
        ours = (each for each in unopened if found.branch in (own_branch(each), place_branch(each)))
        return next(ours, None)


def _acknowledge(forge: Forge, comment: int) -> None:
    if comment <= 0:
        return
    try:
        forge.react(comment, "eyes")
    except OutsideError as trouble:
        # A courtesy: the answer itself is what counts.
        logger.info("no reaction on comment %s: %s", comment, trouble)
