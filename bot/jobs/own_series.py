"""For teams without Argo CD access: the candidate's own metric series say that it is live."""

from collections.abc import Iterator
from datetime import datetime

from bot.analysis.queries import RAW, Side, queries
from bot.domain.live import Liveness, LiveState
from bot.domain.promotion import Promotion
from bot.domain.slo import Slo
from bot.jobs.outside import Outside
from bot.ports import OutsideError, Unavailable

_OTHER = "\x00"
"""Stands for a version that nobody has: what reads differently for it names the version."""


def liveness(outside: Outside, promotion: Promotion, slo: Slo | None, now: datetime) -> Liveness:
    """Live once a series that names the candidate's version has a sample of after the merge.

    Where no selector names the version nothing can tell it from the baseline, and the watch begins at once.
    """
    selectors = tuple(dict.fromkeys(_own(slo, promotion))) if slo is not None else ()
    if slo is None or not selectors:
        return Liveness(
            LiveState.LIVE, "No Argo CD application is configured, and no selector names the version."
        )
    metrics = outside.metrics.get(slo.source)
    if metrics is None:
        return Liveness(LiveState.SYNCING, f"no Prometheus connection named `{slo.source}` is set up")
    since = (promotion.merged_at or promotion.stage_since).timestamp()
    try:
        for selector in selectors:
            for series in metrics.raw(selector, since, now.timestamp()):
                if series.samples:
                    return Liveness(LiveState.LIVE, f"{selector} has samples")
    except OutsideError as trouble:
        # A metrics server that is away says nothing about the sync: the deadline waits for it, not for a no.
        away = isinstance(trouble, Unavailable)
        state = LiveState.WAITING if away else LiveState.SYNCING
        return Liveness(state, f"the metrics cannot be asked: {trouble.message}")
    return Liveness(LiveState.SYNCING, f"version {promotion.candidate} has no series yet ({selectors[0]})")


def _own(slo: Slo, promotion: Promotion) -> Iterator[str]:
    """The candidate's plain selectors that read differently for another version."""
    names = {
        "model": promotion.model,
        "version": promotion.candidate,
        "baseline": promotion.baseline or "",
        "environment": promotion.environment,
        "namespace": promotion.environment,
    }
    other = queries(slo, {**names, "version": _OTHER}, stretch=60)
    for mine, theirs in zip(queries(slo, names, stretch=60), other, strict=True):
        if mine.side is Side.CANDIDATE and mine.role in RAW and mine.text != theirs.text:
            yield mine.text
