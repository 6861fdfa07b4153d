"""`slipway schema`: JSON Schemas for editors."""

import json
from typing import Annotated

import typer

from bot.domain.json_schema import MODELS
from bot.domain.json_schema import schema as schema_of


def schema(name: Annotated[str, typer.Argument(help="slipway or policy.")] = "slipway") -> None:
    """Print the JSON Schema of slipway.yaml or of policies."""
    if name not in MODELS:
        raise typer.BadParameter(f"one of {', '.join(MODELS)}", param_hint="NAME")
    typer.echo(json.dumps(schema_of(name), indent=2, ensure_ascii=False))
