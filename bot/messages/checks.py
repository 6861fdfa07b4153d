"""The checks of a live candidate as a reader sees them: like gates, with what was sent and answered."""

from collections.abc import Sequence

from bot.domain.checks import CheckResult, CheckState
from bot.messages.escape import Markdown, code, fenced, link, text
from bot.messages.layout import folded, md, paragraphs, table

_MARKS = {
    CheckState.PASSED: "✅",
    CheckState.FAILED: "❌",
    CheckState.PENDING: "⏳",
    CheckState.UNASKED: "✋",
}
_MOST = 20


def overview(results: Sequence[CheckResult]) -> Markdown:
    """One line a check, and under it what was sent and answered; empty without checks."""
    if not results:
        return Markdown("")
    shown = results[:_MOST]
    rows = [(Markdown(_MARKS[each.state]), code(each.name, 60), _reason(each)) for each in shown]
    asked = [_exchange(each) for each in shown if each.sent]
    return paragraphs(
        table(("", "Check", "Reason"), rows),
        folded("What was sent and answered", paragraphs(*asked)) if asked else None,
    )


def _reason(result: CheckResult) -> Markdown:
    said = text(result.reason, 400)
    return md("{} ({})", said, link(md("run"), result.url)) if result.url is not None else said


def _exchange(result: CheckResult) -> Markdown:
    answered = fenced(result.answered, limit=600) if result.answered else md("No answer.")
    return paragraphs(md("{}:", code(result.name, 60)), fenced(result.sent, limit=600), answered)
