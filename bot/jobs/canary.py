"""One look of a canary: read the metrics, turn them into windows, ask the watch for its verdict.

Everything between two looks is in the database, so that any worker can take the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.analysis.canary import Progress, Watch
from bot.analysis.reader import Ask, CanaryReader, Span, history_reader
from bot.analysis.replay import Record
from bot.analysis.settings import Settings
from bot.analysis.windows import Window
from bot.domain.alert_rule import named
from bot.domain.policy import Policy
from bot.domain.promotion import Promotion
from bot.domain.series import Series
from bot.domain.slo import Slo
from bot.domain.verdict import Outcome, Verdict
from bot.jobs.outside import Outside
from bot.jobs.store import Watched
from bot.ports import Forbidden, Metrics, NotFound, OutsideError, Refused
from bot.webhooks.alertmanager import Alert

HISTORY = 3600.0
"""Seconds of the baseline's past that tell how bursty its errors are."""
_CHANGED = (
    "the SLOs, the policy or Slipway itself changed during the watch: it began again by what is in force now"
)
_NOT_TOLD = (
    "nothing says when the candidate went live (no Argo CD application, no {version} in the queries): "
    "what the baseline served after the merge was counted too"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look gave; `watched` is to be saved with the promotion."""

    verdict: Verdict | None
    progress: Progress
    watched: Watched


class CanaryLook:
    """Looks at candidates."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def look(
        self, promotion: Promotion, slo: Slo, policy: Policy, now: datetime, *, live_is_told: bool = True
    ) -> Seen:
        """Take in what happened since the last look. A metrics server that is away is part of the answer.

        `live_is_told`: whether something else than the candidate's own series says that it is live.
        """
        at = now.timestamp()
        settings = Settings.of(policy.canary)
        reader = _reader(promotion, slo, settings)
        stored = self._outside.store.watched(promotion.id)
        kept = stored if stored is not None and _fits(stored, promotion, slo, settings) else None
        again = stored is not None and kept is None
        history = _kept_history(kept)
        if kept is not None:
            reader.restore(kept["reader"])
        alert = self._alert(promotion, policy)
        if alert is not None:
            watch = _watch(reader, history or [], settings, promotion, kept)
            watch.note(_labels(alert))
            verdict: Verdict | None = watch.conclude(Outcome.FAILED, at, _said(alert))
            return _seen(promotion, watch, verdict, reader, history=history, windows=[], again=again)
        try:
            metrics = self._metrics(slo)
            if history is None:
                history = self._history(promotion, slo, settings, metrics)
            answers, refusals = _answers(metrics, reader.asks(at))
        except OutsideError as trouble:
            watch = _watch(reader, history or [], settings, promotion, kept)
            verdict = watch.source_down(at, trouble.message)
            return _seen(promotion, watch, verdict, reader, history=history, windows=[], again=again)
        watch = _watch(reader, history, settings, promotion, kept)
        windows = reader.ingest(answers, at)
        told = live_is_told or _tells_versions(slo)
        for note in (*refusals, *reader.notes, *([_CHANGED] * again), *([_NOT_TOLD] * (not told))):
            watch.note(note)
        verdict, judged = _judged(watch, windows)
        if verdict is not None and verdict.outcome is Outcome.NO_DATA and refusals:
            verdict = replace(verdict, reason=f"{verdict.reason} {_sentence(refusals[0])}")
        return _seen(promotion, watch, verdict, reader, history=history, windows=judged, again=again)

    def _alert(self, promotion: Promotion, policy: Policy) -> Alert | None:
        """The first alert that fails this promotion. What fired before the merge is not the candidate's
        doing, and may be one whose end nobody told.
        """
        if not policy.canary.alerts:
            return None
        names = _names(promotion)
        for alert in self._outside.store.firing(promotion.merged_at or promotion.stage_since):
            if any(rule.concerns(alert.labels, names) for rule in named(policy.canary.alerts, alert.name)):
                return alert
        return None

    def _metrics(self, slo: Slo) -> Metrics:
        name = slo.source or "default"
        metrics = self._outside.metrics.get(name)
        if metrics is None:
            raise Refused(
                "Prometheus",
                f"no connection named `{name}` is set up "
                "(SLIPWAY_PROMETHEUS_URL, SLIPWAY_PROMETHEUS_SOURCES)",
            )
        return metrics

    def _history(
        self, promotion: Promotion, slo: Slo, settings: Settings, metrics: Metrics
    ) -> Sequence[Window]:
        until = (promotion.merged_at or promotion.stage_since).timestamp()
        reader = history_reader(
            slo, _names(promotion), until=until, length=HISTORY, interval=settings.interval
        )
        answers, _ = _answers(metrics, reader.asks(until))
        return [window for window in reader.ingest(answers, until) if window.candidate]


