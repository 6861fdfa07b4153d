"""Decides from an Application document whether a merge commit, or a later one, is live and healthy. Pure.

The rows are asked from top to bottom; the first that applies is the answer.

| the document says                                             | answer  |
|---------------------------------------------------------------|---------|
| the Application is being deleted                              | failed  |
| no source of it is our repository                             | failed  |
| a comparison, sync or specification error about our commit    | failed  |
| source hydrator: failed on our commit; not hydrated yet       | failed; syncing |
| its revision does not contain our commit                      | syncing |
| an operation runs or is asked for                             | syncing |
| the last operation failed on our commit                       | failed  |
| the operation ended after Argo CD last looked                 | syncing |
| OutOfSync, automatic sync off                                 | waiting |
| OutOfSync, sync window closed                                 | waiting |
| OutOfSync or Unknown otherwise                                | syncing |
| Suspended                                                     | waiting |
| any other health but Healthy                                  | syncing |
| Synced and Healthy                                            | live    |

`status.sync` is what Argo CD compared last and is the truth about what is in the cluster;
`operationState.syncResult` may be older, so it only tells which commit a failure belongs to.
A self-heal runs the same revision again: `since` stays with the first deployment of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from bot.adapters.argocd.application import Application, OperationState, Status, same_repository
from bot.domain.live import Liveness, LiveState

_ERROR_CONDITIONS = frozenset({"ComparisonError", "SyncError", "InvalidSpecError"})
_RUNNING = frozenset({"Running", "Terminating"})
_FAILED = frozenset({"Failed", "Error"})
_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")


def decide_liveness(
    application: Application,
    *,
    commit: str,
    repository_url: str,
    contains: Callable[[str], bool],
    can_sync: Callable[[], bool],
    url: str | None = None,
) -> Liveness:
    """Whether `commit` or a later one is live.

    `contains(revision)` tells whether `commit` is that revision or in its history; `can_sync()`
    whether the sync windows are open. Both are asked only where the answer depends on them.
    """
    return _Decision(application, commit, repository_url, cache(contains), can_sync, url).liveness()


@dataclass
class _Decision:
    application: Application
    commit: str
    repository_url: str
    contains: Callable[[str], bool]
    can_sync: Callable[[], bool]
    url: str | None
    revision: str | None = None
    """The commit of our repository that the Application is at, once a row has found it."""

    def liveness(self) -> Liveness:
        return (
            self._not_ours()
            or self._broken()
            or self._not_hydrated()
            or self._not_seen()
            or self._unsettled()
            or self._not_synced()
            or self._unhealthy()
            or self._live()
        )

    @property
    def status(self) -> Status:
        return self.application.status

    def _answer(self, state: LiveState, reason: str, since: datetime | None = None) -> Liveness:
        return Liveness(state=state, reason=reason, revision=self.revision, since=since, url=self.url)

    @property
    def _name(self) -> str:
        return self.application.metadata.name

    def _not_ours(self) -> Liveness | None:
        if self.application.metadata.deletion_timestamp is not None:
            return self._answer(LiveState.FAILED, f"the Application {self._name} is being deleted")
        sources = self.application.followed
        if any(same_repository(source.repo_url, self.repository_url) for source in sources):
            return None
        named = ", ".join(sorted({source.repo_url for source in sources})) or "none"
        return self._answer(
            LiveState.FAILED,
            f"the Application {self._name} does not deploy {self.repository_url}; its sources: {named}",
        )

    def _broken(self) -> Liveness | None:
        for condition in self.status.conditions:
            if condition.type in _ERROR_CONDITIONS and self._is_about_ours(condition.message):
                return self._answer(LiveState.FAILED, f"{condition.type}: {condition.message}")
        return None

    def _is_about_ours(self, message: str) -> bool:
        """Argo CD names the commit of a failed sync; an error that names none is about the present."""
        commits = _COMMIT.findall(message)
        return not commits or any(self.contains(commit) for commit in commits)

    def _not_hydrated(self) -> Liveness | None:
        if self.application.spec.source_hydrator is None:
            return None
        current = self.status.source_hydrator.current_operation
        if current and current.phase == "Failed" and (not current.dry_sha or self.contains(current.dry_sha)):
            return self._answer(LiveState.FAILED, f"the source hydrator failed: {current.message}")
        done = self.status.source_hydrator.last_successful_operation
        if done is None or not done.dry_sha or not self.contains(done.dry_sha):
            return self._answer(LiveState.SYNCING, "the source hydrator has not rendered this commit yet")
        if self.status.sync.revision != done.hydrated_sha:
            return self._answer(LiveState.SYNCING, "Argo CD has not seen the hydrated commit yet")
        self.revision = done.dry_sha
        return None

    def _not_seen(self) -> Liveness | None:
        if self.application.spec.source_hydrator is not None:
            return None
        revisions = self.application.revisions_from(self.status.sync, self.repository_url)
        if not revisions:
            return self._answer(LiveState.SYNCING, "Argo CD has not compared this Application yet")
        self.revision = revisions[0]
        for revision in revisions:
            if not self.contains(revision):
                self.revision = revision
                return self._answer(
                    LiveState.SYNCING,
                    f"Argo CD is at {revision[:10]}, which does not contain {self.commit[:10]} yet"
                    + self._follows_other_branch(),
                )
        return None

    def _follows_other_branch(self) -> str:
        targets = {
            source.target_revision
            for source in self.application.sources
            if same_repository(source.repo_url, self.repository_url)
        } - {"", "HEAD"}
        return f" (it follows {', '.join(sorted(targets))})" if targets else ""

    def _unsettled(self) -> Liveness | None:
        operation = self.status.operation_state
        if self.application.operation is not None:
            return self._answer(LiveState.SYNCING, "a sync has been asked for")
        if operation is None:
            return None
        if operation.phase in _RUNNING:
            return self._answer(LiveState.SYNCING, f"a sync is running: {operation.message or 'no message'}")
        if operation.phase in _FAILED and self._is_of_ours(operation):
            return self._answer(LiveState.FAILED, f"the sync failed: {operation.message or 'no message'}")
        looked = self.status.reconciled_at
        if operation.finished_at and (looked is None or looked < operation.finished_at):
            return self._answer(LiveState.SYNCING, "Argo CD has not looked again since the sync ended")
        return None

    def _is_of_ours(self, operation: OperationState) -> bool:
        for named in (operation.operation.sync, operation.sync_result):
            if named is None:
                continue
            if self.application.spec.source_hydrator is not None and named.revision:
                return named.revision == self.status.sync.revision
            revisions = self.application.revisions_from(named, self.repository_url)
            commits = [revision for revision in revisions if _COMMIT.fullmatch(revision)]
            if commits:
                return any(self.contains(commit) for commit in commits)
        return True

    def _not_synced(self) -> Liveness | None:
        status = self.status.sync.status
        if status == "Synced":
            return None
        if status == "OutOfSync" and not self.application.spec.automated:
            return self._answer(LiveState.WAITING, "automatic sync is off: waiting for a manual sync")
        if status == "OutOfSync" and not self.can_sync():
            return self._answer(LiveState.WAITING, "the sync window is closed")
        return self._answer(LiveState.SYNCING, f"Argo CD says {status}")

    def _unhealthy(self) -> Liveness | None:
        health = self.status.health
        if health.status == "Healthy":
            return None
        state = LiveState.WAITING if health.status == "Suspended" else LiveState.SYNCING
        message = f": {health.message}" if health.message else ""
        answer = self._answer(state, f"synced, but its health is {health.status}{message}")
        return replace(answer, paused=health.status == "Suspended")

    def _live(self) -> Liveness:
        revision = self.revision or ""
        return self._answer(LiveState.LIVE, f"{revision[:10]} is synced and healthy", self._since())

    def _since(self) -> datetime | None:
        """When this revision was first deployed and had become healthy, as far as the document tells."""
        synced = self.status.sync
        moments = sorted(
            entry.deployed_at
            for entry in self.status.history
            if entry.deployed_at and (entry.revision, entry.revisions) == (synced.revision, synced.revisions)
        )[:1]
        if self.status.health.last_transition_time is not None:
            moments.append(self.status.health.last_transition_time)
        return max(moments, default=None)
