"""What `slipway policy` prints: gates with their reasons, what is wrong with policies, why it cannot tell."""

from collections.abc import Sequence

import typer

from bot.adapters import shipped
from bot.cli.checkout import Checkout
from bot.cli.mistakes import Format, render
from bot.domain.gate import GateResult
from bot.domain.policies import Policies, resolve
from bot.domain.policy_case import Expected


def policies_of(checkout: Checkout) -> Policies:
    """The policies of a checkout and those that Slipway ships; what is wrong with them is told."""
    policies = resolve(checkout.policies(), shipped.policies())
    if policies.mistakes:
        typer.echo(render(policies.mistakes, Format.TEXT, checkout.read), err=True)
    return policies


def tell_gates(gates: Sequence[GateResult]) -> None:
    """One line for each gate."""
    width = max((len(gate.id) for gate in gates), default=0)
    for gate in gates:
        typer.echo(f"  {Expected.of(gate):5} {gate.id:{width}}  {printable(gate.reason)}")


def printable(text: str) -> str:
    """Text of a registry never steers the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def refused(message: str) -> typer.Exit:
    """To be raised: what was asked cannot be done, and why."""
    typer.echo(message, err=True)
    return typer.Exit(1)