def _judged(watch: Watch, windows: Sequence[Window]) -> tuple[Verdict | None, Sequence[Window]]:
    """The verdict, and the windows that it came from: with others stored it could not be replayed."""
    for number, window in enumerate(windows, 1):
        verdict = watch.observe(window)
        if verdict is not None:
            return verdict, windows[:number]
    return None, windows


def recorded(kept: Mapping[str, Any], windows: Sequence[Mapping[str, Any]]) -> Record:
    """What replays the verdict of a stored watch with its stored windows."""
    return Record.from_json({**kept, "windows": windows})


def _tells_versions(slo: Slo) -> bool:
    """Whether the queries ask for the candidate's own series."""
    return "{version}" in slo.model_dump_json(exclude={"baseline"})


def _said(alert: Alert) -> str:
    return (
        f"Alert `{alert.name}`, which the policy names, has been firing since {alert.starts_at:%H:%M:%S} UTC."
    )


def _labels(alert: Alert) -> str:
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(alert.labels.items()))
    return f"Alertmanager's {alert.fingerprint}: {labels}"


def _fits(stored: Mapping[str, Any], promotion: Promotion, slo: Slo, settings: Settings) -> bool:
    """Whether a stored watch is one over these SLOs by this policy, and can be read."""
    reader = _reader(promotion, slo, settings)
    now = Record(reader.slos, (), settings, ()).to_json()
    if any(stored.get(part) != now[part] for part in ("objectives", "gauges", "settings")):
        return False
    try:
        reader.restore(stored["reader"])
        Watch.restore(reader.slos, (), settings, stored["watch"])
    except (KeyError, TypeError, ValueError):
        return False
    return True


def _kept_history(kept: Mapping[str, Any] | None) -> Sequence[Window] | None:
    """None where it was not read yet: the metrics server was away from the beginning."""
    if kept is None or not kept["history_is_read"]:
        return None
    return [Window.from_json(window) for window in kept["history"]]


def _names(promotion: Promotion) -> Mapping[str, str]:
    return {
        "model": promotion.model,
        "version": promotion.candidate,
        "baseline": promotion.baseline or "",
        "environment": promotion.environment,
        "namespace": promotion.environment,
    }


def _reader(promotion: Promotion, slo: Slo, settings: Settings) -> CanaryReader:
    since = (promotion.live_at or promotion.stage_since).timestamp()
    born_after = promotion.merged_at.timestamp() if promotion.merged_at is not None else None
    span = Span(since=since, interval=settings.interval)
    return CanaryReader(slo, _names(promotion), span, born_after=born_after)


def _watch(
    reader: CanaryReader,
    history: Sequence[Window],
    settings: Settings,
    promotion: Promotion,
    kept: Mapping[str, Any] | None,
) -> Watch:
    if kept is None:
        watch = Watch(reader.slos, history, settings)
        added = 0.0
    else:
        watch = Watch.restore(reader.slos, history, settings, kept["watch"])
        added = kept["extra"]
    if promotion.watch_extra > added:
        watch.extend(promotion.watch_extra - added)
    return watch


def _answers(metrics: Metrics, asks: Sequence[Ask]) -> tuple[dict[str, Sequence[Series]], list[str]]:
    """The answers by their query, and a sentence for each query that was refused: one that is wrong must
    not keep the others from being judged. Raises OutsideError where nobody answers, or nothing is allowed.
    """
    answers: dict[str, Sequence[Series]] = {}
    refusals = []
    for ask in asks:
        try:
            answers[ask.text] = (
                metrics.raw(ask.text, ask.start, ask.end) if ask.raw else metrics.instant(ask.text, ask.end)
            )
        except (Forbidden, NotFound):
            raise
        except Refused as refused:
            refusals.append(f"the metrics server refuses `{ask.text}`: {refused.message}")
    return answers, refusals


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _seen(
    promotion: Promotion,
    watch: Watch,
    verdict: Verdict | None,
    reader: CanaryReader,
    *,
    history: Sequence[Window] | None,
    windows: Sequence[Window],
    again: bool,
) -> Seen:
    record = Record(reader.slos, tuple(history or ()), watch.settings, (), promotion.watch_extra)
    state = {
        **record.to_json(),
        "history_is_read": history is not None,
        "reader": reader.state(),
        "watch": watch.state(),
        "extra": promotion.watch_extra,
        "share": promotion.weight,
    }
    watched = Watched(state, [window.to_json() for window in windows], again=again)
    return Seen(verdict, watch.progress(), watched)
