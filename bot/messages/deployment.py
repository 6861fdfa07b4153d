"""What the repository's Environments page should say of a promotion: the truth about what runs.

| stage     | the candidate's deployment         | the revert's deployment |
|-----------|------------------------------------|-------------------------|
| syncing   | in progress                        |                         |
| watching  | in progress                        |                         |
| passed    | success                            |                         |
| held      | failure where it never went live or failed, else in progress |
| reverting | failure                            | in progress once merged |
| reverted  | inactive                           | success                 |
| closed    | inactive (a later version took over) |                       |
"""

from dataclasses import dataclass

from bot.domain.promotion import Promotion, Stage
from bot.domain.verdict import Outcome
from bot.messages.escape import quiet

_LONGEST = 140


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment with its state; `description` is plain text of at most 140 characters."""

    sha: str
    state: str
    description: str


def environment(promotion: Promotion) -> str:
    """Several models share a repository, and each has its own production."""
    return f"{promotion.model} {promotion.environment}"


def deployments(promotion: Promotion) -> tuple[Deployed, ...]:
    """The deployments that a promotion accounts for, the one that runs last."""
    state = _candidate(promotion)
    if state is None or promotion.merge_sha is None:
        return ()
    said = quiet(f"Version {promotion.candidate}: {promotion.reason}", _LONGEST)
    candidate = Deployed(promotion.merge_sha, state, said)
    back = _revert(promotion)
    return (candidate,) if back is None else (candidate, back)


def _candidate(promotion: Promotion) -> str | None:
    match promotion.stage:
        case Stage.SYNCING | Stage.WATCHING:
            return "in_progress"
        case Stage.PASSED:
            return "success"
        case Stage.HELD:
            return "failure" if _broken(promotion) else "in_progress"
        case Stage.REVERTING:
            return "failure"
        case Stage.REVERTED | Stage.CLOSED:
            return "inactive"
        case _:
            return None


def _broken(promotion: Promotion) -> bool:
    failed = promotion.verdict is not None and promotion.verdict.outcome is Outcome.FAILED
    return promotion.live_at is None or promotion.revert_reason is not None or failed


def _revert(promotion: Promotion) -> Deployed | None:
    states = {Stage.REVERTING: "in_progress", Stage.REVERTED: "success"}
    state = states.get(promotion.stage)
    if promotion.revert_merge_sha is None or state is None:
        return None
    before = f"Version {quiet(promotion.baseline, 20)}" if promotion.baseline else "What ran before"
    return Deployed(promotion.revert_merge_sha, state, f"{before} again")
