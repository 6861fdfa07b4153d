"""The command line."""

from typing import Annotated

import typer

from bot import __version__
from bot.cli.backtest import backtest
from bot.cli.bump import bump
from bot.cli.check import check
from bot.cli.doctor import doctor
from bot.cli.policy import policy
from bot.cli.replay import replay
from bot.cli.sandbox import sandbox
from bot.cli.schema import schema
from bot.cli.serve import serve
from bot.cli.setup import setup

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(check)
app.command()(bump)
app.command()(schema)
app.add_typer(policy, name="policy")
app.command()(backtest)
app.command()(replay)
app.command()(sandbox)
app.command()(serve)
app.command()(setup)
app.command()(doctor)


def _tell_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"slipway {__version__}")
        raise typer.Exit


@app.callback()
def slipway(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda wanted: _tell_version(wanted=wanted), is_eager=True)
    ] = False,
) -> None:
    """Machine-learning models from an MLflow registry to production, and back, through pull requests."""


def main() -> None:
    """Run `slipway`."""
    app()
