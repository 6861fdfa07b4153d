"""`slipway policy simulate`: what would happen to a version or a pull request, and why."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.adapters import shipped
from bot.cli.checkout import Checkout
from bot.cli.simulate_version import Asked, tell_version
from bot.cli.told import printable, refused, tell_gates
from bot.domain import effects
from bot.domain.decide import Decision
from bot.domain.promotion import Promotion
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
    registry_auth_file: Annotated[
        Path | None,
        typer.Option(
            help="Credentials of container registries, as Docker's config.json has them.",
            envvar="SLIPWAY_REGISTRY_AUTH_FILE",
            exists=True,
            dir_okay=False,
        ),
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
    asked = Asked(model, version, environment, baseline, tuple(approved_by or ()), verified=verified)
    tell_version(asked, mlflow, registry_auth_file, Checkout(repo), now)


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
            raise refused("\n".join(error.mistakes)) from None
        except (OutsideError, NoDatabaseError) as error:
            raise refused(str(error)) from None
        except OperationalError as error:
            raise refused(f"The database of SLIPWAY_DATABASE_URL does not answer: {error.orig}") from None
    if found is None:
        raise refused(f"#{number} of {name} is none of Slipway's pull requests")
    _tell_simulated(found, f"#{number} of {name}")


def _only(names: Sequence[str]) -> str:
    if len(names) != 1:
        raise refused(f"say which --repository: {', '.join(names) or 'Slipway knows of none'}")
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
