"""The one place where a person's right is asked for, live, whatever way the word came in."""

from collections.abc import Collection

from bot.domain.authorization import (
    DEFAULT_RULES,
    Action,
    Actor,
    Allowed,
    Denied,
    Rule,
    authorize,
)
from bot.domain.policy import Policy
from bot.domain.promotion import Promotion
from bot.ports import Forge


def permitted(
    forge: Forge, policy: Policy, promotion: Promotion, author: str, action: Action
) -> Allowed | Denied:
    """Whether this person may do this to this promotion now. Raises OutsideError when GitHub is away."""
    rule = _rule(policy, action)
    if rule is None:
        return Denied("the policy names nobody who may override (`commands: {override: …}`)")
    return authorize(action, _actor(forge, promotion, author, rule.teams), rule)


def allowed(forge: Forge, policy: Policy, promotion: Promotion, author: str) -> frozenset[Action]:
    """All that this person may do to this promotion now. Raises OutsideError when GitHub is away."""
    rules = {action: rule for action in Action if (rule := _rule(policy, action)) is not None}
    actor = _actor(forge, promotion, author, {team for rule in rules.values() for team in rule.teams})
    return frozenset(
        action for action, rule in rules.items() if isinstance(authorize(action, actor, rule), Allowed)
    )


def _actor(forge: Forge, promotion: Promotion, author: str, teams: Collection[str]) -> Actor:
    return Actor(
        login=author,
        permission=forge.permission(author),
        teams=frozenset(team for team in sorted(teams) if forge.in_team(team, author)),
        is_author=author.lower() == promotion.requested_by.lower(),
    )


def _rule(policy: Policy, action: Action) -> Rule | None:
    """The policy's rule for an action, else the rule that holds everywhere; None: nobody may."""
    stated = {str(command): right for command, right in policy.commands.items()}.get(action.value)
    if stated is not None:
        return Rule(stated.permission, frozenset(stated.teams), own=stated.own)
    return DEFAULT_RULES.get(action)
