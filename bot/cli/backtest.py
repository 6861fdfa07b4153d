"""`slipway backtest`: what the policy would have done over the past days of a service."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.adapters import shipped
from bot.adapters.prometheus import Connection, Prometheus
from bot.analysis.backtest import Backtest
from bot.analysis.backtest import backtest as play
from bot.analysis.objectives import Objective
from bot.analysis.reader import CanaryReader, Span
from bot.analysis.settings import Settings
from bot.analysis.windows import Window
from bot.cli.checkout import Checkout
from bot.domain.config import FILE, ConfigError, load
from bot.domain.policies import resolve
from bot.domain.slo import Slo
from bot.ports import Metrics, OutsideError

_DAY = 86_400.0
_PIECE = 6 * 3600.0
"""Seconds that are read at once, so that no server is asked for a week in one piece."""


def backtest(
    *,
    model: Annotated[str, typer.Option(help="Name of the model.")],
    environment: Annotated[str, typer.Option(help="Name of the environment.")],
    prometheus: Annotated[
        str, typer.Option(help="Address of the metrics server.", envvar="SLIPWAY_PROMETHEUS_URL")
    ],
    token: Annotated[
        str | None, typer.Option(help="Its bearer token.", envvar="SLIPWAY_PROMETHEUS_TOKEN")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Sent as X-Scope-OrgID.", envvar="SLIPWAY_PROMETHEUS_TENANT")
    ] = None,
    days: Annotated[float, typer.Option(help="How far back to look.", min=0.1, max=90)] = 7.0,
    version: Annotated[str, typer.Option(help="What stands for {version} in the queries.")] = "",
    repo: Annotated[
        Path, typer.Option(help="Local checkout of the GitOps repository.", exists=True, file_okay=False)
    ] = Path(),
) -> None:
    """Say how often this policy would have reverted a healthy service, and how fast it catches harm."""
    slo, settings = _choose(Checkout(repo), model, environment)
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    metrics = Prometheus(Connection(prometheus, bearer=token, headers=headers, read_timeout=60.0))
    names = {
        "model": model,
        "version": version,
        "baseline": version,
        "environment": environment,
        "namespace": environment,
    }
    now = time.time()
    reader = CanaryReader(slo, names, Span(since=now - days * _DAY, interval=settings.interval))
    try:
        windows = [window for window in past(metrics, reader, now - days * _DAY, now) if window.candidate]
    except OutsideError as error:
        raise _refused(str(error)) from None
    ratios = [objective for objective in reader.slos if isinstance(objective, Objective)]
    for line in told(play(ratios, windows, settings)):
        typer.echo(line)
    for note in reader.notes:
        typer.echo(f"note: {note}", err=True)


def past(metrics: Metrics, reader: CanaryReader, start: float, end: float) -> Iterator[Window]:
    """Everything that the reader reads from `start` to `end`, a piece at a time. Raises OutsideError."""
    at = start
    while at < end:
        at = min(at + _PIECE, end)
        answers = {ask.text: metrics.raw(ask.text, ask.start, ask.end) for ask in reader.asks(at) if ask.raw}
        yield from reader.ingest(answers, at)


def told(result: Backtest) -> Iterator[str]:
    """The answer, line by line."""
    yield result.sentence
    for alarm in result.alarms:
        began = datetime.fromtimestamp(alarm.at, UTC)
        yield f"  started {began:%Y-%m-%d %H:%M} UTC, reverted after {alarm.after:.0f} s: {alarm.reason}"
    for outcome, count in result.outcomes:
        yield f"  {outcome}: {count}"
    if result.catches:
        yield "With regressions put into the same past:"
    for catch in result.catches:
        yield f"  {catch.sentence}"


def _choose(checkout: Checkout, model: str, environment: str) -> tuple[Slo, Settings]:
    content = checkout.read(FILE)
    if content is None:
        raise _refused(f"there is no {FILE} in {checkout.root}")
    try:
        config = load(content.decode(errors="surrogateescape"))
    except ConfigError as error:
        raise _refused(f"{FILE} has mistakes, see `slipway check`: {error}") from None
    place = config.promoted[model].environments.get(environment) if model in config.promoted else None
    if place is None:
        raise _refused(f"{FILE} has no model `{model}` with an environment `{environment}`")
    if place.slo is None:
        raise _refused(f"`{model}` has no `slo` in `{environment}`: there is nothing to test")
    policies: Mapping[str, str] = checkout.policies()
    return place.slo, Settings.of(resolve(policies, shipped.policies()).get(place.policy).canary)


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)
