"""The pull request that promotes a version: title, commit message, body."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.comparison import Comparison
from bot.domain.gate import GateResult
from bot.domain.promotion import PinChange, Promotion
from bot.messages import comparison as compared
from bot.messages import gates as gate_tables
from bot.messages import metrics, prompt
from bot.messages.escape import Markdown, code, fenced, link, plain, quiet, text
from bot.messages.layout import fit, folded, lines, md, paragraphs

_MOST_PINS = 20


@dataclass(frozen=True, slots=True)
class PullText:
    """What a pull request says; title and commit message are plain text."""

    title: str
    commit_message: str
    body: Markdown


def render(
    promotion: Promotion,
    comparison: Comparison,
    changes: Sequence[PinChange],
    gates: Sequence[GateResult] = (),
) -> PullText:
    """The whole pull request; `changes` are the pins of its one commit. Without gates, the status
    comment has them.
    """
    changed = replace(promotion, changes=tuple(changes))
    return PullText(title(changed), commit_message(changed), body(changed, comparison, gates))


def title(promotion: Promotion) -> str:
    """Plain text, at most 120 characters."""
    model, version = quiet(promotion.model, 60), quiet(promotion.candidate, 20)
    return f"Promote {model} version {version} to {quiet(promotion.environment, 30)}"


def commit_message(promotion: Promotion) -> str:
    """The commit on the branch: subject, what changes, and trailers that a program can read."""
    before = quiet(promotion.baseline or "", 20)
    changed = "\n".join(f"- {quiet(change.file, 120)}" for change in promotion.changes[:20])
    trailers = (
        f"Slipway-Model: {quiet(promotion.model, 120)}\n"
        f"Slipway-Version: {quiet(promotion.candidate, 20)}\n"
        f"Slipway-Environment: {quiet(promotion.environment, 60)}\n"
        f"Slipway-Promotion: {quiet(promotion.id, 60)}"
    )
    replaces = f"Replaces version {before}." if before else "The first version here."
    return "\n\n".join(part for part in (title(promotion), replaces, changed, trailers) if part)


def merge_message(promotion: Promotion, armed_by: str | None) -> str:
    """The message of the merge commit: who let it through."""
    by = f"Promoted by {quiet(armed_by, 60)}." if armed_by else "Promoted by the policy, without a comment."
    return f"{by}\n\nSlipway-Promotion: {quiet(promotion.id, 60)}"


def body(promotion: Promotion, comparison: Comparison, gates: Sequence[GateResult]) -> Markdown:
    """What changes, why it may or may not merge, the evidence; never longer than GitHub accepts."""
    needed = [
        _opening(promotion, comparison),
        _traffic(promotion),
        gate_tables.sentence(gates) if gates else Markdown(""),
        gate_tables.overview(gates) if gates else Markdown(""),
        md("_So it stood when this was opened; the comment below keeps up._") if gates else Markdown(""),
        md("### Candidate against baseline" if comparison.baseline else "### Evidence"),
        prompt.changes(comparison),
        metrics.overview(comparison),
        compared.facts(comparison),
    ]
    details = [pins(promotion.changes), *compared.details(comparison)]
    return fit(needed, details, footer(promotion))


def _traffic(promotion: Promotion) -> Markdown:
    if not promotion.steps:
        return Markdown("")
    first, *further = promotion.steps
    then = ", then ".join(f"{weight}%" for weight in further)
    if not further:
        return md("The candidate gets all of the traffic at once.")
    return md(
        "The candidate gets {}% of the traffic at first, then {}, each once it has passed before.",
        first,
        Markdown(then),
    )


def pins(changes: Sequence[PinChange]) -> Markdown:
    """The scalars that change, file by file."""
    if not changes:
        return Markdown("")
    shown = [
        paragraphs(code(change.file, 200), fenced(f"- {plain(change.old)}\n+ {plain(change.new)}", "diff"))
        for change in changes[:_MOST_PINS]
    ]
    hidden = len(changes) - len(shown)
    more = md("_And {} more._", hidden) if hidden else None
    return folded(f"Pins that change ({len(changes)})", paragraphs(*shown, more))


def _opening(promotion: Promotion, comparison: Comparison) -> Markdown:
    new, old = comparison.candidate, comparison.baseline
    version = link(md("version {}", text(promotion.candidate, 20)), new.url)
    if promotion.baseline is None:
        runs = md("nothing runs there yet")
    else:
        runs = md("now {}", link(md("version {}", text(promotion.baseline, 20)), old.url if old else None))
    run = md(", from {}", link(md("this run"), new.run_url)) if new.run_url else Markdown("")
    return lines(
        md(
            "**{}** {} → **{}** ({}){}.",
            text(promotion.model, 120),
            version,
            text(promotion.environment, 60),
            runs,
            run,
        ),
        md("Asked for by {}.", text(promotion.requested_by, 80)),
    )


def footer(promotion: Promotion) -> Markdown:
    """The last line of whatever stands in a pull request."""
    name = code(promotion.id, 60)
    return md("<sub>Slipway, promotion {}. Comment `/help` to see what you may do.</sub>", name)
