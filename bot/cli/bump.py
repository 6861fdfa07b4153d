"""`slipway bump`: what promoting a version would change, on a local checkout."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.checkout import Checkout
from bot.cli.mistakes import Format, render
from bot.domain.annotations import did_you_mean
from bot.domain.config import FILE, Config, Environment, Model
from bot.domain.loading import load
from bot.domain.mistake import ConfigError
from bot.domain.target import Selector
from bot.domain.template import placeholders
from bot.domain.version import ModelVersion
from bot.manifests.errors import BumpError
from bot.manifests.image_reference import check_digest
from bot.manifests.pin import ImagePin, Pin, image_of, pin_of, wants_digest
from bot.manifests.preview import diff, edits
from bot.ports import OutsideError

# Everything else that a template may name is known to the registry only.
_KNOWN = {"model", "version", "tag", "digest", "repository", "image"}


def bump(
    model: Annotated[str, typer.Argument(help="Name of the registered model.")],
    version: Annotated[str, typer.Argument(help="Version to pin, such as 7.")],
    environment: Annotated[str, typer.Argument(help="Name of the environment.")],
    *,
    repo: Annotated[
        Path, typer.Option(help="Local checkout of the GitOps repository.", exists=True, file_okay=False)
    ] = Path(),
    digest: Annotated[
        str | None, typer.Option(help="Digest of the image (sha256:…), instead of asking its registry.")
    ] = None,
    mlflow: Annotated[
        str | None,
        typer.Option(
            help="Address of MLflow, asked only for what the version's number does not tell.",
            envvar="SLIPWAY_MLFLOW_TRACKING_URI",
        ),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Change the files too.")] = False,
) -> None:
    """Show what promoting a version would change, as a diff that `git apply` takes."""
    if re.fullmatch(r"[0-9]{1,18}", version) is None:
        raise typer.BadParameter("a version is a number, such as 7", param_hint="VERSION")
    checkout = Checkout(repo)
    chosen, place = _choose(_load(checkout), model, environment)
    try:
        found = _version(chosen, place, model, version, mlflow)
        image = _image(chosen, found, digest)

        def pin(selector: Selector) -> Pin:
            return pin_of(selector, found, image, chosen.storage)

        changed = edits(checkout.read, place.targets, pin)
    except BumpError as error:
        raise _refused(error.message) from None
    except OutsideError as error:
        raise _refused(str(error)) from None
    for edit in changed:
        typer.echo(diff(edit), nl=False)
        if write:
            checkout.write(edit.path, edit.new)
    if not changed:
        typer.echo(f"{environment} has version {version} already: nothing to change", err=True)


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)


def _load(checkout: Checkout) -> Config:
    content = checkout.read(FILE)
    if content is None:
        raise typer.BadParameter(f"there is no {FILE} in {checkout.root}", param_hint="--repo")
    try:
        return load(content.decode(errors="surrogateescape"))
    except ConfigError as error:
        raise _refused(render(error.mistakes, Format.TEXT, checkout.read)) from None


def _choose(config: Config, name: str, environment: str) -> tuple[Model, Environment]:
    model = config.promoted.get(name)
    if model is None:
        hint = did_you_mean(name, config.promoted)
        raise typer.BadParameter(f"there is no model `{name}` in {FILE}: {hint}", param_hint="MODEL")
    place = model.environments.get(environment)
    if place is None:
        hint = did_you_mean(environment, model.environments)
        raise typer.BadParameter(f"`{name}` has no environment `{environment}`: {hint}", param_hint="ENV")
    return model, place


def _version(
    model: Model, environment: Environment, name: str, number: str, mlflow: str | None
) -> ModelVersion:
    """The version, from the registry only where its number is not enough. Raises OutsideError."""
    unknown = sorted(set(_asked(model, environment)) - _KNOWN)
    if not unknown:
        return ModelVersion(name, number, source="", created_at=datetime.now(UTC))
    if mlflow is None:
        told = ", ".join(f"{{{placeholder}}}" for placeholder in unknown)
        raise _refused(f"only MLflow knows {told} of a version: set SLIPWAY_MLFLOW_TRACKING_URI or --mlflow")
    from bot.adapters.mlflow import MlflowRegistry  # noqa: PLC0415  # takes a second, and is rarely needed

    return MlflowRegistry(mlflow).version(name, number)


def _asked(model: Model, environment: Environment) -> Iterator[str]:
    """The placeholders that this bump fills."""
    templates = [model.storage, *(getattr(selector, "value", None) for selector in environment.targets)]
    if model.image is not None:
        templates.append(model.image.tag)
        if model.image.from_tag is not None:
            yield f"tags.{model.image.from_tag}"
    for template in templates:
        if template:
            yield from placeholders(template)


def _image(model: Model, version: ModelVersion, digest: str | None) -> ImagePin | None:
    if model.image is None:
        return None
    image = image_of(model.image, version)
    if digest is not None:
        return replace(image, digest=check_digest(digest))
    if not wants_digest(model.image, image):
        return image
    from bot.adapters.oci import OciRegistry  # noqa: PLC0415  # most bumps need no registry

    try:
        with closing(OciRegistry()) as registry:
            found = registry.digest(str(image))
    except OutsideError as error:
        raise _refused(f"the digest of {image} is pinned here. {error}. Or give --digest sha256:…") from None
    if found is None:
        raise _refused(f"the digest of {image} is pinned here, and there is no such image yet")
    return replace(image, digest=found)
