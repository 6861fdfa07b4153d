"""The command line. Each command is imported when it is asked for: `slipway --version` waits for none."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from bot import __version__

_MODULES = ("check", "bump", "schema", "policy", "backtest", "replay", "sandbox", "serve", "setup", "doctor")
"""Each holds a function, or commands of its own, under the module's name."""


class _Imported(Mapping[str, Any]):
    """Typer's commands by name, each imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        if name not in _MODULES:
            raise KeyError(name)
        found = getattr(import_module(f"bot.cli.{name}"), name)
        several = isinstance(found, typer.Typer)
        group = found if several else typer.Typer(add_completion=False)
        if not several:
            group.command(name)(found)
        command = get_command(group)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


class _Commands(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = _Imported()


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False)


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
