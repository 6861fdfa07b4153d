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
from bot.ports import Metrics, OutsideError, Refused
from bot.webhooks.alertmanager import Alert

HISTORY = 3600.0
"""Seconds of the baseline's past that tell how bursty its errors are."""


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

    def look(self, promotion: Promotion, slo: Slo, policy: Policy, now: datetime) -> Seen:
        """Take in what happened since the last look. A metrics server that is away is part of the answer."""
        at = now.timestamp()
        settings = Settings.of(policy.canary)
        reader = _reader(promotion, slo, settings)
        kept = self._outside.store.watched(promotion.id)
        history = _kept_history(kept)
        if kept is not None:
            reader.restore(kept["reader"])
        alert = self._alert(promotion, policy)
        if alert is not None:
            watch = _watch(reader, history or [], settings, promotion, kept)
            watch.note(_labels(alert))
            verdict: Verdict | None = watch.conclude(Outcome.FAILED, at, _said(alert))
            return _seen(promotion, watch, verdict, reader, history=history, windows=[])
        try:
            metrics = self._metrics(slo)
            if history is None:
                history = self._history(promotion, slo, settings, metrics)
            answers = {ask.text: _answer(metrics, ask) for ask in reader.asks(at)}
        except OutsideError as trouble:
            watch = _watch(reader, history or [], settings, promotion, kept)
            verdict = watch.source_down(at, trouble.message)
            if verdict is not None and isinstance(trouble, Refused):
                verdict = replace(verdict, reason=f"The metrics server was asked in vain: {trouble.message}")
            return _seen(promotion, watch, verdict, reader, history=history, windows=[])
        watch = _watch(reader, history, settings, promotion, kept)
        windows = reader.ingest(answers, at)
        for note in reader.notes:
            watch.note(note)
        verdict = None
        for window in windows:
            verdict = watch.observe(window)
            if verdict is not None:
                break
        return _seen(promotion, watch, verdict, reader, history=history, windows=windows)

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
        answers = {ask.text: _answer(metrics, ask) for ask in reader.asks(until)}
        return [window for window in reader.ingest(answers, until) if window.candidate]


def recorded(kept: Mapping[str, Any], windows: Sequence[Mapping[str, Any]]) -> Record:
    """What replays the verdict of a stored watch with its stored windows."""
    return Record.from_json({**kept, "windows": windows})


def _said(alert: Alert) -> str:
    return (
        f"Alert `{alert.name}`, which the policy names, has been firing since {alert.starts_at:%H:%M:%S} UTC."
    )


def _labels(alert: Alert) -> str:
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(alert.labels.items()))
    return f"Alertmanager's {alert.fingerprint}: {labels}"


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


def _answer(metrics: Metrics, ask: Ask) -> Sequence[Series]:
    try:
        return metrics.raw(ask.text, ask.start, ask.end) if ask.raw else metrics.instant(ask.text, ask.end)
    except Refused as refused:
        raise Refused(refused.system, f"it refuses `{ask.text}`: {refused.message}") from refused


def _seen(
    promotion: Promotion,
    watch: Watch,
    verdict: Verdict | None,
    reader: CanaryReader,
    *,
    history: Sequence[Window] | None,
    windows: Sequence[Window],
) -> Seen:
    record = Record(reader.slos, tuple(history or ()), watch.settings, (), promotion.watch_extra)
    state = {
        **record.to_json(),
        "history_is_read": history is not None,
        "reader": reader.state(),
        "watch": watch.state(),
        "extra": promotion.watch_extra,
    }
    watched = Watched(state, [window.to_json() for window in windows])
    return Seen(verdict, watch.progress(), watched)
