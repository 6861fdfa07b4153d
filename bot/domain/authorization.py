"""Who may do what: the one function that every way in asks (comment, review, what a listing found that no
webhook told, the re-run button).

It decides from facts alone. The caller reads them live for each action: the person's right in the repository
and the teams that the rule names. What was edited and what is said under a fork's pull request never gets
here: neither is heard (`bot.jobs.hear`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain import commands
from bot.domain.pull import Permission


class Action(StrEnum):
    """What may be allowed or denied; policies name them so."""

    HELP = "help"
    STATUS = "status"
    EXPLAIN = "explain"
    PROMOTE = "promote"
    OVERRIDE = "override"
    ROLLBACK = "rollback"
    HOLD = "hold"
    HOLD_ALL = "hold_all"
    RELEASE = "release"
    RELEASE_QUARANTINE = "release_quarantine"
    RETRY = "retry"
    CANARY = "canary"


def action_of(command: commands.Command) -> Action:
    """The action that a command asks for; the wider forms of a command are actions of their own."""
    match command:
        case commands.Promote(override=str()):
            return Action.OVERRIDE
        case commands.PutOnHold(everything=True):
            return Action.HOLD_ALL
        case commands.Release(quarantine=True):
            return Action.RELEASE_QUARANTINE
        case commands.Rerun(check="canary"):
            return Action.RETRY
        case commands.Rerun():
            return Action.STATUS  # gates are looked at again, as for anybody who asks
        case _:
            return Action(command.word)


def written(action: Action) -> str:
    """An action as the command that asks for it."""
    return _WIDER.get(action, f"/{action}")


_WIDER: Mapping[Action, str] = {
    Action.OVERRIDE: "/promote --override",
    Action.HOLD_ALL: "/hold all",
    Action.RELEASE_QUARANTINE: "/release --quarantine",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What an action takes: at least this right and, where teams are named, membership in one of them.

    `teams` are slugs in the repository's organisation. Without `own`, whoever asked for the promotion leaves
    the action to somebody else.
    """

    permission: Permission = Permission.WRITE
    teams: frozenset[str] = frozenset()
    own: bool = True


DEFAULT_RULES: Mapping[Action, Rule] = {
    Action.HELP: Rule(Permission.READ),
    Action.STATUS: Rule(Permission.READ),
    Action.EXPLAIN: Rule(Permission.READ),
    Action.PROMOTE: Rule(Permission.WRITE),
    Action.ROLLBACK: Rule(Permission.WRITE),
    Action.HOLD: Rule(Permission.WRITE),
    Action.HOLD_ALL: Rule(Permission.MAINTAIN),
    Action.RELEASE: Rule(Permission.WRITE),
    Action.RELEASE_QUARANTINE: Rule(Permission.MAINTAIN),
    Action.RETRY: Rule(Permission.WRITE),
    Action.CANARY: Rule(Permission.WRITE),
}
"""What holds where the policy states nothing. An override is for those only whom a policy names."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and how, as read just now.

    `teams`: those of the rule's teams that the person is in. `is_author`: asked for the promotion.
    """

    login: str
    permission: Permission
    teams: frozenset[str] = frozenset()
    is_author: bool = False

    @property
    def is_bot(self) -> bool:
        """GitHub gives every App's login this end, and none to a person."""
        return self.login.endswith("[bot]")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The action may be done."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The action may not be done; `reason` is for the person who asked."""

    reason: str


def authorize(action: Action, actor: Actor, rule: Rule) -> Allowed | Denied:
    """Whether this actor may do this here. Pure: the same facts, the same answer."""
    if actor.is_bot:
        return Denied("commands are taken from people only")
    # Even a rule that asks for no right at all does not let strangers in.
    needed = max(rule.permission, Permission.READ)
    if actor.permission < needed:
        return Denied(
            f"`{written(action)}` needs the right to {needed.name.lower()} in this repository;"
            f" yours is {actor.permission.name.lower()}"
        )
    if rule.teams and not rule.teams & actor.teams:
        teams = ", ".join(f"`{team}`" for team in sorted(rule.teams))
        return Denied(f"`{written(action)}` is for members of {teams}")
    if actor.is_author and not rule.own:
        return Denied(f"whoever asked for a promotion leaves `{written(action)}` to somebody else")
    return Allowed()
