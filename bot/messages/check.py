"""The check run on a pull request's head: the gates as GitHub's own checks show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.gate import GateResult
from bot.messages import gates as gate_tables
from bot.messages.escape import Markdown
from bot.messages.layout import fit, md


@dataclass(frozen=True, slots=True)
class CheckText:
    """`conclusion`: `success`, `failure`, `neutral` (warnings only), or None while something is awaited."""

    title: str
    summary: Markdown
    conclusion: str | None


def gates(results: Sequence[GateResult]) -> CheckText:
    """A title that fits one line, and the table."""
    failing = [gate for gate in results if gate.blocks and not gate.pending]
    waiting = [gate for gate in results if gate.blocks and gate.pending]
    warnings = [gate for gate in results if not gate.holds and not gate.blocks]
    summary = fit([gate_tables.sentence(results), gate_tables.overview(results)], [], md(""))
    if failing:
        return CheckText(f"{_count(failing)} not hold", summary, "failure")
    if waiting:
        return CheckText(f"Waiting for {_gates(len(waiting))}", summary, None)
    if warnings:
        return CheckText(f"All gates that block hold, {len(warnings)} warn", summary, "neutral")
    return CheckText(f"{_gates(len(results))} hold", summary, "success")


def _gates(count: int) -> str:
    return f"{count} gate{'' if count == 1 else 's'}"


def _count(failing: Sequence[GateResult]) -> str:
    return f"{_gates(len(failing))} {'does' if len(failing) == 1 else 'do'}"
