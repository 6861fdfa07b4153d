"""A registered model, one version of it, and what the registry knows about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model, as the registry told it at one moment.

    `version` is the registry's own string ("7"). Everything that a person wrote (description, tags,
    names) is hostile text until `bot.messages` has escaped it.
    """

    model: str
    version: str
    source: str
    created_at: datetime
    run_id: str | None = None
    creator: str | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    run_tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
