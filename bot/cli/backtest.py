"""`slipway backtest`: what the policy would have done over the past days of a service."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from bot.adapters import shipped
from bot.adapters.prometheus import Prometheus
from bot.analysis.backtest import backtest as play
from bot.analysis.objectives import Objective
from bot.analysis.reader import CanaryReader, Span
from bot.analysis.settings import Settings
from bot.analysis.windows import Window
from bot.cli.backtest_report import DAY, Asked, listed, plain, told
from bot.cli.checkout import Checkout
from bot.domain.config import FILE, Environment
from bot.domain.loading import load
from bot.domain.mistake import ConfigError
from bot.domain.policies import resolve
from bot.domain.policy import BrokenPolicy, Policy
from bot.domain.slo import Slo
from bot.ports import Metrics, OutsideError
from bot.settings import MetricsSettings, MetricsSource

_PIECE = 6 * 3600.0
"""Seconds that are read at once, so that no server is asked for a week in one piece."""
_PATIENCE = 60.0
"""Seconds for one answer: hours of samples take longer than a look."""


def backtest(
    *,
    model: Annotated[str, typer.Option(help="Name of the model.")],
    environment: Annotated[str, typer.Option(help="Name of the environment.")],
    prometheus: Annotated[
        str | None,
        typer.Option(help="Address of the metrics server; else SLIPWAY_PROMETHEUS_* say it, as for serve."),
    ] = None,
    days: Annotated[float, typer.Option(help="How far back to look.", min=0.1, max=90)] = 7.0,
    version: Annotated[str, typer.Option(help="What stands for {version} in the queries.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    repo: Annotated[
        Path, typer.Option(help="Local checkout of the GitOps repository.", exists=True, file_okay=False)
    ] = Path(),
) -> None:
    """Say how often this policy would have reverted a healthy service, and how fast it catches harm."""
    place, policy = _choose(Checkout(repo), model, environment)
    slo = _tested(place, model, environment, version)
    metrics = Prometheus(_source(prometheus, slo.source).connection())
    settings = Settings.of(policy.canary)
    names = {
        "model": model,
        "version": version,
        "baseline": version,
        "environment": environment,
        "namespace": environment,
    }
    until = time.time()
    reader = CanaryReader(slo, names, Span(since=until - days * DAY, interval=settings.interval))
    counted = reader.counted
    ratios = [each for each in reader.slos if isinstance(each, Objective) and each.name in counted]
    left_out = tuple(each.name for each in reader.slos if each not in ratios)
    if not ratios:
        raise _refused(f"only counters have a past that can be replayed, which {listed(left_out)} is not")
    asked = Asked(model, environment, place.policy, days, until, left_out)
    try:
        with _progress("reading") as told_part:
            windows = past(metrics, reader, asked.since, until, told_part)
    except OutsideError as error:
        raise _refused(str(error)) from None
    windows = [window for window in windows if window.candidate]
    if not windows:
        queries = " and ".join(f"`{each.query}`" for each in ratios)
        raise _refused(f"the metrics server has nothing in these {days:g} days for {queries}")
    with _progress("replaying") as told_part:
        result = play(ratios, windows, settings, progress=told_part)
    if as_json:
        typer.echo(json.dumps(plain(asked, result, reader.notes), indent=2))
        return
    for line in told(asked, result, reader.notes):
        typer.echo(line)


def past(
    metrics: Metrics,
    reader: CanaryReader,
    start: float,
    end: float,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Window]:
    """Everything that the reader reads from `start` to `end`, a piece at a time. Raises OutsideError."""
    windows: list[Window] = []
    at = start
    while at < end:
        at = min(at + _PIECE, end)
        answers = {ask.text: metrics.raw(ask.text, ask.start, ask.end) for ask in reader.asks(at) if ask.raw}
        windows += reader.ingest(answers, at)
        progress((at - start) / (end - start))
    return windows


@contextmanager
def _progress(label: str) -> Iterator[Callable[[float], None]]:
    """A bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with typer.progressbar(length=100, label=label, file=sys.stderr) as bar:
        yield lambda part: bar.update(int(100 * part) - bar.pos)


def _choose(checkout: Checkout, model: str, environment: str) -> tuple[Environment, Policy]:
    content = checkout.read(FILE)
    if content is None:
        raise _refused(f"there is no {FILE} in {checkout.root}")
    try:
        config = load(content.decode(errors="surrogateescape"))
    except ConfigError as error:
        raise _refused(f"{FILE} has mistakes, see `slipway check`: {error}") from None
    place = config.promoted[model].environments.get(environment) if model in config.promoted else None
    if place is None:
        known = listed(
            [f"{name} in {each}" for name in config.promoted for each in config.promoted[name].environments]
        )
        raise _refused(f"{FILE} has no model `{model}` with an environment `{environment}`, only {known}")
    policies: Mapping[str, str] = checkout.policies()
    policy = resolve(policies, shipped.policies()).get(place.policy)
    if isinstance(policy, BrokenPolicy):
        raise _refused(f"the policy `{place.policy}` has mistakes: {'; '.join(policy.reasons)}")
    return place, policy


def _tested(place: Environment, model: str, environment: str, version: str) -> Slo:
    if place.slo is None:
        raise _refused(f"`{model}` has no `slo` in `{environment}`: there is nothing to test")
    # In the past nothing ran beside: each start is compared with the hour before it.
    slo = place.slo.model_copy(update={"baseline": None})
    if not version and any(name in slo.model_dump_json() for name in ("{version}", "{baseline}")):
        raise _refused("the queries ask for {version}: name one that ran in these days with --version")
    return slo


def _source(address: str | None, name: str) -> MetricsSource:
    """The server that the SLO names, from the settings; `address` in its place where it is given."""
    if address is not None:
        try:
            return MetricsSource(url=address, timeout=_PATIENCE)
        except ValidationError as error:
            raise _refused(f"--prometheus: {error.errors()[0]['msg']}") from None
    try:
        sources = MetricsSettings().sources()
    except ValidationError as error:
        raise _refused(f"the settings are wrong: {error.errors(include_url=False)[0]['msg']}") from None
    if name not in sources:
        variable = "SLIPWAY_PROMETHEUS_URL" if name == "default" else "SLIPWAY_PROMETHEUS_SOURCES"
        raise _refused(f"no metrics server `{name}` is set up: say --prometheus, or set {variable}")
    return sources[name].model_copy(update={"timeout": max(_PATIENCE, sources[name].timeout)})


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)
