"""Who may do what, as one table of facts."""

from datetime import timedelta

import pytest

from bot.domain import commands
from bot.domain.authorization import (
    DEFAULT_RULES,
    Action,
    Actor,
    Allowed,
    Denied,
    Rule,
    action_of,
    authorize,
)
from bot.domain.pull import Permission

READERS = {Action.HELP, Action.STATUS, Action.EXPLAIN}
MAINTAINERS = {Action.HOLD_ALL, Action.RELEASE_QUARANTINE}


@pytest.mark.parametrize("action", DEFAULT_RULES)
@pytest.mark.parametrize("permission", Permission)
def test_the_default_rules_ask_for_the_right_that_fits(action, permission):
    """Looking takes read, changing takes write, going around a safeguard takes maintain."""
    needed = (
        Permission.READ
        if action in READERS
        else Permission.MAINTAIN
        if action in MAINTAINERS
        else Permission.WRITE
    )

    answer = authorize(action, Actor("alice", permission), DEFAULT_RULES[action])

    assert isinstance(answer, Allowed) == (permission >= needed)


def test_a_denial_says_what_is_needed_and_what_is_there():
    """The person reads what to ask for."""
    expected = Denied("`/promote` needs the right to write in this repository; yours is read")

    assert expected == authorize(Action.PROMOTE, Actor("alice", Permission.READ), Rule())


@pytest.mark.parametrize("action", Action)
def test_bots_give_no_commands(action):
    """Not even with every right, not even to look; every way in comes to this answer."""
    answer = authorize(action, Actor("helper[bot]", Permission.ADMIN), Rule(Permission.READ))

    assert answer == Denied("commands are taken from people only")


def test_a_team_is_asked_for_beside_the_right():
    """Where teams are named, one of them is needed, and it does not replace the right."""
    rule = Rule(Permission.WRITE, teams=frozenset({"ml-leads", "sre"}))
    inside = frozenset({"sre"})

    assert authorize(Action.PROMOTE, Actor("a", Permission.ADMIN), rule) == Denied(
        "`/promote` is for members of `ml-leads`, `sre`"
    )
    assert authorize(Action.PROMOTE, Actor("a", Permission.WRITE, teams=inside), rule) == Allowed()
    assert isinstance(authorize(Action.PROMOTE, Actor("a", Permission.READ, teams=inside), rule), Denied)


def test_a_rule_that_asks_for_nothing_still_keeps_strangers_out():
    """A policy cannot open an action to people without any right."""
    stranger = Actor("mallory", Permission.NONE)

    assert isinstance(authorize(Action.HELP, stranger, Rule(Permission.NONE)), Denied)


@pytest.mark.parametrize(
    ("command", "action"),
    [
        (commands.Promote(), Action.PROMOTE),
        (commands.Promote(override="why"), Action.OVERRIDE),
        (commands.Promote(override=""), Action.OVERRIDE),
        (commands.Rollback(), Action.ROLLBACK),
        (commands.PutOnHold(), Action.HOLD),
        (commands.PutOnHold(everything=True), Action.HOLD_ALL),
        (commands.Release(), Action.RELEASE),
        (commands.Release(quarantine=True), Action.RELEASE_QUARANTINE),
        (commands.ExtendCanary(timedelta(minutes=1)), Action.CANARY),
        (commands.PassCanary(), Action.CANARY),
        (commands.FailCanary(), Action.CANARY),
        (commands.Retry(), Action.RETRY),
        (commands.ShowStatus(), Action.STATUS),
        (commands.Explain(), Action.EXPLAIN),
        (commands.ShowHelp(), Action.HELP),
    ],
)
def test_every_command_has_its_action(command, action):
    """The wider forms of a command are actions of their own."""
    assert action_of(command) is action
