"""What `decide` asks for (imperative) and what became of it (past tense).

Every effect is find-or-create or last-write-wins, so that a crash between performing one and saving
the promotion costs nothing but doing it again. Only effects whose result the next decision needs have
an outcome; of the others the world itself is observed again.
"""

from dataclasses import dataclass

from bot.domain.build import BuildOrder
from bot.domain.checks import CheckResult
from bot.domain.promotion import PinChange
from bot.domain.pull import Pull
from bot.domain.situation import BumpPlan
from bot.domain.verdict import Verdict

# -- imperative ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenBump:
    """Make the bump's branch hold one commit with this plan's files, and a pull request for it."""

    plan: BumpPlan


@dataclass(frozen=True, slots=True)
class BuildImage:
    """Have the version's image built; whoever waits for it is woken when it is there or failed."""

    order: BuildOrder


@dataclass(frozen=True, slots=True)
class MergePull:
    """Merge exactly this commit of a pull request: the bump's, the revert's, or a traffic step's, which
    has a `weight`.
    """

    number: int
    sha: str
    revert: bool = False
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class ClosePull:
    """Close a pull request of ours and delete its branch."""

    number: int
    branch: str


@dataclass(frozen=True, slots=True)
class AbandonBump:
    """Close what a bump that never counted as open may have left in the forge: a process was killed between
    opening the pull request and remembering it, or a newer candidate was to go on in it and cannot.
    """


@dataclass(frozen=True, slots=True)
class TellSuperseded:
    """Say in the older bump's pull request, once, that a newer version takes its place, or goes on in it."""

    number: int
    newer: str
    updated: bool = False


@dataclass(frozen=True, slots=True)
class WakePlace:
    """Have the other promotions of this place looked at."""


@dataclass(frozen=True, slots=True)
class OpenStep:
    """Open the pull request that gives the candidate this share of the traffic, in percent."""

    weight: int


@dataclass(frozen=True, slots=True)
class OpenRevert:
    """Open the pull request that restores the baseline's pins on today's default branch."""


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Stop automation for the model in the environment, or for everything in the repository."""

    owner: str
    reason: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Let automation go on."""

    owner: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineVersion:
    """Never propose this version in this environment again, unless a person says so."""

    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class LiftQuarantine:
    """A person said so."""

    version: str
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProposeNext:
    """Begin the promotion of the same version into the next environment."""

    environment: str
    requested_by: str


@dataclass(frozen=True, slots=True)
class RunChecks:
    """Ask these checks of the environment once."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForgetCanary:
    """Drop the stored watch so that it begins anew. Its `verdict` is kept with what replays it."""

    verdict: Verdict | None = None


class Tone:
    """The reaction beside an answer."""

    YES = "rocket"
    NO = "-1"


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer one request: the reaction on its comment, and a comment that is edited in place."""

    request: int
    reaction: str
    text: str
    topic: str | None = None
    """`help`, `status` or `explain` where the executor renders the text from all facts."""


Effect = (
    OpenBump
    | BuildImage
    | MergePull
    | ClosePull
    | AbandonBump
    | TellSuperseded
    | WakePlace
    | OpenStep
    | OpenRevert
    | PlaceHold
    | ReleaseHold
    | QuarantineVersion
    | LiftQuarantine
    | ProposeNext
    | RunChecks
    | ForgetCanary
    | Answer
)

# -- past tense ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BumpOpened:
    """The bump pull request exists with exactly our commit at its head."""

    pull: Pull
    plan: BumpPlan


@dataclass(frozen=True, slots=True)
class Merged:
    """The forge merged our commit."""

    sha: str
    revert: bool = False
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class MergeRefused:
    """The forge would not merge, and said why."""

    reason: str
    head_moved: bool = False
    revert: bool = False
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class StepOpened:
    """The step's pull request exists with exactly our commit at its head."""

    pull: Pull
    weight: int
    changes: tuple[PinChange, ...]


@dataclass(frozen=True, slots=True)
class StepMade:
    """The default branch gives the candidate this share already."""

    sha: str
    weight: int
    changes: tuple[PinChange, ...] = ()


@dataclass(frozen=True, slots=True)
class StepImpossible:
    """The weights cannot be written; a person must look."""

    reason: str
    weight: int


@dataclass(frozen=True, slots=True)
class Checked:
    """How the checks went that were asked."""

    results: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class RevertOpened:
    """The revert pull request exists with exactly our commit at its head."""

    pull: Pull


@dataclass(frozen=True, slots=True)
class NothingToRevert:
    """The default branch pins the baseline already."""

    sha: str


@dataclass(frozen=True, slots=True)
class RevertImpossible:
    """The pins are no longer what the candidate's bump left; a person must look."""

    reason: str


Outcome = (
    BumpOpened
    | Merged
    | MergeRefused
    | StepOpened
    | StepMade
    | StepImpossible
    | Checked
    | RevertOpened
    | NothingToRevert
    | RevertImpossible
)
