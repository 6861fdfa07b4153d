"""Cases put to a policy: which expectations are met, and which gates no case has seen both ways. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain import expression
from bot.domain.gate import GateResult
from bot.domain.gates import evaluate
from bot.domain.policy import Policy
from bot.domain.policy_case import Case, CaseFile, Expected, Given, facts


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one case; `wrong` has a sentence for each expectation that was not met."""

    case: str
    gates: tuple[GateResult, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the cases saw one gate hold and not hold; both should happen."""

    gate: str
    held: int
    failed: int

    @property
    def complete(self) -> bool:
        return bool(self.held and self.failed)

    @property
    def missing(self) -> str:
        """What no case has shown; empty when nothing is missing."""
        if self.complete:
            return ""
        if not self.held and not self.failed:
            return "never asked"
        return "never failed" if self.held else "never held"


def run(
    file: CaseFile, policy: Policy, evaluator: expression.Evaluator = expression.evaluate
) -> Sequence[Trial]:
    """Ask the policy about every case. Raises pydantic's ValidationError for facts that are none."""
    return [_run(case, file.given, policy, evaluator) for case in file.cases]


def coverage(policy: Policy, trials: Iterable[Trial]) -> Sequence[Coverage]:
    """Every rule of the policy, and the built-in gates that the cases met."""
    answers = [gate for trial in trials for gate in trial.gates]
    names = dict.fromkeys([*(gate.id for gate in policy.gates), *(answer.id for answer in answers)])
    return [
        Coverage(
            name,
            held=sum(answer.id == name and answer.holds for answer in answers),
            failed=sum(answer.id == name and not answer.holds for answer in answers),
        )
        for name in names
    ]


def _run(case: Case, shared: Mapping[str, Any], policy: Policy, evaluator: expression.Evaluator) -> Trial:
    given = Given.model_validate(_laid_over(shared, case.given))
    gates = evaluate(policy, facts(given, policy), evaluator)
    answers = {gate.id: gate for gate in gates}
    wrong = []
    for name, expected in case.expect.items():
        gate = answers.get(name)
        if gate is None:
            wrong.append(f"{name} was not asked: no gate of this name applies here")
        elif Expected.of(gate) is not expected:
            wrong.append(f"{name} {Expected.of(gate)}, expected {expected}: {gate.reason}")
    in_the_way = [gate.id for gate in gates if gate.blocks]
    if case.merges is not None and case.merges is bool(in_the_way):
        found = f"stopped by {', '.join(in_the_way)}" if in_the_way else "nothing stands in the way"
        wrong.append(f"expected that it {'merges' if case.merges else 'does not merge'}: {found}")
    return Trial(case.name, gates, tuple(wrong))


def _laid_over(below: Any, above: Any) -> Any:
    """Mappings merge key by key, null takes a key away, anything else is replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    merged = {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}
    return {key: value for key, value in merged.items() if value is not None}
