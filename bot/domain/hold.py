"""Holds stop automation for a model in an environment; quarantine stops one version there."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Automation is stopped until a person releases it.

    `model` and `environment` are None where the hold stops everything (`/hold all`).
    """

    repository: str
    model: str | None
    environment: str | None
    owner: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A version that failed in an environment; it is not proposed there again."""

    repository: str
    model: str
    environment: str
    version: str
    reason: str
    since: datetime
    pull: int | None = None
