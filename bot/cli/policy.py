"""`slipway policy`: try a policy out before anybody depends on it."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from bot.adapters.cel import LimitedEvaluator
from bot.cli.checkout import Checkout
from bot.cli.mistakes import Format, render
from bot.cli.simulate import simulate
from bot.cli.told import policies_of, printable
from bot.domain.expression import Evaluator
from bot.domain.mistake import ConfigError
from bot.domain.policies import Policies
from bot.domain.policy import BrokenPolicy
from bot.domain.policy_case import load as load_cases
from bot.domain.policy_case import strange_facts
from bot.domain.policy_trial import Coverage, Trial, coverage, run

policy = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Try a policy out: cases of your own, a real version, or an open pull request.",
)
policy.command()(simulate)


@policy.command("test")
def try_cases(
    folder: Annotated[Path, typer.Argument(help="Folder with files of cases (*.yaml).", exists=True)],
    repo: Annotated[
        Path, typer.Option(help="Local checkout of the GitOps repository.", exists=True, file_okay=False)
    ] = Path(),
) -> None:
    """Run every case in a folder; exit 1 if one is not met. Prints which gates the cases covered."""
    policies = policies_of(Checkout(repo))
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
    text = file.read_text(encoding="utf-8", errors="surrogateescape")
    try:
        cases = load_cases(text, file.name)
        chosen = policies.get(cases.policy)
        if isinstance(chosen, BrokenPolicy):
            return f"{file}: {'; '.join(chosen.reasons)}"
        return cases.policy, run(cases, chosen, evaluator)
    except ConfigError as error:
        mistakes = error.mistakes
    except ValidationError as error:
        mistakes = strange_facts(text, file.name)
        if not mistakes:  # each is right, and one laid over the other is not
            return f"{file}: what is given makes no facts:\n{_facts_mistakes(error)}"
    return render(mistakes, Format.TEXT, Checkout(file.parent).read, f"{file.parent.as_posix()}/")


def _tell(file: Path, trials: Sequence[Trial]) -> int:
    for trial in trials:
        typer.echo(f"{'FAILED' if trial.wrong else 'ok':6} {file.name}: {printable(trial.case)}")
        for sentence in trial.wrong:
            typer.echo(f"       {printable(sentence)}")
    return sum(bool(trial.wrong) for trial in trials)


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
