"""GitHub or what speaks its API: one repository, and the App over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.pull import Comment, Permission, Pull, Review


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request that Slipway wants to exist: one commit on one branch.

    `edits` maps a path in the repository to the whole new content of that file.
    """

    branch: str
    base_sha: str
    edits: Mapping[str, bytes]
    commit_message: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    """Logins, and teams as `organisation/team`."""
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check on a commit. `conclusion` None: still in progress."""

    name: str
    head_sha: str
    title: str
    summary: str
    conclusion: str | None = None
    details_url: str | None = None


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run of a workflow. `conclusion` None: not ended yet, else `success`, `failure`, `cancelled`, …"""

    id: int
    url: str
    conclusion: str | None = None


class Forge(Protocol):
    """One repository on GitHub or something that speaks its API."""

    @property
    def repository(self) -> str:
        """`owner/name`."""

    @property
    def bot_login(self) -> str:
        """The login under which this App comments and commits (`slipway[bot]`)."""

    def was_called(self, name: str) -> bool:
        """Whether this `owner/name` leads here, as the name does that the repository had before."""

    # Reading the repository.
    def default_branch(self) -> str: ...
    def head(self, branch: str | None = None) -> str:
        """The commit a branch points to; the default branch when none is named."""

    def read(self, path: str, ref: str) -> bytes:
        """A file's bytes at a commit. Raises NotFound; Refused for a folder, a symlink or over 1 MB."""

    def list_folder(self, path: str, ref: str) -> tuple[str, ...]:
        """The files directly in a folder, as paths from the repository's root. Raises NotFound."""

    def changed_files(self, base: str, head: str) -> tuple[str, ...]:
        """Paths that differ between two commits (at most the first 300)."""

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `ancestor` is `descendant` or in its history."""

    # Pull requests.
    def propose(self, proposal: Proposal) -> Pull:
        """Make the branch hold exactly this one commit on `base_sha`, and one open pull request for it.

        Reviewers and assignees who cannot be asked are left out. Raises Refused for the default branch.
        """

    def pull(self, number: int) -> Pull: ...
    def open_pulls(self) -> Sequence[Pull]:
        """All open pull requests of the repository, one listing."""

    def recent_pulls(self, since: datetime) -> Sequence[Pull]:
        """Pull requests in whatever state that changed since then (a comment or review is a change)."""

    def merge(self, number: int, *, sha: str, title: str, message: str) -> str:
        """Merge exactly `sha`; returns the merge commit, also of a merge that happened before.

        Raises Conflict when the head is another commit, Refused with the forge's own reason when it will
        not merge, Unavailable when the base moved this moment.
        """

    def close(self, number: int) -> None: ...
    def delete_branch(self, branch: str) -> None: ...
    def reviews(self, number: int) -> Sequence[Review]: ...

    # Talking.
    def recent_comments(self, since: datetime) -> Sequence[Comment]:
        """Comments in all pull requests and issues that were written or edited since then, one listing."""

    def comments(self, number: int, since: datetime | None = None) -> Sequence[Comment]: ...
    def upsert_comment(self, number: int, marker: str, body: str) -> int:
        """The bot's one comment that carries `marker` (an HTML comment), made or edited; returns its id.

        The marker is put before a body that lacks it.
        """

    def react(self, comment: int, reaction: str) -> None:
        """`eyes`, `rocket`, `-1` or `confused`; silently nothing where reactions are missing."""

    def check(self, check: CheckRun) -> None:
        """Create or update the check run of this name on this commit."""

    def has_check(self, sha: str, name: str) -> bool:
        """Whether the App has a check run of this name on this commit; True where checks are missing."""

    def deployment(
        self,
        environment: str,
        sha: str,
        state: str,
        description: str,
        url: str | None,
        *,
        production: bool = False,
    ) -> None:
        """Set the status of this environment's deployment of `sha`, creating it when absent.

        After a `success` it is the only one that runs there.
        """

    def upsert_issue(self, marker: str, title: str, body: str) -> int:
        """The bot's one open issue that carries `marker`, made or edited; returns its number.

        0 where the repository has no issues or the App may not write them.
        """

    def close_issue(self, marker: str) -> None:
        """Close the open issue that carries `marker`, if there is one."""

    # Workflows.
    def dispatch_workflow(self, workflow: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow (the name of its file) on the default branch. Not idempotent: look first.

        Raises NotFound, Forbidden, or Refused where it takes no such inputs.
        """

    def workflow_run(self, workflow: str, named: str, since: datetime) -> WorkflowRun | None:
        """The newest dispatched run since then whose name holds `named`; None where there is none (yet)."""

    def dispatch_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Send the repository's workflows a `repository_dispatch` event."""

    # People.
    def permission(self, login: str) -> Permission:
        """The person's right here, asked live."""

    def in_team(self, team: str, login: str) -> bool:
        """Whether the person is an active member of the organisation's team `team` (its slug)."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one installation used of the forge's rate limit in this process.

    `remaining`: requests left in this hour as last told, None before that; `pause`: seconds for which the
    forge asked not to be asked; `answers`: how many requests were `answered`, `unchanged` (free), `refused`,
    `failed`, and `postponed` without being sent.
    """

    remaining: int | None
    pause: float
    answers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Installed:
    """A repository that the App is installed in.

    `name` is `owner/name`; `id` is the forge's own and stays when the repository is renamed or moves.
    """

    id: int
    name: str
    installation: int


class ForgeApp(Protocol):
    """The App over all its installations."""

    def repositories(self) -> Sequence[Installed]:
        """Every repository that the App can work in. An installation that refuses to be read has none."""

    def forge(self, installation: int, repository: str) -> Forge:
        """A forge for one repository. Cheap; the result belongs to one thread."""

    def usage(self) -> Mapping[int, Usage]:
        """What each installation (0: the App itself) used of its rate limit."""

    def redeliver_failed(self, since: datetime) -> int:
        """Ask for every failed webhook delivery since then once more; returns how many."""
