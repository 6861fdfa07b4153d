"""What check runs say: the gates on a pull request's head, the canary on the commit that was merged."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.gate import GateResult
from bot.domain.promotion import Promotion, Stage
from bot.domain.verdict import Outcome
from bot.messages import canary as canary_tables
from bot.messages import gates as gate_tables
from bot.messages.bump import footer
from bot.messages.escape import Markdown, quiet, text
from bot.messages.layout import fit, folded, md, paragraphs
from bot.messages.status import Progress

GATES = "slipway / gates"
"""On the head of every pull request: a rule of the branch may require it."""
CANARY = "slipway / canary"

_TITLE = 120


@dataclass(frozen=True, slots=True)
class CheckText:
    """`conclusion`: one of GitHub's words, or None while something is awaited; `title` is plain text."""

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


NOT_OUR_COMMIT = CheckText(
    "The branch holds other commits",
    md("Slipway merges only its own commit. `/retry` in the pull request makes the branch anew."),
    "failure",
)
REVERT = CheckText(
    "A revert waits for no gate",
    md("It restores the pins of the version that ran before, and nothing else."),
    "success",
)
STEP = CheckText(
    "The gates held when the version was merged",
    md("A step of its traffic waits for the canary, and for no gate."),
    "success",
)
NO_PROMOTION = CheckText(
    "Not a promotion",
    md("Nobody promotes a version through this pull request with Slipway, so no gate applies."),
    "neutral",
)


def canary(promotion: Promotion, progress: Progress | None, *, has_slo: bool) -> CheckText:
    """The watch over a merged candidate: live progress while it lasts, then the verdict."""
    stage = promotion.stage
    if stage is Stage.SYNCING:
        return _canary("Waiting until it is live", promotion, None)
    if stage is Stage.WATCHING:
        return _watching(promotion, progress)
    if promotion.reverted_by is not None or stage in (Stage.REVERTING, Stage.REVERTED):
        return _canary(*_reverted(promotion))
    if stage is Stage.PASSED and promotion.verdict is None and not has_slo:
        return _canary("Live; there is no SLO to watch", promotion, "neutral")
    if stage is Stage.PASSED:
        return _canary("Passed" if promotion.verdict else promotion.reason, promotion, "success")
    if stage is Stage.HELD:
        return _canary(_undecided(promotion), promotion, "action_required")
    return _canary("Ended without a verdict", promotion, "cancelled")


def _reverted(promotion: Promotion) -> tuple[str, Promotion, str]:
    failed = promotion.verdict is not None and promotion.verdict.outcome is Outcome.FAILED
    if failed:
        return "Failed", promotion, "failure"
    return f"Taken back: {promotion.revert_reason or promotion.reason}", promotion, "cancelled"


def _undecided(promotion: Promotion) -> str:
    if promotion.verdict is None:
        return promotion.reason
    words = {
        Outcome.INCONCLUSIVE: "Inconclusive",
        Outcome.NO_DATA: "No data",
        Outcome.SOURCE_DOWN: "The metrics could not be read",
        Outcome.FAILED: "Failed, and the policy only reports",
    }
    return f"{words.get(promotion.verdict.outcome, 'Held')}: a person must decide"


def _watching(promotion: Promotion, progress: Progress | None) -> CheckText:
    if progress is None:
        return _canary("Watching", promotion, None)
    if progress.waiting:
        title = f"The clock does not run: {progress.waiting}"
    else:
        done, left = canary_tables.left(progress.elapsed), canary_tables.left(progress.left)
        title = f"Watched for {done}, {left} left{', extended' if progress.extended else ''}"
    drawing = canary_tables.chart(progress.slos)
    seen = paragraphs(
        canary_tables.slos(progress.slos, so_far=True),
        folded("Evidence over time", drawing) if drawing else None,
        canary_tables.notes(progress.notes),
    )
    return _canary(title, promotion, None, seen)


def _canary(
    title: str, promotion: Promotion, conclusion: str | None, seen: Markdown | None = None
) -> CheckText:
    pull = md(
        "**{}** version {} in {}, merged with #{}.",
        text(promotion.model, 120),
        text(promotion.candidate, 20),
        text(promotion.environment, 60),
        promotion.pull or 0,
    )
    reason = text(promotion.reason, 1_000)
    verdict = promotion.verdict
    judged = canary_tables.verdict(verdict, promotion.id, above=promotion.reason) if verdict else Markdown("")
    summary = fit([pull, reason, seen or Markdown("")], [judged], footer(promotion))
    return CheckText(quiet(title, _TITLE), summary, conclusion)


def _gates(count: int) -> str:
    return f"{count} gate{'' if count == 1 else 's'}"


def _count(failing: Sequence[GateResult]) -> str:
    return f"{_gates(len(failing))} {'does' if len(failing) == 1 else 'do'}"
