"""What we read of a pull request and of the people who speak in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Permission(IntEnum):
    """A person's right in a repository, in GitHub's order."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


class PullState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as the forge shows it now."""

    number: int
    state: PullState
    title: str
    url: str
    branch: str
    head_sha: str
    base_branch: str
    author: str
    labels: tuple[str, ...] = ()
    merge_sha: str | None = None
    merged_by: str | None = None
    closed_by: str | None = None
    merged_at: datetime | None = None
    draft: bool = False
    head_repository: str | None = None
    mergeable: bool | None = None
    """None while the forge has not worked it out."""

    def is_from(self, repository: str) -> bool:
        """Whether its branch lies in this repository: a fork may have a branch of any name."""
        return self.head_repository == repository


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment in a pull request; `body` is hostile text."""

    id: int
    pull: int
    author: str
    body: str
    created_at: datetime
    edited: bool = False
    from_bot: bool = False
    url: str = ""


class ReviewState(StrEnum):
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Review:
    """One submitted review; it counts for `commit` only."""

    id: int
    author: str
    state: ReviewState
    commit: str
    submitted_at: datetime
    body: str = ""
    from_bot: bool = False
