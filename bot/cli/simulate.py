"""`slipway policy simulate`: what would happen to a version or a pull request, and why."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.adapters import shipped
from bot.adapters.cel import LimitedEvaluator
from bot.cli.checkout import Checkout
from bot.cli.mistakes import Format, render
from bot.cli.told import policies_of, printable, tell_gates
from bot.domain import effects
from bot.domain.comparison import compare
from bot.domain.config import FILE, Environment
from bot.domain.decide import Decision
from bot.domain.facts import Approval, EarlierEnvironment, Facts
from bot.domain.gate import GateResult, blocking
from bot.domain.gates import evaluate
from bot.domain.loading import load as load_config
from bot.domain.mistake import ConfigError
from bot.domain.policy import Policy
from bot.domain.promotion import Promotion
from bot.domain.pull import Permission, Pull, PullState
from bot.ports import OutsideError

if TYPE_CHECKING:
    from bot.jobs.simulate import Simulated


def simulate(
    *,
    pr: Annotated[
        int | None, typer.Option("--pr", help="Pull request of Slipway's, as the running Slipway sees it.")
    ] = None,
    repository: Annotated[
        str | None, typer.Option(help="With --pr: its repository, where Slipway has several.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Name of the registered model or prompt.")] = None,
    version: Annotated[str | None, typer.Option(help="Version that would be promoted.")] = None,
    environment: Annotated[str | None, typer.Option(help="Environment that it would go into.")] = None,
    mlflow: Annotated[
        str | None, typer.Option(help="Address of MLflow.", envvar="SLIPWAY_MLFLOW_TRACKING_URI")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Version that runs there; else the one that the alias names.")
    ] = None,
    approved_by: Annotated[
        list[str] | None, typer.Option(help="As if this person with the right to write had approved.")
    ] = None,
    verified: Annotated[bool, typer.Option(help="As if the earlier environment had verified it.")] = True,
    at: Annotated[
        datetime | None, typer.Option(help="As if it were this time, in UTC.", formats=["%Y-%m-%dT%H:%M"])
    ] = None,
    repo: Annotated[
        Path, typer.Option(help="Local checkout of the GitOps repository.", exists=True, file_okay=False)
    ] = Path(),
) -> None:
    """Say what would happen to a promotion, and why; nothing is changed anywhere."""
    now = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    if pr is not None:
        if model or version or environment or baseline or approved_by:
            raise typer.BadParameter("a pull request says itself what it brings", param_hint="--pr")
        _tell_pull(pr, repository, now)
        return
    if not (model and version and environment and mlflow):
        hint = "--model, --version and --environment (and --mlflow), or --pr"
        raise typer.BadParameter(f"name what to simulate: {hint}", param_hint="OPTIONS")
    asked = _Version(model, version, environment, baseline, tuple(approved_by or ()), verified=verified)
    _tell_version(asked, mlflow, Checkout(repo), now)


# -- a version -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Version:
    """What is asked about; the rest is as if."""

    model: str
    version: str
    environment: str
    baseline: str | None
    approved_by: tuple[str, ...]
    verified: bool


def _tell_version(asked: _Version, mlflow: str, checkout: Checkout, now: datetime) -> None:
    place = _environment(checkout, asked.model, asked.environment)
    chosen = policies_of(checkout).get(place.policy)
    from bot.adapters.mlflow import MlflowRegistry  # noqa: PLC0415  # takes seconds, and only this needs it

    registry = MlflowRegistry(mlflow)
    baseline = asked.baseline
    try:
        if baseline is None and place.alias is not None:
            baseline = registry.alias(asked.model, place.alias)
        candidate = registry.evidence(asked.model, asked.version)
        before = registry.evidence(asked.model, baseline) if baseline and baseline != asked.version else None
    except OutsideError as error:
        raise _refused(str(error)) from None
    head = "simulated"
    facts = Facts(
        model=asked.model,
        environment=asked.environment,
        comparison=compare(candidate, before, chosen.metrics.directions),
        now=now,
        pull=Pull(0, PullState.OPEN, "", "", "", head, "", ""),
        head_sha=head,
        calendars=_calendars(checkout, chosen),
        earlier=_earlier(place, chosen, now, verified=asked.verified),
        approvals=tuple(
            Approval(name, head, Permission.WRITE, frozenset(chosen.approvals.teams))
            for name in asked.approved_by
        ),
    )
    with LimitedEvaluator() as evaluator:
        gates = evaluate(chosen, facts, evaluator)
    against = f"against version {baseline}" if before else "without a baseline"
    typer.echo(
        f"{asked.model} version {asked.version} into {asked.environment}, {against}, policy {place.policy}:"
    )
    tell_gates(gates)
    typer.echo(_outcome(chosen, gates))


def _environment(checkout: Checkout, model: str, environment: str) -> Environment:
    try:
        config = load_config((checkout.read(FILE) or b"").decode(errors="surrogateescape"))
    except ConfigError as error:
        raise _refused(render(error.mistakes, Format.TEXT, checkout.read)) from None
    known = config.promoted.get(model)
    place = known.environments.get(environment) if known else None
    if place is None:
        raise _refused(f"{FILE} has no environment {environment} of a model {model}")
    return place


def _calendars(checkout: Checkout, chosen: Policy) -> dict[str, str]:
    paths = [path for window in chosen.freeze if (path := getattr(window, "ical", None))]
    contents = {path: checkout.read(path) for path in paths}
    return {path: data.decode(errors="replace") for path, data in contents.items() if data is not None}


def _earlier(
    place: Environment, chosen: Policy, now: datetime, *, verified: bool
) -> EarlierEnvironment | None:
    if place.after is None:
        return None
    long_ago = now - max(chosen.soak, timedelta(0))
    return EarlierEnvironment(place.after, long_ago if verified else None)


def _outcome(chosen: Policy, gates: Sequence[GateResult]) -> str:
    stopping = blocking(gates)
    if stopping:
        names = ", ".join(gate.id for gate in stopping)
        waiting = all(gate.pending for gate in stopping)
        return f"It would {'wait for' if waiting else 'not merge because of'}: {names}."
    if chosen.promote == "automatic":
        return "It would merge by itself, without a comment."
    return "It would merge as soon as somebody comments /promote."


# -- a pull request --------------------------------------------------------------------------------


def _tell_pull(number: int, repository: str | None, now: datetime) -> None:
    # These take seconds to import, and only a pull request needs them.
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    from bot import bootstrap, settings  # noqa: PLC0415
    from bot.adapters.database.connection import NoDatabaseError  # noqa: PLC0415
    from bot.jobs.configuration import Configurations  # noqa: PLC0415
    from bot.jobs.simulate import Simulator  # noqa: PLC0415

    with ExitStack() as closing:
        try:
            outside = bootstrap.outside_of(settings.load(), closing)
            name = repository or _only([known.name for known in outside.store.repositories()])
            simulator = Simulator(outside, Configurations(outside, shipped.policies()))
            found = simulator.pull(name, number, now)
        except settings.SettingsError as error:
            raise _refused("\n".join(error.mistakes)) from None
        except (OutsideError, NoDatabaseError) as error:
            raise _refused(str(error)) from None
        except OperationalError as error:
            raise _refused(f"The database of SLIPWAY_DATABASE_URL does not answer: {error.orig}") from None
    if found is None:
        raise _refused(f"#{number} of {name} is none of Slipway's pull requests")
    _tell_simulated(found, f"#{number} of {name}")


def _only(names: Sequence[str]) -> str:
    if len(names) != 1:
        raise _refused(f"say which --repository: {', '.join(names) or 'Slipway knows of none'}")
    return names[0]


def _tell_simulated(found: "Simulated", where: str) -> None:
    promotion = found.promotion
    against = f"against version {promotion.baseline}" if promotion.baseline else "without a baseline"
    policy = f"policy {found.situation.environment.policy}" if found.situation.environment else "no policy"
    typer.echo(
        printable(
            f"{promotion.model} version {promotion.candidate} into {promotion.environment}, {against},"
            f" {policy}, {where}, {promotion.stage.value}:"
        )
    )
    tell_gates(found.situation.gates)
    typer.echo(f"Now: {printable(_would(promotion, found.now))}")
    if found.promoted is not None:
        typer.echo(f"With /promote: {printable(_would(promotion, found.promoted))}")


def _would(before: Promotion, decision: Decision) -> str:
    """What a decision comes to, and the promotion's own sentence why."""
    after = decision.promotion
    said = [sentence for effect in decision.effects if (sentence := _effect(effect)) is not None]
    if after.stage is not before.stage:
        said.append(f"it would be {after.stage.value}")
    would = "; ".join(said) or "nothing would be done"
    return f"{would}. {after.reason}".strip()


def _effect(effect: effects.Effect) -> str | None:
    match effect:
        case effects.MergePull(number=number):
            return f"it would merge #{number}"
        case effects.ClosePull(number=number):
            return f"it would close #{number}"
        case effects.OpenBump():
            return "it would make the bump anew on today's default branch"
        case effects.OpenRevert():
            return "it would open the revert"
        case effects.ProposeNext(environment=environment):
            return f"it would open the bump for {environment}"
        case effects.PlaceHold():
            return "it would place a hold"
        case effects.QuarantineVersion():
            return "it would quarantine the version"
        case _:
            return None


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)
