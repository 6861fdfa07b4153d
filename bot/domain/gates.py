"""The gates of a promotion: policy + facts → for each gate whether it holds, and why. Pure.

First the built-in gates, in this order, each only where it has something to say; then the team's own
expressions in the order of the policy. Every built-in gate blocks, but `image` for a pin that is a tag.

    policy        the policy could be read
    head          the pull request holds exactly the commit that Slipway made
    hold          nobody stopped automation here
    quarantine    the version has not failed here before
    freeze        no freeze is on, or the override team overrode it
    earlier       the environment before this one verified the version
    soak          it has run there long enough
    image         the image exists and is known by its digest
    approvals     enough of the right people approved exactly this commit
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain import expression
from bot.domain.facts import Facts, for_expressions
from bot.domain.freeze import freeze_on
from bot.domain.gate import Enforce, GateResult, blocking
from bot.domain.policy import BrokenPolicy, Policy
from bot.domain.pull import Permission
from bot.domain.spans import spoken

__all__ = ["Enforce", "GateResult", "blocking", "evaluate", "fill"]


def evaluate(
    policy: Policy, facts: Facts, evaluator: expression.Evaluator = expression.evaluate
) -> tuple[GateResult, ...]:
    """Ask every gate. A gate that cannot be answered does not hold.

    `evaluator` runs the expressions; production passes the one that is limited in time and memory.
    """
    if isinstance(policy, BrokenPolicy):
        return (_no("policy", "; ".join(policy.reasons)),)
    built_in = (_head, _hold, _quarantine, _freeze, _earlier, _soak, _image, _approvals)
    answers = [answer for gate in built_in if (answer := gate(policy, facts)) is not None]
    return (*answers, *_expressions(policy, facts, evaluator))


def _yes(gate: str, reason: str) -> GateResult:
    return GateResult(gate, holds=True, reason=reason)


def _no(gate: str, reason: str) -> GateResult:
    return GateResult(gate, holds=False, reason=reason)


def _wait(gate: str, reason: str, until: datetime | None = None) -> GateResult:
    return GateResult(gate, holds=False, reason=reason, pending=True, until=until)


def _head(_: Policy, facts: Facts) -> GateResult | None:
    pull = facts.pull
    if pull is None:
        return None
    if pull.head_repository not in (None, facts.repository or pull.head_repository):
        return _no("head", f"the branch is in another repository, {pull.head_repository}")
    if pull.head_sha != facts.head_sha:
        made = (facts.head_sha or "none")[:12]
        reason = f"the branch has moved: it ends in {pull.head_sha[:12]}, Slipway made {made}"
        return _no("head", reason)
    return _yes("head", "the pull request holds exactly the commit that Slipway made")


def _hold(_: Policy, facts: Facts) -> GateResult:
    if not facts.holds:
        return _yes("hold", "nobody holds it")
    hold = min(facts.holds, key=lambda hold: hold.since)
    what = "everything" if hold.model is None else "this model here"
    reason = f"{hold.owner} holds {what} since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.reason}"
    others = len(facts.holds) - 1
    return _no("hold", reason + (f" (and {others} more)" if others else ""))


def _quarantine(_: Policy, facts: Facts) -> GateResult:
    quarantine = facts.quarantine
    if quarantine is None:
        return _yes("quarantine", "the version has not failed here")
    where = f", see #{quarantine.pull}" if quarantine.pull else ""
    reason = (
        f"version {quarantine.version} failed here on {quarantine.since:%Y-%m-%d}: {quarantine.reason}{where}"
    )
    return _no("quarantine", reason)


def _freeze(policy: Policy, facts: Facts) -> GateResult | None:
    if not policy.freeze:
        return None
    freeze = freeze_on(policy.freeze, facts.now, facts.calendars)
    if freeze is None:
        return _yes("freeze", "no freeze is on")
    if facts.override:
        return _yes("freeze", f"{facts.override.by} overrides it: {facts.override.reason}; {freeze.reason}")
    if freeze.until is None:
        return _no("freeze", freeze.reason)
    return _wait("freeze", freeze.reason, freeze.until)


def _earlier(_: Policy, facts: Facts) -> GateResult | None:
    earlier = facts.earlier
    if earlier is None:
        return None
    if earlier.verified_at is None:
        because = f": {earlier.reason}" if earlier.reason else ""
        return _wait("earlier", f"{earlier.name} has not verified it{because}")
    return _yes("earlier", f"{earlier.name} verified it on {earlier.verified_at:%Y-%m-%d %H:%M} UTC")


def _soak(policy: Policy, facts: Facts) -> GateResult | None:
    if facts.earlier is None or not policy.soak or facts.earlier.verified_at is None:
        return None
    if (cut := facts.earlier.cut_short(policy.soak)) is not None:
        return _no("soak", cut)
    until = facts.earlier.verified_at + policy.soak
    name = facts.earlier.name
    if facts.now >= until:
        ran = spoken((facts.earlier.left_at or facts.now) - facts.earlier.verified_at)
        return _yes("soak", f"it has run in {name} for {ran}")
    left = spoken(until - facts.now + timedelta(seconds=1))
    reason = f"it must run in {name} for {spoken(policy.soak)}; still {left} to go"
    return _wait("soak", reason, until)


def _image(_: Policy, facts: Facts) -> GateResult | None:
    image = facts.image
    if image is None:
        return None
    if image.by_tag:
        reason = f"`{image.reference}` is pinned by its tag, which may come to mean another image"
        return GateResult("image", holds=False, reason=reason, enforce=Enforce.WARN)
    if image.digest is None:
        return _wait("image", f"`{image.reference}` is not in the registry yet")
    return _yes("image", f"`{image.reference}` is `{image.digest[:19]}…`")


def _approvals(policy: Policy, facts: Facts) -> GateResult | None:
    rule = policy.approvals
    if rule.count == 0:
        return None
    teams = f" from {' or '.join(rule.teams)}" if rule.teams else ""
    needed = f"{rule.count} approval{'' if rule.count == 1 else 's'}{teams}"
    if facts.pull is None:
        return _wait("approvals", f"it needs {needed}")
    counted: dict[str, None] = {}
    not_counted: dict[str, str] = {}
    for approval in facts.approvals:
        who = approval.author.lower()
        if approval.commit != facts.pull.head_sha:
            not_counted[who] = f"{approval.author} approved an older commit"
        elif approval.permission < Permission.WRITE:
            not_counted[who] = f"{approval.author} may not write here"
        elif rule.exclude_author and who in {author.lower() for author in facts.authors}:
            not_counted[who] = f"{approval.author} asked for the promotion"
        elif rule.teams and not set(rule.teams) & approval.teams:
            not_counted[who] = f"{approval.author} is in none of the teams"
        else:
            counted[who] = None
    why = [reason for who, reason in not_counted.items() if who not in counted]
    because = f" (not counted: {'; '.join(why)})" if why else ""
    names = ", ".join(a.author for a in facts.approvals if a.author.lower() in counted)
    if len(counted) >= rule.count:
        return _yes("approvals", f"approved by {names}")
    reason = f"it needs {needed}, {len(counted)} given{because}"
    return _wait("approvals", reason)


def _expressions(policy: Policy, facts: Facts, evaluator: expression.Evaluator) -> list[GateResult]:
    if not policy.gates:
        return []
    values = for_expressions(facts, policy)
    answers = evaluator([gate.expression for gate in policy.gates], values)
    results = []
    for gate, answer in zip(policy.gates, answers, strict=True):
        if answer.error is not None:
            reason = answer.error
        elif answer.holds:
            reason = fill(gate.holds, values) or _in_facts(gate.expression, "is true", values)
        else:
            reason = fill(gate.message, values) or _in_facts(gate.expression, "is false", values)
        results.append(GateResult(gate.id, holds=answer.holds is True, reason=reason, enforce=gate.enforce))
    return results


def _in_facts(rule: str, is_so: str, facts: Mapping[str, object]) -> str:
    """A rule without a sentence of its own: the facts that it names, and the rule."""
    found = {name: _find(name.split("."), facts) for name in expression.named(rule)}
    told = [f"{name} is {_shown(value)}" for name, value in found.items() if _sayable(value)]
    return "; ".join([*told[:_MOST_FACTS], f"`{rule}` {is_so}"])


def _sayable(value: object) -> bool:
    inside = value if isinstance(value, list) else [value]
    return not any(isinstance(item, Mapping) for item in inside)


_MOST_FACTS = 4
_BRACES = re.compile(r"\{[^{}]*\}?")
_PLACE = re.compile(r"\{\s*([a-z_]\w*(?:\.[\w@/-]+)*)\s*(%?)\}")
_LONGEST_VALUE = 200


def fill(template: str, facts: Mapping[str, object]) -> str:
    """A gate's message with `{candidate.metrics.accuracy}` and the like filled in, `{evidence.worst%}` as a
    percentage; what is unknown is "not recorded".

    Only names in the facts are looked up; nothing is called and no attribute of an object is reached.
    """
    return _PLACE.sub(lambda match: _shown(_find(match[1].split("."), facts), match[2]), template)


def check_template(template: str) -> str | None:
    """What is wrong with a gate's message; None where every `{…}` in it is a fact."""
    for braces in _BRACES.findall(template):
        place = _PLACE.fullmatch(braces)
        if place is None:
            return f"`{braces}` is no fact in braces"
        if wrong := expression.unknown(place[1]):
            return wrong
    return None


def _find(path: list[str], facts: object) -> object:
    for key in path:
        facts = facts.get(key) if isinstance(facts, Mapping) else None
    return facts


def _shown(value: object, percent: str = "") -> str:
    match value:
        case None:
            return "not recorded"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value * 100:.4g}%" if percent else f"{value:.4g}"
        case timedelta():
            return spoken(value)
        case list():
            return (", ".join(str(item) for item in value) or "none")[:_LONGEST_VALUE]
    return str(value)[:_LONGEST_VALUE]
