"""The one status comment of a pull request, edited in place: where it is, why it waits, what to do next."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.gate import GateResult
from bot.domain.hold import Hold, Quarantine
from bot.domain.promotion import UNMERGED, AliasDue, Promotion, Stage
from bot.domain.verdict import SloEvidence
from bot.messages import canary, checks, numbers
from bot.messages import gates as gate_tables
from bot.messages.bump import footer
from bot.messages.escape import Markdown, code, text
from bot.messages.layout import fit, folded, lines, md, paragraphs

MARKER = "<!-- slipway:status -->"
"""Found again by this line; the comment begins with it."""

_HEADINGS = {
    Stage.WAITING: "⏳ Waiting to be opened",
    Stage.OPEN: "⏳ Open",
    Stage.SYNCING: "🚢 Merged, going live",
    Stage.WATCHING: "🔎 Live, being watched",
    Stage.PASSED: "✅ Passed",
    Stage.HELD: "✋ Held, a person must decide",
    Stage.REVERTING: "↩️ Being reverted",
    Stage.REVERTED: "↩️ Reverted",
    Stage.CLOSED: "Closed",
}
_NEXT = {
    Stage.OPEN: "`/promote` merges it once every gate holds, `/rollback` closes it.",
    Stage.SYNCING: "Nothing to do: it is watched as soon as it is live. `/rollback` opens the revert now.",
    Stage.WATCHING: "Nothing to do: it is judged by itself. `/rollback` opens the revert now.",
    Stage.PASSED: "`/promote` opens the next environment, `/rollback` goes back to the baseline.",
    Stage.HELD: "`/canary pass` vouches for it, `/rollback` opens the revert, `/retry` tries again.",
    Stage.REVERTING: "`/promote` merges the revert where the policy leaves that to a person.",
    Stage.REVERTED: "`/release` ends the hold; `/release --quarantine` also allows this version again.",
}
_ARMED = "It merges by itself as soon as every gate holds. `/hold` disarms it, `/rollback` closes it."
_STEPS = ("opened", "merged", "live", "passed")
_REACHED = {
    Stage.WAITING: 0,
    Stage.OPEN: 1,
    Stage.SYNCING: 2,
    Stage.WATCHING: 3,
    Stage.PASSED: 4,
}


class Progress(Protocol):
    """Where the watch over a candidate is, in seconds; `bot.analysis.canary.Progress` is one."""

    @property
    def elapsed(self) -> float: ...
    @property
    def left(self) -> float: ...
    @property
    def extended(self) -> bool: ...
    @property
    def waiting(self) -> str | None: ...
    @property
    def slos(self) -> tuple[SloEvidence, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


def comment(
    promotion: Promotion,
    *,
    gates: Sequence[GateResult] = (),
    holds: Sequence[Hold] = (),
    quarantine: Quarantine | None = None,
    progress: Progress | None = None,
) -> Markdown:
    """The whole comment, `MARKER` included. It changes only when something that it shows does."""
    needed = [
        Markdown(MARKER),
        md("### {}", Markdown(_HEADINGS[promotion.stage])),
        _steps(promotion),
        _traffic(promotion),
        text(promotion.reason, 1_000),
        _people(promotion, holds, quarantine),
    ]
    if promotion.stage in UNMERGED and gates:
        needed += [gate_tables.sentence(gates), gate_tables.overview(gates)]
    if promotion.checks:
        needed.append(checks.overview(promotion.checks))
    if promotion.stage is Stage.WATCHING and progress is not None:
        needed.append(_watch(progress))
    if promotion.stage in _NEXT:
        armed = promotion.stage is Stage.OPEN and promotion.armed_by is not None
        release = "`/release` ends the hold. " if promotion.stage is Stage.OPEN and holds else ""
        following = _ARMED if armed else _NEXT[promotion.stage]
        needed.append(md("**Next:** {}{}", Markdown(release), Markdown(following)))
    details = []
    if promotion.verdict:
        details.append(canary.verdict(promotion.verdict, promotion.id, above=promotion.reason))
    return fit(needed, details, footer(promotion))


def short(
    promotion: Promotion,
    gates: Sequence[GateResult] = (),
    holds: Sequence[Hold] = (),
    quarantine: Quarantine | None = None,
) -> Markdown:
    """For an answer or a list: stage, reason, who stands behind it or in its way, gates in the way."""
    heading = md(
        "**{}**: version {} in {}. {}",
        Markdown(_HEADINGS[promotion.stage]),
        text(promotion.candidate, 20),
        text(promotion.environment, 60),
        text(promotion.reason, 600),
    )
    stands = _people(promotion, holds, quarantine)
    return paragraphs(heading, stands, gate_tables.sentence(gates) if gates else None)


def _steps(promotion: Promotion) -> Markdown:
    """The way of a promotion with the steps that are done; empty for one that left it."""
    reached = _REACHED.get(promotion.stage)
    if reached is None:
        return Markdown("")
    return Markdown(" → ".join(f"**{step}**" if i < reached else step for i, step in enumerate(_STEPS)))


def _traffic(promotion: Promotion) -> Markdown:
    """The candidate's shares of the traffic, those that it had in bold, and where it is now."""
    if not promotion.steps or promotion.stage in UNMERGED:
        return Markdown("")
    passed = promotion.stage is Stage.PASSED
    shown = [
        f"**{each}%**"
        if passed or (promotion.weight is not None and each <= promotion.weight)
        else f"{each}%"
        for each in promotion.steps
    ]
    step = promotion.open_step
    asked = md(" (#{} gives it {}%)", step.pull, step.weight) if step is not None else Markdown("")
    back = md(" → **0%**") if promotion.weight == 0 else Markdown("")
    return md("Traffic: {}{}{}", Markdown(" → ".join(shown)), back, asked)


