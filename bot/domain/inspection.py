"""What an inspection saw of the outside systems: facts, as they were, without a judgement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AppSeen:
    """The GitHub App as GitHub knows it.

    `answers` are the statuses with which the newest webhook deliveries were answered, newest first; 0 where
    no answer came. None: GitHub does not tell.
    """

    slug: str
    page: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    webhook_url: str | None = None
    answers: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class InstallationSeen:
    """One installation; its rights lag behind the App's until the account's owner accepts new ones."""

    id: int
    account: str
    page: str
    permissions: Mapping[str, str]
    repositories: tuple[str, ...] = ()
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class BranchSeen:
    """The rules of a branch, from classic protection and rulesets, as far as the App may see them."""

    name: str
    protected: bool = False
    checks: frozenset[str] = frozenset()
    approvals: int = 0
    merge_queue: bool = False
    restricted: bool = False
    """Only those whom a ruleset lists may update the branch."""


@dataclass(frozen=True, slots=True)
class RegistryUser:
    """Who Slipway is to MLflow. `levels`: model → the right that holds for it, where MLflow tells."""

    name: str
    admin: bool
    levels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WebhookSeen:
    """A webhook of MLflow."""

    name: str
    url: str
    events: frozenset[str]
    active: bool = True


@dataclass(frozen=True, slots=True)
class ApplicationSeen:
    """An Argo CD Application. `sources`: (address of the repository, revision that is followed)."""

    name: str
    automated: bool
    sources: tuple[tuple[str, str], ...]
    follows_repository: bool
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseSeen:
    """The database: its version, how far its tables are, when each source's last delivery arrived."""

    server: str
    revision: str | None
    newest: str
    queue: bool
    deliveries: Mapping[str, datetime]
