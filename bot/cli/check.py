"""`slipway check`: every mistake of a repository's configuration."""

from pathlib import Path
from typing import Annotated

import typer

from bot.adapters import shipped
from bot.cli.checkout import Checkout
from bot.cli.mistakes import Format, render
from bot.domain.config import FILE
from bot.manifests.check import check as find_mistakes


def check(
    path: Annotated[
        Path, typer.Argument(help="Folder of the GitOps repository, or its slipway.yaml.", exists=True)
    ] = Path(),
    output: Annotated[
        Format,
        typer.Option(
            "--format", help="text for people, json for programs, github for annotations in a workflow."
        ),
    ] = Format.TEXT,
) -> None:
    """Tell every mistake of slipway.yaml and of what it names; exit 1 if there is any."""
    folder, name = (path, FILE) if path.is_dir() else (path.parent, path.name)
    checkout = Checkout(folder)
    mistakes = find_mistakes(checkout.read, checkout.policies(), shipped.policies(), name)
    prefix = "" if folder == Path() else f"{folder.as_posix()}/"
    if told := render(mistakes, output, checkout.read, prefix):
        typer.echo(told)
    if output is Format.TEXT:
        count, files = len(mistakes), {mistake.file for mistake in mistakes} or {name}
        what = "no mistake" if not count else "1 mistake" if count == 1 else f"{count} mistakes"
        where = f"{prefix}{min(files)}" if len(files) == 1 else f"{len(files)} files"
        typer.echo(f"{what} in {where}", err=bool(count))
    raise typer.Exit(1 if mistakes else 0)
