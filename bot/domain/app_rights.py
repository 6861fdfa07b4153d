"""What Slipway's GitHub App may do and hears of: the least that its adapter calls and its webhooks read."""

from collections.abc import Mapping, Sequence
from typing import Any

PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "checks": "write",
    "deployments": "write",
}
WHY: Mapping[str, str] = {
    "metadata": "to know the repository and what people may do in it",
    "contents": "to read slipway.yaml and to commit new pins to branches of its own",
    "pull_requests": "to open, merge and revert pull requests, to comment, react and label there",
    "checks": "to show gates and canaries as checks",
    "deployments": "to keep the repository's Environments page right",
    "members": "to see who belongs to a team that a policy names",
    "issues": "to tell of a broken slipway.yaml, and of registry and Git disagreeing, in an issue",
}
EVENTS: tuple[str, ...] = (
    "check_run",
    "check_suite",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "push",
)
"""GitHub tells every App of its installations unasked, and refuses a manifest that lists them."""

LEVELS = ("read", "write", "admin")


def permissions(*, teams: bool, issues: bool = False) -> Mapping[str, str]:
    """What is asked for; `teams`: a policy names teams, whose members must then be read; `issues`: trouble
    is to be told in issues. Comments on pull requests take the right to pull requests only.
    """
    more = {"members": "read"} if teams else {}
    return {**PERMISSIONS, **more, **({"issues": "write"} if issues else {})}


def manifest(
    *, name: str, public_url: str, redirect_url: str, teams: bool, issues: bool = False
) -> Mapping[str, Any]:
    """The App as GitHub's manifest flow takes it. `public_url` is where GitHub reaches Slipway."""
    return {
        "name": name,
        "url": public_url,
        "description": "Takes models from the registry to production, and back, through pull requests.",
        "hook_attributes": {"url": webhook_url(public_url), "active": True},
        "redirect_url": redirect_url,
        "public": False,
        "default_permissions": dict(permissions(teams=teams, issues=issues)),
        "default_events": list(EVENTS),
    }


def webhook_url(public_url: str) -> str:
    return f"{public_url.rstrip('/')}/webhooks/github"


def may_start_workflows(granted: Mapping[str, str]) -> bool:
    """Whether checks and retraining may dispatch workflows; nothing else needs the right."""
    return _rank(granted.get("actions")) >= _rank("write")


def missing_permissions(granted: Mapping[str, str], *, teams: bool) -> tuple[str, ...]:
    """Rights that are needed and not granted, such as `checks: write`."""
    return tuple(
        f"{name}: {level}"
        for name, level in permissions(teams=teams).items()
        if _rank(granted.get(name)) < _rank(level)
    )


def missing_events(subscribed: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in EVENTS if name not in subscribed)


def unused_permissions(granted: Mapping[str, str]) -> tuple[str, ...]:
    """Rights that are granted and never used, such as `administration: write`."""
    used = {**permissions(teams=True, issues=True), "actions": "write"}
    return tuple(
        f"{name}: {level}" for name, level in sorted(granted.items()) if _rank(level) > _rank(used.get(name))
    )


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else -1
