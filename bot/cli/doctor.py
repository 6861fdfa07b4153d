"""`slipway doctor`: every connection and right, and what to do about each."""

from typing import Annotated

import typer

from bot import settings


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at every connection and right at once; exit 1 if anything keeps Slipway from its work."""
    # These take seconds to import, and the other verbs of the command line do without.
    from bot.doctor import report  # noqa: PLC0415
    from bot.doctor.rounds import examine  # noqa: PLC0415
    from bot.domain.finding import Level  # noqa: PLC0415

    colours = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}
    found = examine(settings.load_partly())
    if as_json:
        typer.echo(report.as_json(found))
    else:
        typer.echo(report.text(found, lambda word, level: typer.style(word, fg=colours[level], bold=True)))
    raise typer.Exit(0 if report.healthy(found) else 1)
