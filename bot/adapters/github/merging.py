"""Merging exactly one commit, and saying why not in words that help."""

from collections.abc import Mapping

from bot.adapters.github import records
from bot.adapters.github.errors import SYSTEM
from bot.adapters.github.explaining import missing
from bot.adapters.github.place import Place
from bot.domain.pull import Pull, PullState
from bot.ports import Conflict, Forbidden, NotFound, Refused, Unavailable

METHODS = ("merge", "squash", "rebase")
"""In the order tried: a merge commit keeps the reviewed commit as it is."""
EXPLANATIONS: Mapping[str, str] = {
    "dirty": "it conflicts with the branch it should go into; Slipway makes it anew by itself",
    "blocked": "a protection rule of the branch is not met: a review, a check or a right is missing",
    "behind": "the branch must first be brought up to date",
    "draft": "it is a draft",
    "unstable": "a required check has not passed",
    "unknown": "whether it can be merged is still being worked out",
}
HAS_RULES = frozenset({"blocked", "behind", "unstable"})
"""States of a pull request that rules of its base branch bring about."""
MOVED = "base branch was modified"
NOT_THIS_WAY = "not allowed"


def merge(place: Place, number: int, *, sha: str, title: str, message: str) -> str:
    """Merge `sha`; the commit that is then on the base branch. What was merged before stays merged."""
    url = place.url("pulls", number, "merge")
    refusal: Refused | None = None
    for method in METHODS:
        body = {"sha": sha, "merge_method": method, "commit_title": title, "commit_message": message}
        try:
            return str(place.client.put(url, body)["sha"])
        except (NotFound, Forbidden, Conflict) as error:
            refusal = error
            break
        except Refused as error:
            refusal = error
            if NOT_THIS_WAY not in error.message.lower() or method not in error.message.lower():
                break
    assert refusal is not None, "every method was refused"
    return _why_not(place, number, sha, refusal)


def _why_not(place: Place, number: int, sha: str, refusal: Refused) -> str:
    """The merge commit where it turns out to be merged; else raise what explains the refusal."""
    if isinstance(refusal, NotFound):
        raise refusal
    data = place.client.get(place.url("pulls", number))
    pull: Pull = records.pull(data)
    if pull.head_sha != sha:
        raise Conflict(SYSTEM, f"the head of #{number} is {pull.head_sha[:7]}, not {sha[:7]}")
    if pull.state is PullState.MERGED and pull.merge_sha is not None:
        return pull.merge_sha
    if pull.state is PullState.CLOSED:
        raise Refused(SYSTEM, f"#{number} is closed")
    if MOVED in refusal.message.lower():
        raise Unavailable(SYSTEM, refusal.message, retry_after=1)
    if isinstance(refusal, Conflict) and data.get("mergeable") is not False:
        # The head is ours as far as can be seen: one of the two answers is old.
        raise Unavailable(SYSTEM, refusal.message, retry_after=2)
    if data.get("mergeable_state") == "unknown" or data.get("mergeable", False) is None:
        raise Unavailable(SYSTEM, EXPLANATIONS["unknown"], retry_after=2)
    state = "draft" if pull.draft else str(data.get("mergeable_state"))
    lacking = missing(place, data) if state in HAS_RULES else ()
    if lacking:
        raise type(refusal)(SYSTEM, f"{refusal.message.rstrip('.')}. Missing: {'; '.join(lacking)}.")
    explained = EXPLANATIONS.get(state)
    sentence = refusal.message if explained is None else f"{refusal.message} ({explained})"
    raise type(refusal)(SYSTEM, sentence)
