"""The check of pull requests that touch the configuration or a pin: the same as `slipway check`.

What a pull request's branch holds is only looked at, never obeyed: the configuration in force is that
of the default branch.
"""

import logging

from bot.domain.mistake import Mistake
from bot.jobs.configuration import POLICIES, Configurations
from bot.jobs.outside import Outside
from bot.jobs.store import Repository
from bot.manifests.check import check, concerns
from bot.messages import check as gates_check
from bot.messages import issue, replies
from bot.ports import CheckRun, Forge, NotFound, Refused

logger = logging.getLogger(__name__)

NAME = "slipway / configuration"
_NEW_HEAD = frozenset({"opened", "reopened", "synchronize"})
_CHANGES = _NEW_HEAD | {"ready_for_review"}


class PullChecker:
    """Checks what people propose."""

    def __init__(self, outside: Outside, configurations: Configurations) -> None:
        self._outside = outside
        self._configurations = configurations

    def check(self, repository: Repository, pull: int, change: str, head_sha: str, base: str) -> None:
        """Check a pull request after a change of its commits; says nothing where nothing of ours changed."""
        forge = self._outside.forge(repository)
        if change not in _CHANGES or base != forge.default_branch():
            return
        in_force = self._configurations.of(repository)
        if in_force is not None and change in _NEW_HEAD:
            self._no_gates(forge, head_sha)
        config = in_force.config if in_force is not None else None
        changed = forge.changed_files(forge.head(), head_sha)
        marker = replies.marker("configuration", pull)
        told = change != "opened" and _told(forge, pull, marker)
        if not told and not any(concerns(path, config) for path in changed):
            return
        mistakes = self._mistakes(forge, head_sha)
        title, text = issue.proposed(head_sha, mistakes)
        try:
            forge.check(CheckRun(NAME, head_sha, title, text, "failure" if mistakes else "success"))
        except Refused as refused:
            logger.info("no check on %s: %s", head_sha, refused)
        # Mistakes are told in a comment; once there is one, it also tells that they are gone.
        if mistakes or told:
            forge.upsert_comment(pull, marker, f"{marker}\n{text}")

    def _no_gates(self, forge: Forge, head_sha: str) -> None:
        """A rule of the branch may require the gates' check: what is no promotion must not wait for it."""
        said = gates_check.NO_PROMOTION
        run = CheckRun(gates_check.GATES, head_sha, said.title, said.summary, said.conclusion)
        try:
            forge.check(run)
        except Refused as refused:
            logger.info("no check on %s: %s", head_sha, refused)

    def _mistakes(self, forge: Forge, commit: str) -> tuple[Mistake, ...]:
        def read(path: str) -> bytes | None:
            try:
                return forge.read(path, commit)
            except (NotFound, Refused):
                return None

        try:
            listed = forge.list_folder(POLICIES, commit)
        except NotFound:
            listed = ()
        own = {
            path: data.decode("utf-8", "replace")
            for path in listed
            if path.endswith((".yaml", ".yml")) and (data := read(path)) is not None
        }
        return check(read, own, self._configurations.shipped)


def _told(forge: Forge, pull: int, marker: str) -> bool:
    return any(marker in comment.body for comment in forge.comments(pull) if comment.from_bot)