def _people(promotion: Promotion, holds: Sequence[Hold], quarantine: Quarantine | None) -> Markdown:
    said = [md("- Asked for by {}", text(promotion.requested_by, 80))]
    if promotion.armed_by:
        armed = md("- Armed by {}: it merges as soon as every gate holds", text(promotion.armed_by, 80))
        said.append(
            armed if promotion.stage in UNMERGED else md("- Merged for {}", text(promotion.armed_by, 80))
        )
    if promotion.merge_sha and promotion.stage in (Stage.SYNCING, Stage.WATCHING):
        merged = text(promotion.merge_sha, 40)
        said.append(md("- Merged as {}, where the check `slipway / canary` follows it", merged))
    if promotion.override:
        said.append(md("- Override: {}", text(promotion.override, 500)))
    for hold in holds[:10]:
        scope = md("everything") if hold.model is None else md("this model here")
        since = numbers.moment(hold.since)
        said.append(
            md("- {} holds {} since {}: {}", text(hold.owner, 80), scope, since, text(hold.reason, 300))
        )
    if quarantine is not None:
        why = text(quarantine.reason, 300)
        said.append(md("- Version {} is quarantined here: {}", text(quarantine.version, 20), why))
    if promotion.revert_pull:
        said.append(md("- Revert: #{}", promotion.revert_pull))
    aliases = [due.alias for due in promotion.due if isinstance(due, AliasDue)]
    said += [md("- The alias {} still has to move in the registry", code(alias, 60)) for alias in aliases]
    return lines(*said)


def _watch(progress: Progress) -> Markdown:
    extended = md(", extended") if progress.extended else Markdown("")
    clock = md(
        "Watched for {}, {} left{}.", canary.left(progress.elapsed), canary.left(progress.left), extended
    )
    drawing = canary.chart(progress.slos)
    waiting = md("The clock does not run: {}", text(progress.waiting, 300)) if progress.waiting else None
    return paragraphs(
        clock,
        waiting,
        canary.slos(progress.slos, so_far=True),
        folded("Evidence over time", drawing) if drawing else None,
        canary.notes(progress.notes),
    )
