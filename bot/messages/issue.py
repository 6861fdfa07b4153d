"""Issues of the repository: mistakes in its configuration, and registry and Git that disagree."""

from collections.abc import Sequence

from bot.domain.drift import Drift
from bot.domain.mistake import Mistake
from bot.domain.promotion import Promotion, Stage
from bot.messages.bump import footer
from bot.messages.escape import Markdown, code, quiet, text
from bot.messages.layout import long_table, md, paragraphs


def configuration(commit: str, mistakes: Sequence[Mistake]) -> tuple[str, Markdown]:
    """Title and body for the commit that broke `slipway.yaml`."""
    follows = md("**The last good configuration stays in force.** {}", _CLOSES)
    return f"Slipway cannot read its configuration: {_count(mistakes)}", _broken(commit, mistakes, follows)


def policies(commit: str, mistakes: Sequence[Mistake]) -> tuple[str, Markdown]:
    """Title and body for the commit that broke a policy."""
    follows = md("**Nothing that needs one of these policies is merged.** {}", _CLOSES)
    return f"Slipway cannot read its policies: {_count(mistakes)}", _broken(commit, mistakes, follows)


_CLOSES = md("This issue closes by itself when the mistakes are gone.")


def _broken(commit: str, mistakes: Sequence[Mistake], follows: Markdown) -> Markdown:
    files = sorted({mistake.file for mistake in mistakes})
    where = Markdown(", ".join(code(file) for file in files[:10]))
    said = md("Commit {} has {} in {}.", code(commit[:12], 12), Markdown(_count(mistakes)), where)
    return paragraphs(said, follows, _mistakes(mistakes), _SAME)


def proposed(commit: str, mistakes: Sequence[Mistake]) -> tuple[str, Markdown]:
    """Title and text of the check on a pull request that touches the configuration or a pin."""
    if not mistakes:
        right = md("Commit {}: `slipway.yaml`, the policies and every pin are right.", code(commit[:12], 12))
        return "Everything is right", paragraphs(right, _SAME)
    opening = md("Commit {} has {}:", code(commit[:12], 12), Markdown(_count(mistakes)))
    return _count(mistakes), paragraphs(opening, _mistakes(mistakes), _SAME)


_SAME = md("`slipway check` finds the same on your machine.")


def _count(mistakes: Sequence[Mistake]) -> str:
    return f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}"


def _mistakes(mistakes: Sequence[Mistake]) -> Markdown:
    rows = [
        (
            code(f"{m.file}:{m.line}:{m.column}", 200),
            code(m.key, 120),
            text(m.message, 300),
            text(m.hint, 300),
        )
        for m in mistakes
    ]
    return long_table(("Where", "Key", "Mistake", "What would be right"), rows)


def waiting(promotion: Promotion) -> tuple[str, Markdown]:
    """Title and body for a promotion that has no pull request yet, or never got one: why."""
    title = (
        f"{quiet(promotion.model, 60)} version {quiet(promotion.candidate, 20)} waits for "
        f"{quiet(promotion.environment, 30)}"
    )
    over = promotion.stage is Stage.CLOSED
    body = paragraphs(
        text(promotion.reason, 1_000),
        md("Asked for by {}.", text(promotion.requested_by, 80)),
        md("Nothing more is tried.")
        if over
        else md("Slipway looks again by itself. This issue closes when the pull request opens."),
        footer(promotion),
    )
    return title, body


def drift(drifts: Sequence[Drift]) -> tuple[str, Markdown]:
    """Title and body where aliases and pins disagree."""
    rows = [
        (
            code(found.model, 120),
            text(found.environment, 60),
            code(found.alias, 60),
            text(found.registered or "not set", 20),
            text(found.pinned or "nothing", 20),
        )
        for found in drifts
    ]
    needed = [
        md(
            "The registry and Git name different versions. "
            "Nothing was changed: Slipway does not know who is right."
        ),
        long_table(("Model", "Environment", "Alias", "Registry says", "Git pins"), rows),
        md(
            "Either point the alias to the pinned version, or promote the version that the alias names. "
            "This issue closes by itself when they agree."
        ),
    ]
    return "The registry and Git disagree", paragraphs(*needed)
