"""What GitHub tells us, in the past tense. Names and texts in here are what somebody sent: hostile."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubEvent:
    """What every event carries.

    `delivery` is the same when a delivery is sent again. `repository` is `owner/name`. `installation` is
    None where a repository's own webhook sent it: look it up by the repository.
    """

    delivery: str
    installation: int | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryEvent(GitHubEvent):
    """Something that happened in one repository."""

    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentCreated(RepositoryEvent):
    """Somebody wrote a new comment in a conversation.

    `pull` may be an issue's number: the two share their numbers, and no promotion has an issue's.
    """

    pull: int
    comment: int
    author: str
    is_bot: bool
    body: str
    created_at: datetime
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestChanged(RepositoryEvent):
    """A pull request was opened, pushed to, edited, labelled, or a review of it was dismissed."""

    pull: int
    change: str
    branch: str
    head_sha: str
    base_branch: str
    from_fork: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestClosed(RepositoryEvent):
    """A pull request was closed; `merge_sha` is set where it was merged."""

    pull: int
    branch: str
    head_sha: str
    base_branch: str
    from_fork: bool
    merge_sha: str | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSubmitted(RepositoryEvent):
    """Somebody submitted a review; its body may carry commands, as a comment may."""

    pull: int
    review: int
    author: str
    is_bot: bool
    state: str
    commit: str
    body: str
    submitted_at: datetime
    from_fork: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed(RepositoryEvent):
    """A branch points to another commit; `files` are the paths that the pushed commits name.

    GitHub lists at most 2,048 commits, so an absent path is no proof that the file is unchanged.
    """

    branch: str
    sha: str
    files: tuple[str, ...]
    to_default_branch: bool
    forced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksCompleted(RepositoryEvent):
    """A check run or a whole suite of them finished on a commit."""

    head_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRerequested(RepositoryEvent):
    """Somebody pressed the re-run button; `name` is None where all checks of the commit are meant."""

    name: str | None
    head_sha: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationChanged(GitHubEvent):
    """The App was installed, removed, suspended or given other repositories or rights."""

    installation: int
    change: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(GitHubEvent):
    """GitHub tries out a webhook that was just made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored(GitHubEvent):
    """Nothing that Slipway acts on; `reason` says why."""

    reason: str
