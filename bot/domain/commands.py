"""What people ask of Slipway in a comment: text in, commands and mistakes out.

A command stands alone on a line, at its very start, where the comment is read as Markdown: in a paragraph
of the comment itself, not in a quote, a list, a table, code, a link or an HTML comment, and not escaped.

    command  = "/promote" [ "--override" quoted ]
             | "/rollback" [ reason ]
             | "/hold" [ "all" ] [ reason ]
             | "/release" [ "--quarantine" ] [ reason ]
             | "/canary" ( "extend" duration | ( "pass" | "fail" ) [ reason ] )
             | "/retry" | "/status" | "/explain" | "/help"
    quoted   = '"' text '"'              curly quotes and one long dash for "--" too, as phones write them
    reason   = the rest of the line, at most 500 characters
    duration = "30m", "1h30m", …         at most 7 days

Anything else after a command is a mistake and does nothing: "/promote is not what I want" must not promote.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from bot.domain.command_lines import lines_that_speak
from bot.domain.units import parse_duration

MAX_REASON = 500
MAX_COMMANDS = 10
LONGEST_EXTENSION = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Promote:
    """Move one step forward; `override` is why the gates that do not hold are passed over."""

    word: ClassVar[str] = "promote"
    override: str | None = None


@dataclass(frozen=True, slots=True)
class Rollback:
    """Move one step back."""

    word: ClassVar[str] = "rollback"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PutOnHold:
    """Stop automation for this model here, or for everything."""

    word: ClassVar[str] = "hold"
    everything: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Let automation go on; `quarantine`: the version that failed may be proposed again too."""

    word: ClassVar[str] = "release"
    quarantine: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExtendCanary:
    """Watch the candidate this much longer."""

    word: ClassVar[str] = "canary"
    by: timedelta


@dataclass(frozen=True, slots=True)
class PassCanary:
    """End the watch: a person vouches for the candidate."""

    word: ClassVar[str] = "canary"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FailCanary:
    """End the watch: a person has seen the candidate fail."""

    word: ClassVar[str] = "canary"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again what failed for a reason outside."""

    word: ClassVar[str] = "retry"


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """Say where the promotion is."""

    word: ClassVar[str] = "status"


@dataclass(frozen=True, slots=True)
class Explain:
    """Say why each gate holds or does not, and what the canary saw."""

    word: ClassVar[str] = "explain"


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """Say which commands this person may give here."""

    word: ClassVar[str] = "help"


@dataclass(frozen=True, slots=True)
class Rerun:
    """The re-run button of one of Slipway's check runs: not written, pressed."""

    word: ClassVar[str] = "re-run"
    check: str


