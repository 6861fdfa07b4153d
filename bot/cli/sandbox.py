"""`slipway sandbox`: the whole world on one machine, and the story that is played on it."""

from pathlib import Path
from typing import Annotated

import typer


def sandbox(
    *,
    once: Annotated[
        bool,
        typer.Option("--once", help="Play the story, end everything; exit 1 unless all of it was observed."),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what was expected and observed to this file, as JSON.")
    ] = None,
    directory: Annotated[
        Path, typer.Option(help="Where everything keeps its data; emptied at the start.")
    ] = Path(".slipway/sandbox"),
) -> None:
    """Run everything on this machine and show a promotion, a failure and a revert on real parts."""
    try:
        from bot.sandbox.play import play  # noqa: PLC0415 - its libraries are an extra
    except ImportError as error:
        typer.echo(f"{error.name} is missing: install slipway-bot[sandbox]", err=True)
        raise typer.Exit(2) from error
    if not play(directory, report, once=once):
        raise typer.Exit(1)
