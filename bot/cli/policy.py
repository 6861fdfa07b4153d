"""`slipway policy`: try a policy out before anybody depends on it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from bot.adapters import shipped
from bot.adapters.cel import LimitedEvaluator
from bot.cli.checkout import Checkout
from bot.cli.mistakes import Format, render
from bot.domain.comparison import compare
from bot.domain.config import FILE, Environment
from bot.domain.config import load as load_config
from bot.domain.expression import Evaluator
from bot.domain.facts import Approval, EarlierEnvironment, Facts
from bot.domain.gate import GateResult, blocking
from bot.domain.gates import evaluate
from bot.domain.mistake import ConfigError
from bot.domain.policies import Policies, resolve
from bot.domain.policy import BrokenPolicy, Policy
from bot.domain.policy_case import Expected
from bot.domain.policy_case import load as load_cases
from bot.domain.policy_trial import Coverage, Trial, coverage, run
from bot.domain.pull import Permission, Pull, PullState
from bot.ports import OutsideError

policy = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Try a policy out: cases of your own, or a real version."
)

Repo = Annotated[
    Path, typer.Option(help="Local checkout of the GitOps repository.", exists=True, file_okay=False)
]


@policy.command("test")
def try_cases(
    folder: Annotated[Path, typer.Argument(help="Folder with files of cases (*.yaml).", exists=True)],
    repo: Repo = Path(),
) -> None:
    """Run every case in a folder; exit 1 if one is not met. Prints which gates the cases covered."""
    policies = _policies(Checkout(repo))
    trials: dict[str, list[Trial]] = defaultdict(list)
    failed = 0
    with LimitedEvaluator() as evaluator:
        for file in sorted(folder.glob("*.yaml")):
            tried = _try(file, policies, evaluator)
            if isinstance(tried, str):
                typer.echo(tried)
                failed += 1
            else:
                name, done = tried
                trials[name] += done
                failed += _tell(file, done)
    for name, done in trials.items():
        _tell_coverage(name, coverage(policies.get(name), done))
    count = sum(len(done) for done in trials.values())
    typer.echo(f"{count} cases, {failed} failed" if count or failed else f"no cases in {folder}")
    raise typer.Exit(1 if failed or not count else 0)


def _try(file: Path, policies: Policies, evaluator: Evaluator) -> tuple[str, Sequence[Trial]] | str:
    """The name of the policy and what became of the file's cases; or why there are none."""
    try:
        cases = load_cases(file.read_text(encoding="utf-8"), file.name)
        chosen = policies.get(cases.policy)
        if isinstance(chosen, BrokenPolicy):
            return f"{file}: {'; '.join(chosen.reasons)}"
        return cases.policy, run(cases, chosen, evaluator)
    except ConfigError as error:
        return render(error.mistakes, Format.TEXT, Checkout(file.parent).read, f"{file.parent.as_posix()}/")
    except ValidationError as error:
        return f"{file}: the facts of a case are none:\n{_facts_mistakes(error)}"


@policy.command()
def simulate(
    model: Annotated[str, typer.Option(help="Name of the registered model.")],
    version: Annotated[str, typer.Option(help="Version that would be promoted.")],
    environment: Annotated[str, typer.Option(help="Environment that it would go into.")],
    mlflow: Annotated[str, typer.Option(help="Address of MLflow.", envvar="SLIPWAY_MLFLOW_TRACKING_URI")],
    *,
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
    repo: Repo = Path(),
) -> None:
    """Say what would happen to a promotion, and why; nothing is changed anywhere."""
    checkout = Checkout(repo)
    place = _environment(checkout, model, environment)
    chosen = _policies(checkout).get(place.policy)
    now = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    from bot.adapters.mlflow import MlflowRegistry  # noqa: PLC0415  # takes seconds, and only this needs it

    registry = MlflowRegistry(mlflow)
    try:
        if baseline is None and place.alias is not None:
            baseline = registry.alias(model, place.alias)
        candidate = registry.evidence(model, version)
        before = registry.evidence(model, baseline) if baseline and baseline != version else None
    except OutsideError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    head = "simulated"
    facts = Facts(
        model=model,
        environment=environment,
        comparison=compare(candidate, before, chosen.metrics.directions),
        now=now,
        pull=Pull(0, PullState.OPEN, "", "", "", head, "", ""),
        head_sha=head,
        calendars=_calendars(checkout, chosen),
        earlier=_earlier(place, chosen, now, verified=verified),
        approvals=tuple(
            Approval(name, head, Permission.WRITE, frozenset(chosen.approvals.teams))
            for name in approved_by or ()
        ),
    )
    with LimitedEvaluator() as evaluator:
        gates = evaluate(chosen, facts, evaluator)
    against = f"against version {baseline}" if before else "without a baseline"
    typer.echo(f"{model} version {version} into {environment}, {against}, policy {place.policy}:")
    _tell_gates(gates)
    typer.echo(_outcome(chosen, gates))


def _policies(checkout: Checkout) -> Policies:
    policies = resolve(checkout.policies(), shipped.policies())
    if policies.mistakes:
        typer.echo(render(policies.mistakes, Format.TEXT, checkout.read), err=True)
    return policies


def _environment(checkout: Checkout, model: str, environment: str) -> Environment:
    try:
        config = load_config((checkout.read(FILE) or b"").decode(errors="surrogateescape"))
    except ConfigError as error:
        typer.echo(render(error.mistakes, Format.TEXT, checkout.read), err=True)
        raise typer.Exit(1) from None
    known = config.promoted.get(model)
    place = known.environments.get(environment) if known else None
    if place is None:
        typer.echo(f"{FILE} has no environment {environment} of a model {model}", err=True)
        raise typer.Exit(1)
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


def _tell(file: Path, trials: Sequence[Trial]) -> int:
    for trial in trials:
        typer.echo(f"{'FAILED' if trial.wrong else 'ok':6} {file.name}: {_printable(trial.case)}")
        for sentence in trial.wrong:
            typer.echo(f"       {_printable(sentence)}")
    return sum(bool(trial.wrong) for trial in trials)


def _tell_gates(gates: Sequence[GateResult]) -> None:
    width = max((len(gate.id) for gate in gates), default=0)
    for gate in gates:
        typer.echo(f"  {Expected.of(gate):5} {gate.id:{width}}  {_printable(gate.reason)}")


def _tell_coverage(name: str, covered: Sequence[Coverage]) -> None:
    complete = sum(gate.complete for gate in covered)
    typer.echo(f"\nPolicy {name}: {complete} of {len(covered)} gates seen both holding and not holding")
    for gate in covered:
        if not gate.complete:
            typer.echo(f"  {gate.gate}: {gate.missing}")


def _facts_mistakes(error: ValidationError) -> str:
    return "\n".join(
        f"  {'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors()
    )


def _printable(text: str) -> str:
    """Text of a registry never steers the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
