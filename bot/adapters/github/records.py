"""GitHub's JSON → the words of `bot.domain.pull`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.pull import Comment, Permission, Pull, PullState, Review, ReviewState

Json = Mapping[str, Any]
GHOST = "ghost"
"""GitHub's own name for an account that was deleted."""


def pull(data: Json, *, closed_by: str | None = None) -> Pull:
    """A pull request from a listing or on its own; the listing leaves out who merged and mergeability."""
    merged_at = data.get("merged_at")
    state = PullState.MERGED if merged_at else PullState(data["state"])
    head_repository = data["head"].get("repo") or {}
    return Pull(
        number=data["number"],
        state=state,
        title=data["title"],
        url=data["html_url"],
        branch=data["head"]["ref"],
        head_sha=data["head"]["sha"],
        base_branch=data["base"]["ref"],
        author=login(data.get("user")),
        labels=tuple(label["name"] for label in data.get("labels") or ()),
        merge_sha=data.get("merge_commit_sha") if merged_at else None,
        merged_by=login(data["merged_by"]) if data.get("merged_by") else None,
        closed_by=closed_by,
        merged_at=time(merged_at) if merged_at else None,
        draft=bool(data.get("draft")),
        head_repository=head_repository.get("full_name"),
        mergeable=data.get("mergeable") if state is PullState.OPEN else None,
    )


def comment(data: Json, number: int) -> Comment:
    """A comment of a conversation. An App that speaks for a person counts as a bot."""
    return Comment(
        id=data["id"],
        pull=number,
        author=login(data.get("user")),
        body=data.get("body") or "",
        created_at=time(data["created_at"]),
        edited=data["updated_at"] != data["created_at"],
        from_bot=is_bot(data.get("user")) or data.get("performed_via_github_app") is not None,
        url=data["html_url"],
    )


def review(data: Json) -> Review:
    return Review(
        id=data["id"],
        author=login(data.get("user")),
        state=ReviewState(data["state"].lower()),
        commit=data.get("commit_id") or "",
        submitted_at=time(data["submitted_at"]),
        body=data.get("body") or "",
        from_bot=is_bot(data.get("user")),
    )


def permission(data: Json) -> Permission:
    """The role where GitHub names one of its own, else the older, coarser word (custom roles build on it)."""
    for word in (data.get("role_name"), data.get("permission")):
        if isinstance(word, str) and word.upper() in Permission.__members__:
            return Permission[word.upper()]
    return Permission.NONE


def login(user: Json | None) -> str:
    return user["login"] if user else GHOST


def is_bot(user: Json | None) -> bool:
    return user is None or user.get("type") != "User" or user["login"].endswith("[bot]")


def time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
