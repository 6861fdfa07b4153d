"""The pull request that restores the baseline's pins: what broke, how we know, what goes back."""

from dataclasses import replace

from bot.domain.promotion import Promotion
from bot.messages import canary
from bot.messages.bump import PullText, footer, pins
from bot.messages.escape import Markdown, quiet, text
from bot.messages.layout import fit, lines, md


def render(promotion: Promotion, *, quarantined: bool) -> PullText:
    """Title, commit message and body; the pins in `promotion.changes` go back from `new` to `old`."""
    return PullText(title(promotion), commit_message(promotion), body(promotion, quarantined=quarantined))


def title(promotion: Promotion) -> str:
    """Plain text, at most 160 characters."""
    model, version = quiet(promotion.model, 60), quiet(promotion.candidate, 20)
    return f"Revert {model} version {version} in {quiet(promotion.environment, 30)}"


def commit_message(promotion: Promotion) -> str:
    """Subject, why, and trailers that a program can read."""
    why = quiet(promotion.revert_reason or promotion.reason, 500)
    merged = f"\nSlipway-Reverts: {quiet(promotion.merge_sha, 64)}" if promotion.merge_sha else ""
    return f"{title(promotion)}\n\n{why}\n\nSlipway-Promotion: {quiet(promotion.id, 60)}{merged}"


def body(promotion: Promotion, *, quarantined: bool) -> Markdown:
    """`quarantined`: it failed, and is not only taken back because a person said so."""
    back = tuple(replace(change, old=change.new, new=change.old) for change in promotion.changes)
    why = promotion.revert_reason or promotion.reason
    needed = [
        md(
            "**{}** in **{}** goes back from version {} to {}.",
            text(promotion.model, 120),
            text(promotion.environment, 60),
            text(promotion.candidate, 20),
            md("version {}", text(promotion.baseline, 20))
            if promotion.baseline
            else md("what was there before"),
        ),
        md("**Why:** {}", text(why, 1_000)),
        _asked(promotion),
        canary.verdict(promotion.verdict, promotion.id, above=why) if promotion.verdict else Markdown(""),
        _after(promotion, quarantined=quarantined),
    ]
    return fit(needed, [pins(back)], footer(promotion))


def _asked(promotion: Promotion) -> Markdown:
    said = []
    if promotion.pull:
        said.append(md("- Reverts #{}", promotion.pull))
    if promotion.reverted_by:
        said.append(md("- Asked for by {}", text(promotion.reverted_by, 80)))
    return lines(*said)


def _after(promotion: Promotion, *, quarantined: bool) -> Markdown:
    version = text(promotion.candidate, 20)
    stays = (
        md(
            "- version {} is quarantined here: it is not proposed again until `/release --quarantine`",
            version,
        )
        if quarantined
        else md("- version {} did not fail: it may be proposed here again after `/release`", version)
    )
    return lines(
        md("**After the merge:**"),
        md(stays, version),
        md("- a hold stops automation for this model here until `/release`"),
        md("- the registry's alias moves back, where one is configured"),
    )
