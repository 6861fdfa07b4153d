"""Gates as a reviewer reads them: one sentence over all, then a table with each reason."""

from collections.abc import Sequence

from bot.domain.gate import GateResult
from bot.messages.escape import Markdown, code, text
from bot.messages.layout import md, table

HOLDS, FAILS, WAITS, WARNS = "✅", "❌", "⏳", "⚠️"


def mark(gate: GateResult) -> str:
    if gate.holds:
        return HOLDS
    if not gate.blocks:
        return WARNS
    return WAITS if gate.pending else FAILS


def sentence(gates: Sequence[GateResult]) -> Markdown:
    """Whether it may merge, in one line."""
    failing = [gate for gate in gates if gate.blocks and not gate.pending]
    waiting = [gate for gate in gates if gate.blocks and gate.pending]
    warnings = [gate for gate in gates if not gate.holds and not gate.blocks]
    parts = []
    if failing:
        parts.append(_names(failing, "does not hold", "do not hold"))
    if waiting:
        parts.append(_names(waiting, "is waiting", "are waiting"))
    if not parts:
        parts.append(md("all {} gates hold", len([gate for gate in gates if gate.holds])))
    if warnings:
        parts.append(_names(warnings, "warns", "warn"))
    verdict = "**May not merge yet**" if failing or waiting else "**May merge**"
    return Markdown(f"{verdict}: {'; '.join(parts)}.")


def overview(gates: Sequence[GateResult]) -> Markdown:
    """The table, what stands in the way first."""
    order = {FAILS: 0, WAITS: 1, WARNS: 2, HOLDS: 3}
    ranked = sorted(gates, key=lambda gate: order[mark(gate)])
    rows = [(Markdown(mark(gate)), code(gate.id, 40), text(gate.reason, 600)) for gate in ranked]
    return table(("", "Gate", "Reason"), rows)


def _names(gates: Sequence[GateResult], one: str, many: str) -> Markdown:
    names = ", ".join(code(gate.id, 40) for gate in gates)
    return Markdown(f"{names} {one if len(gates) == 1 else many}")
