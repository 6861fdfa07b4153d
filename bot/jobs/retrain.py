"""Asks for a new version when a signal of one that has long been live breaks: at most once in a window.

The row comes first and is unique in its window; telling follows. What was tried and may have arrived is
not told again; what was refused, or reached nobody, is tried again at the next look.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from bot.analysis.queries import fill
from bot.domain.checks import filled
from bot.domain.config import Config
from bot.domain.promotion import Promotion, Stage
from bot.domain.retrain import Retrain, Retraining
from bot.jobs.configuration import Configurations
from bot.jobs.outside import Outside
from bot.jobs.store import Repository
from bot.messages import replies
from bot.ports import Forge, HttpAsk, Metrics, OutsideError, Refused

logger = logging.getLogger(__name__)

_WITHIN = 10.0
"""Seconds that a webhook may take."""
_SUCCESS = range(200, 300)


class Retrainer:
    """Looks at all live versions."""

    def __init__(self, outside: Outside, configurations: Configurations) -> None:
        self._outside = outside
        self._store = outside.store
        self._configurations = configurations

    def look(self) -> None:
        """Ask where a signal is broken, and tell what was asked for. Trouble in one place is logged."""
        for repository, config in self._configurations.all():
            for place in _places(config):
                _try(partial(self._look, repository, *place), f"{place[0]} in {place[1]}")
        for retraining in self._store.untold_retrainings():
            _try(partial(self._tell, retraining), f"asking for a new {retraining.model}")

    def _look(self, repository: Repository, model: str, environment: str, retrain: Retrain) -> None:
        now = self._outside.clock.now()
        live = self._live(repository.name, model, environment)
        if live is None or now < live.stage_since + retrain.after:
            return
        if self._store.asked_since(repository.name, model, environment, now - retrain.every):
            return
        metrics = self._outside.metrics.get(retrain.source)
        if metrics is None:
            raise Refused("Prometheus", f"no connection named `{retrain.source}` is set up")
        for name, signal in retrain.signals.items():
            query = fill(signal.query, _names(live))
            value = _value(metrics, signal.broken(query), now)
            if value is None:
                continue
            evidence = {"query": query, "value": f"{value:.6g}", "limit": signal.limit}
            reason = f"{name} of version {live.candidate} has been {signal.limit}: {value:.6g} now."
            wanted = Retraining(
                repository.name, model, environment, live.candidate, live.id, name, reason, evidence, now
            )
            if self._store.ask_retraining(wanted, now - retrain.every):
                logger.info("a new version of %s is asked for: %s", model, reason)
            return

    def _live(self, repository: str, model: str, environment: str) -> Promotion | None:
        """The promotion whose version is live, unless another is on its way."""
        here = self._store.under_way(repository, model, environment)
        if not here or any(promotion.stage is not Stage.PASSED for promotion in here):
            return None
        merged = [promotion for promotion in here if promotion.merged_at is not None]
        return max(merged, key=lambda each: (each.merged_at, each.id), default=None)

    def _tell(self, wanted: Retraining) -> None:
        repository = self._store.repository(wanted.repository)
        loaded = self._configurations.of(repository) if repository is not None else None
        model = loaded.config.promoted.get(wanted.model) if loaded is not None else None
        environment = model.environments.get(wanted.environment) if model is not None else None
        now = self._outside.clock.now()
        if repository is None or environment is None or environment.retrain is None:
            self._store.told_retraining(wanted.id, now, "it is no longer configured")
            return
        if now > wanted.asked_at + environment.retrain.every:
            self._store.told_retraining(wanted.id, now, f"gave up: {wanted.trouble}")
            return
        if not self._store.try_retraining(wanted.id, now):
            return
        try:
            self._ask(environment.retrain, wanted, self._outside.forge(repository))
        except OutsideError as trouble:
            self._store.failed_retraining(wanted.id, str(trouble))
            raise
        self._store.told_retraining(wanted.id, now, None)
        self._show(wanted, repository)

    def _ask(self, retrain: Retrain, wanted: Retraining, forge: Forge) -> None:
        about = {"model": wanted.model, "version": wanted.version, "environment": wanted.environment}
        evidence = {"signal": wanted.signal, "reason": wanted.reason, **wanted.evidence}
        if retrain.event is not None:
            forge.dispatch_event(retrain.event, {**about, "evidence": evidence})
        elif retrain.workflow is not None:
            forge.dispatch_workflow(retrain.workflow, {**about, "evidence": json.dumps(evidence)})
        elif retrain.tag is not None:
            self._outside.registry.tag(wanted.model, wanted.version, retrain.tag, wanted.reason)
        elif retrain.webhook is not None:
            url = filled(retrain.webhook, {**about, "baseline": ""})
            body = json.dumps({**about, "evidence": evidence}).encode()
            answer = self._outside.prober.ask(HttpAsk("POST", url, _WITHIN, body))
            if answer.status not in _SUCCESS:
                raise Refused("the webhook", f"it answered {answer.status}")

    def _show(self, wanted: Retraining, repository: Repository) -> None:
        """Say it where the version came in."""
        loaded = self._store.load(wanted.promotion)
        if loaded is None or loaded.promotion.pull is None:
            return
        marker = replies.marker("retrain", wanted.id)
        text = replies.retraining(wanted)
        self._outside.forge(repository).upsert_comment(loaded.promotion.pull, marker, f"{marker}\n{text}")


def _places(config: Config) -> Iterator[tuple[str, str, Retrain]]:
    for name, model in config.promoted.items():
        for environment, place in model.environments.items():
            if place.retrain is not None:
                yield name, environment, place.retrain


def _names(promotion: Promotion) -> Mapping[str, str]:
    return {
        "model": promotion.model,
        "version": promotion.candidate,
        "environment": promotion.environment,
        "namespace": promotion.environment,
        "baseline": promotion.baseline or "",
    }


def _value(metrics: Metrics, query: str, now: datetime) -> float | None:
    """The value while the signal is broken; several series are no answer."""
    series = metrics.instant(query, now.timestamp())
    if len(series) != 1 or not series[0].samples:
        return None
    return series[0].samples[-1][1]


def _try(step: Callable[[], None], what: str) -> None:
    try:
        step()
    except OutsideError as trouble:
        logger.warning("%s is looked at again: %s", what, trouble)
