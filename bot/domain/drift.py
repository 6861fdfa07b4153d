"""Where the registry and Git disagree about what an environment runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """An alias of the registry and the pin of its environment that name different versions; None: absent."""

    model: str
    environment: str
    alias: str
    registered: str | None
    pinned: str | None
