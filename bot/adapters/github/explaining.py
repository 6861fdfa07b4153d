"""What GitHub's rules still ask of a pull request that it will not merge: who, which check, what to do.

GitHub's own sentence names one thing at a time. An App may read the rules of rulesets and the names of
required checks; how many reviews a classic protection asks for is shown to administrators only, but
whether reviews are missing is shown to everybody. What cannot be read is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bot.adapters.github.place import Place
from bot.ports import OutsideError

_GOOD = frozenset({"success", "neutral", "skipped"})
_DECISION = """
query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewDecision } }
}
"""
_OTHERS: Mapping[str, str] = {
    "merge_queue": "`{branch}` has a merge queue: put it in there by hand, Slipway goes on from the merge",
    "update": "only some may change `{branch}`: let Slipway's App bypass that rule",
    "required_signatures": "every commit must be signed",
    "required_linear_history": "merge commits are forbidden: allow squashing or rebasing",
    "required_deployments": "a deployment must have succeeded first",
    "workflows": "a required workflow must have succeeded",
    "code_scanning": "code scanning must have succeeded",
}
"""Rules that may be in the way, told where nothing better is known."""

Json = Mapping[str, Any]
Rules = Mapping[str, tuple[Json, ...]]
"""The parameters of every active rule of each type."""


def missing(place: Place, pull: Json) -> tuple[str, ...]:
    """Sentences without their full stop; `pull` is the pull request as GitHub shows it on its own."""
    branch = str(pull["base"]["ref"])
    rules = _rules(place, branch)
    found = [*_reviews(place, pull, rules), *_checks(place, branch, pull["head"]["sha"], rules)]
    if pull.get("mergeable_state") == "behind":
        found.append(f"`{branch}` has moved on: `/retry` makes this bump anew on top of it")
    return tuple(found or (said.format(branch=branch) for kind, said in _OTHERS.items() if kind in rules))


def _rules(place: Place, branch: str) -> Rules:
    found: dict[str, tuple[Json, ...]] = {}
    for rule in _asked(lambda: list(place.client.pages(place.url("rules", "branches", branch))), []):
        found[rule["type"]] = (*found.get(rule["type"], ()), rule.get("parameters") or {})
    return found


def _reviews(place: Place, pull: Json, rules: Rules) -> Iterator[str]:
    asked_for = rules.get("pull_request", ())
    variables = {"owner": place.owner, "name": place.name, "number": pull["number"]}
    match _asked(lambda: _decision(place, variables), None):
        case "CHANGES_REQUESTED":
            who = _listed(_asked(lambda: _objecting(place, pull["number"]), []))
            yield f"changes were requested{f' by {who}' if who else ''}: they approve, or dismiss the review"
        case "REVIEW_REQUIRED":
            count = max((rule.get("required_approving_review_count") or 1 for rule in asked_for), default=1)
            needed = "an approving review" if count == 1 else f"{count} approving reviews"
            owners = any(rule.get("require_code_owner_review") for rule in asked_for)
            asked = _listed(_requested(pull))
            yield (
                f"{needed} by people who may write here"
                f"{', a code owner of the changed files among them' if owners else ''}"
                f"{f' (asked: {asked})' if asked else ''}"
            )
    if any(rule.get("required_review_thread_resolution") for rule in asked_for):
        yield "every conversation must be resolved"


def _decision(place: Place, variables: Json) -> Any:
    if not place.client.has_graphql:
        return None
    return place.client.graphql(_DECISION, variables)["repository"]["pullRequest"]["reviewDecision"]


def _objecting(place: Place, number: int) -> list[str]:
    """Whose last word is that changes are needed."""
    last: dict[str, str] = {}
    for review in place.client.pages(place.url("pulls", number, "reviews")):
        if review["state"] not in {"COMMENTED", "PENDING"}:
            last[(review.get("user") or {}).get("login", "")] = review["state"]
    return [login for login, state in last.items() if login and state == "CHANGES_REQUESTED"]


def _requested(pull: Json) -> list[str]:
    people = [person["login"] for person in pull.get("requested_reviewers") or ()]
    return [*people, *(team["slug"] for team in pull.get("requested_teams") or ())]


def _checks(place: Place, branch: str, sha: str, rules: Rules) -> Iterator[str]:
    required = dict.fromkeys([*_of_rulesets(rules), *_asked(lambda: _classic(place, branch), [])])
    if not required:
        return
    results = _asked(lambda: _results(place, sha), {})
    for name in required:
        said = results.get(name)
        if said is None:
            yield f"the required check `{name}` has not reported on this commit"
        elif said not in _GOOD:
            yield f"the required check `{name}` " + ("still runs" if said == "" else f"ended with {said}")


def _of_rulesets(rules: Rules) -> Iterator[str]:
    for rule in rules.get("required_status_checks", ()):
        for check in rule.get("required_status_checks") or ():
            yield str(check["context"])


def _classic(place: Place, branch: str) -> list[str]:
    protection = place.client.get(place.url("branches", branch)).get("protection") or {}
    return [str(name) for name in (protection.get("required_status_checks") or {}).get("contexts") or ()]


def _results(place: Place, sha: str) -> dict[str, str]:
    """Name → conclusion of each check and status of a commit; empty while it runs."""
    runs = place.client.pages(place.url("commits", sha, "check-runs"), within="check_runs")
    found = {str(run["name"]): str(run.get("conclusion") or "") for run in runs}
    # A right of its own, which the App does not ask for; public repositories answer all the same.
    told = _asked(lambda: place.client.get(place.url("commits", sha, "status"))["statuses"], [])
    found |= {str(each["context"]): str(each["state"]).replace("pending", "") for each in told}
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:10])


def _asked(ask: Callable[[], Any], otherwise: Any) -> Any:
    """An explanation that cannot be had is no reason to fail: the refusal itself is what counts."""
    try:
        return ask()
    except OutsideError:
        return otherwise
