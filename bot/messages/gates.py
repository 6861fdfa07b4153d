"""Gates as a reviewer reads them: one sentence over all, then a table with each reason."""

from collections.abc import Sequence

from bot.domain.gate import GateResult
from bot.messages.escape import Markdown, code, text
from bot.messages.layout import folded, md, paragraphs, table

_MOST_ROWS = 40
_REASON, _SHORT_REASON = 400, 250
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
        holding = len([gate for gate in gates if gate.holds])
        parts.append(md("all {} gates hold", holding) if holding > 1 else md("nothing is in the way"))
    if warnings:
        parts.append(_names(warnings, "warns", "warn"))
    verdict = "**May not merge yet**" if failing or waiting else "**May merge**"
    return Markdown(f"{verdict}: {'; '.join(parts)}.")


def overview(gates: Sequence[GateResult]) -> Markdown:
    """What stands in the way as a table, worst first; the gates that hold are folded under it."""
    order = {FAILS: 0, WAITS: 1, WARNS: 2}
    ranked = sorted((gate for gate in gates if not gate.holds), key=lambda gate: order[mark(gate)])
    holding = [gate for gate in gates if gate.holds]
    hidden = len(ranked) - _MOST_ROWS
    return paragraphs(
        _table(ranked) if ranked else None,
        md("_And {} more._", hidden) if hidden > 0 else None,
        folded(f"{len(holding)} gate{'s hold' if len(holding) != 1 else ' holds'}", _table(holding))
        if holding
        else None,
    )


def _table(gates: Sequence[GateResult]) -> Markdown:
    limits = [(gate, _SHORT_REASON if gate.holds else _REASON) for gate in gates[:_MOST_ROWS]]
    rows = [(Markdown(mark(gate)), code(gate.id, 40), text(gate.reason, limit)) for gate, limit in limits]
    return table(("", "Gate", "Reason"), rows)


def _names(gates: Sequence[GateResult], one: str, many: str) -> Markdown:
    shown = [code(gate.id, 40) for gate in gates[:10]]
    names = ", ".join(shown) + (f" and {len(gates) - 10} more" if len(gates) > len(shown) else "")
    return Markdown(f"{names} {one if len(gates) == 1 else many}")
