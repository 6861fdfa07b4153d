"""How long and how strictly a watch looks: plain numbers in seconds, made from a policy."""

from dataclasses import dataclass
from typing import Self

from bot.domain.policy import CanaryPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """All times in seconds.

    `bake`: how long the candidate must keep its SLOs; `max_bake`: the longest extension, when requests
    are few or the evidence leans against the candidate. `interval`: the usual time between two looks; it
    is also the grain in which evidence is gathered. `confidence`: one minus the chance that a version at
    the very edge of its SLOs is ever failed without being certainly worse than its baseline.
    `min_requests`: fewer are no evidence either way. `warm_up`: time after the first request in which
    only a service that is plainly down fails. `source_down_limit`: how long the metrics server may be
    away before the watch gives up.
    """

    bake: float = 3600.0
    max_bake: float = 7200.0
    interval: float = 15.0
    confidence: float = 0.999
    min_requests: int = 20
    warm_up: float = 60.0
    source_down_limit: float = 3600.0

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, not {self.confidence}")
        if self.interval <= 0 or self.bake <= 0:
            raise ValueError("interval and bake must be above zero")
        if self.max_bake < self.bake:
            raise ValueError("max_bake must not be shorter than bake")

    @classmethod
    def of(cls, policy: CanaryPolicy) -> Self:
        """The same in seconds; a `max_bake` shorter than `bake` means: never extend."""
        bake = policy.bake.total_seconds()
        return cls(
            bake=bake,
            max_bake=max(bake, policy.max_bake.total_seconds()),
            interval=policy.interval.total_seconds(),
            confidence=policy.confidence,
            min_requests=policy.min_requests,
            warm_up=policy.warm_up.total_seconds(),
        )

    @property
    def alpha(self) -> float:
        """The accepted chance of a false `failed`, all SLOs together."""
        return 1.0 - self.confidence
