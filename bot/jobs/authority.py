"""The one place where a person's right is asked for, live, whatever way the word came in."""

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
    rule = rule_of(policy, action)
    actor = Actor(
        login=author,
        permission=forge.permission(author),
        teams=frozenset(team for team in rule.teams if forge.in_team(team, author)),
        is_author=author == promotion.requested_by,
    )
    return authorize(action, actor, rule)


def rule_of(policy: Policy, action: Action) -> Rule:
    """The policy's rule for an action, else the rule that holds everywhere."""
    stated = {str(command): right for command, right in policy.commands.items()}.get(action.value)
    if stated is None:
        return DEFAULT_RULES[action]
    return Rule(permission=stated.permission, teams=frozenset(stated.teams))