Command = (
    Promote
    | Rollback
    | PutOnHold
    | Release
    | ExtendCanary
    | PassCanary
    | FailCanary
    | Retry
    | ShowStatus
    | Explain
    | ShowHelp
    | Rerun
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that was meant as a command and is none. `line` is hostile text, `message` is ours."""

    line: str
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedComment:
    """All that one comment asks for, in its order."""

    commands: tuple[Command, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


class _Wrong(Exception):
    """What follows a command's word is not what it takes."""


def parse(body: str) -> ParsedComment:
    """Read a comment or the body of a review. Never raises."""
    commands: list[Command] = []
    mistakes: list[Mistake] = []
    for line in lines_that_speak(body):
        said = _read(line)
        if said is not None and len(commands) + len(mistakes) == MAX_COMMANDS:
            mistakes.append(
                Mistake(line, f"one comment may hold {MAX_COMMANDS} commands; the rest is not read")
            )
            break
        if isinstance(said, Mistake):
            mistakes.append(said)
        elif said is not None:
            commands.append(said)
    return ParsedComment(tuple(commands), tuple(mistakes))


def _read(line: str) -> Command | Mistake | None:
    """A command, a mistake, or None for a line that speaks to somebody else."""
    matched = re.fullmatch(r"/([A-Za-z][A-Za-z-]*)(?P<more>.*)", line.rstrip())
    if matched is None:
        return None
    word, more = matched[1].lower(), matched["more"]
    if word in _READERS and (not more or more[0].isspace()):
        try:
            return _READERS[word](" ".join(more.split()))
        except _Wrong as wrong:
            return Mistake(line, str(wrong), suggestion=USAGES[word])
    if re.match(r"[.,:;!?]*(?:\s|$)", more) is None:
        return None  # a path, an address, a word of another language
    near = difflib.get_close_matches(word, _READERS, n=1, cutoff=0.7)
    if not near:
        return None  # another bot's command
    return Mistake(line, f"there is no such command; did you mean `/{near[0]}`?", suggestion=USAGES[near[0]])


def _alone(command: Command) -> Callable[[str], Command]:
    def read(rest: str) -> Command:
        if rest:
            raise _Wrong(f"`/{command.word}` takes nothing after it, so nothing was done")
        return command

    return read


def _promote(rest: str) -> Command:
    if not rest:
        return Promote()
    matched = re.fullmatch(r"(?:--|—|–)override(?:\s+[\"“”„](?P<reason>[^\"“”„]*)[\"“”])?", rest)
    if matched is None:
        raise _Wrong('after `/promote` only `--override "reason"` may follow, so nothing was done')
    reason = _reason((matched["reason"] or "").strip())
    if not reason:
        raise _Wrong("an override needs its reason in quotes, so nothing was done")
    return Promote(override=reason)


def _hold(rest: str) -> Command:
    first, _, more = rest.partition(" ")
    if first.lower() == "all":
        return PutOnHold(everything=True, reason=_reason(more))
    return PutOnHold(reason=_reason(rest))


def _release(rest: str) -> Command:
    matched = re.fullmatch(r"(?P<flag>(?:--|—|–)quarantine\b)?\s*(?P<reason>.*)", rest)
    assert matched is not None, "every text matches"
    if matched["reason"].startswith(("-", "—", "–")):
        raise _Wrong("after `/release` only `--quarantine` and a reason may follow, so nothing was done")
    return Release(quarantine=matched["flag"] is not None, reason=_reason(matched["reason"]))


def _canary(rest: str) -> Command:
    first, _, more = rest.partition(" ")
    match first.lower():
        case "pass":
            return PassCanary(_reason(more))
        case "fail":
            return FailCanary(_reason(more))
        case "extend":
            return ExtendCanary(_extension(more))
        case _:
            raise _Wrong("`/canary` needs `extend`, `pass` or `fail` after it, so nothing was done")


def _extension(text: str) -> timedelta:
    try:
        by = parse_duration(text)
    except ValueError:
        raise _Wrong("the extension must be a duration like `30m` or `1h30m`, so nothing was done") from None
    if not timedelta(0) < by <= LONGEST_EXTENSION:
        raise _Wrong("a canary is extended by at most 7 days at a time, so nothing was done")
    return by


def _reason(text: str) -> str:
    if len(text) > MAX_REASON:
        raise _Wrong(f"a reason has at most {MAX_REASON} characters, so nothing was done")
    return text


USAGES: Mapping[str, str] = {
    "promote": '/promote [--override "reason"]',
    "rollback": "/rollback [reason]",
    "hold": "/hold [all] [reason]",
    "release": "/release [--quarantine] [reason]",
    "canary": "/canary extend 30m | pass [reason] | fail [reason]",
    "retry": "/retry",
    "status": "/status",
    "explain": "/explain",
    "help": "/help",
}
"""How each command is written, in the order that `/help` shows them."""

_READERS: Mapping[str, Callable[[str], Command]] = {
    "promote": _promote,
    "rollback": lambda rest: Rollback(_reason(rest)),
    "hold": _hold,
    "release": _release,
    "canary": _canary,
    "retry": _alone(Retry()),
    "status": _alone(ShowStatus()),
    "explain": _alone(Explain()),
    "help": _alone(ShowHelp()),
}
