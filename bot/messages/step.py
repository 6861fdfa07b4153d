"""The pull request that gives a candidate another share of the traffic, or takes all of it away."""

from collections.abc import Sequence

from bot.domain.promotion import PinChange, Promotion
from bot.messages import canary
from bot.messages.bump import footer, pins
from bot.messages.escape import Markdown, quiet, text
from bot.messages.layout import fit, md


def title(promotion: Promotion, weight: int) -> str:
    """Plain text, at most 160 characters."""
    what = f"{quiet(promotion.model, 60)} version {quiet(promotion.candidate, 20)}"
    where = quiet(promotion.environment, 30)
    if weight == 0:
        return f"Take the traffic from {what} in {where}"
    return f"Give {what} {weight}% of the traffic in {where}"


def commit_message(promotion: Promotion, weight: int) -> str:
    """Subject, why, and trailers that a program can read."""
    why = promotion.revert_reason if weight == 0 else promotion.reason
    trailers = f"Slipway-Promotion: {quiet(promotion.id, 60)}\nSlipway-Weight: {weight}"
    return f"{title(promotion, weight)}\n\n{quiet(why or '', 500)}\n\n{trailers}"


def body(promotion: Promotion, weight: int, changes: Sequence[PinChange]) -> Markdown:
    """Why, with the verdict that it rests on, and what is written."""
    following = [each for each in promotion.steps if each > weight]
    after = (
        md("Then the revert follows: the baseline's pins and the shares as they were.")
        if weight == 0
        else md("It is watched with {}% before {}% follows.", weight, following[0])
        if following
        else md("It is watched with all of the traffic; then the promotion has passed.")
    )
    about = md(
        "Part of the promotion of **{}** version {} to **{}**, #{}.",
        text(promotion.model, 120),
        text(promotion.candidate, 20),
        text(promotion.environment, 60),
        promotion.pull or 0,
    )
    needed = [
        about,
        md("**Why:** {}", text((promotion.revert_reason if weight == 0 else promotion.reason) or "", 1_000)),
        after,
        md("Slipway merges it. `/hold` stops further steps, `/rollback` takes the version back."),
        canary.verdict(promotion.verdict, promotion.id) if promotion.verdict is not None else Markdown(""),
    ]
    return fit(needed, [pins(changes)], footer(promotion))
