"""Answers to commands, and words to people who were not understood."""

from collections.abc import Collection, Sequence

from bot.domain import commands
from bot.domain.authorization import Action, action_of, written
from bot.domain.commands import USAGES, Mistake
from bot.domain.gate import GateResult
from bot.domain.hold import Quarantine
from bot.domain.promotion import Promotion
from bot.domain.retrain import Retraining
from bot.messages import canary, numbers, status
from bot.messages import gates as gate_tables
from bot.messages.escape import Markdown, code, quoted, text
from bot.messages.layout import fit, lines, md, paragraphs, table

DOES = {
    "promote": "Merge once every gate holds; after it passed, open the next environment",
    "rollback": "Open: close this pull request. Merged: open the revert now",
    "hold": "Stop automation for this model here",
    "release": "Let it go on",
    "canary": "Watch longer, vouch for the candidate, or say that it failed",
    "retry": "Try again what went wrong for a reason outside",
    "status": "Where it is and what it waits for",
    "explain": "Every gate with its reason, and what the canary saw",
    "help": "What you may do here",
}
"""What each command does, in the order in which people need them."""


def marker(kind: str, name: object) -> str:
    """The invisible line by which a comment of ours is found again; letters, digits and dashes only."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in f"{kind}-{name}")
    return f"<!-- slipway:{kept[:120]} -->"


def answer(author: str, asked: str, said: Markdown) -> Markdown:
    """An answer to one command: who asked what, then the answer."""
    return fit([md("{} asked {}", text(author, 80), code(asked, 160)), said], [], Markdown(""))


def asked(command: commands.Command) -> str:
    """What the person asked for, without reasons: the comment has them."""
    match command:
        case commands.Rerun(check=check):
            return f"re-run of slipway / {check}"
        case commands.PassCanary():
            return "/canary pass"
        case commands.FailCanary():
            return "/canary fail"
        case commands.ExtendCanary(by=by):
            return f"/canary extend {numbers.span(by)}"
        case _:
            return written(action_of(command))


def said(sentence: str) -> Markdown:
    """A plain sentence as an answer; its line breaks are kept."""
    return Markdown("\n\n".join(text(line, 1_000) for line in sentence.split("\n") if line.strip()))


_WIDER = {
    Action.OVERRIDE: ("promote", ' [--override "reason"]', ""),
    Action.HOLD_ALL: ("hold", " [all]", "; `all` stops everything in this repository"),
    Action.RELEASE_QUARANTINE: (
        "release",
        " [--quarantine]",
        "; `--quarantine` allows the version that failed again",
    ),
}
"""The forms of a command that take a right of their own: how they are written, what they do."""


def help_text(allowed: Collection[Action]) -> Markdown:
    """What this person may do, and nothing else."""
    rows = [
        (code(_usage(word, allowed), 120), Markdown(_does(word, allowed)))
        for word in DOES
        if Action(word) in allowed
    ]
    if not rows:
        return md("There is nothing that you may do here: it takes the right to read this repository.")
    return paragraphs(
        md("Each command stands alone at the start of a line in a new comment or review."),
        table(("Command", "What it does"), rows),
    )


def _usage(word: str, allowed: Collection[Action]) -> str:
    usage = USAGES[word]
    for action, (of, form, _) in _WIDER.items():
        if of == word and action not in allowed:
            usage = usage.replace(form, "")
    return usage


def _does(word: str, allowed: Collection[Action]) -> str:
    more = "".join(does for action, (of, _, does) in _WIDER.items() if of == word and action in allowed)
    return f"{DOES[word]}{more}."


def explain(promotion: Promotion, gates: Sequence[GateResult]) -> Markdown:
    """Every gate with its reason, then the canary's evidence."""
    parts = [status.short(promotion)]
    if gates:
        parts += [gate_tables.sentence(gates), gate_tables.overview(gates)]
    if promotion.verdict is not None:
        parts.append(canary.verdict(promotion.verdict, promotion.id, above=promotion.reason))
    return paragraphs(*parts)


def mistakes(made: Sequence[Mistake]) -> Markdown:
    """Lines that were meant as commands and are none; nothing was done for them."""
    return lines(*(_mistake(mistake) for mistake in made[:10]), md(""), md("`/help` shows what you may do."))


def _mistake(mistake: Mistake) -> Markdown:
    usage = md(" Usage: {}.", code(mistake.suggestion, 160)) if mistake.suggestion else Markdown("")
    end = Markdown("" if mistake.message.endswith((".", "?", "!")) else ".")
    return md("- {}: {}{}{}", code(mistake.line, 120), text(mistake.message, 300), end, usage)


def refused(reason: str) -> Markdown:
    """A command that this person may not give."""
    return md("Not done: {}.", text(reason.rstrip("."), 400))


def superseded(newer: str, environment: str) -> Markdown:
    """The last word in an open bump that a newer candidate closes."""
    return md(
        "Version {} is proposed for {} now, so this one is closed.", text(newer, 20), text(environment, 60)
    )


def updated(newer: str, environment: str) -> Markdown:
    """A word in an open bump that now brings a newer candidate."""
    return md(
        "Version {} is proposed for {} now: this pull request goes on with it. "
        "What was said before was about the older version.",
        text(newer, 20),
        text(environment, 60),
    )


def quarantined(quarantine: Quarantine, by: str) -> Markdown:
    """Why a version that was asked for again is not proposed."""
    return paragraphs(
        md(
            "Version {} of {} was asked for again in {} ({}), and nothing was opened: it failed here on {}.",
            text(quarantine.version, 20),
            text(quarantine.model, 120),
            text(quarantine.environment, 60),
            text(by, 80),
            numbers.moment(quarantine.since),
        ),
        quoted(quarantine.reason, 600),
        md("`/release --quarantine` with a reason allows it again."),
    )


def retraining(wanted: Retraining) -> Markdown:
    """A new version was asked for, and why."""
    rows = [(code(name, 40), code(value, 300)) for name, value in wanted.evidence.items()]
    return paragraphs(
        md("🔁 **A new version is asked for.** {}", text(wanted.reason, 600)),
        table(("Evidence", ""), rows),
        md(
            "Asked at {}. Nothing changed here: version {} stays.",
            numbers.moment(wanted.asked_at),
            text(wanted.version, 20),
        ),
    )
