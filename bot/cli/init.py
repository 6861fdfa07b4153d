"""`slipway init`: a GitOps repository of one's own, from the template."""

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.adapters import shipped
from bot.domain.config import FILE
from bot.manifests.check import check
from bot.manifests.team_names import (
    AWS_ACCOUNT,
    AWS_REGION,
    ENVIRONMENTS,
    EXAMPLES,
    MLFLOW,
    PROMETHEUS,
    Style,
    TeamNames,
    mistakes,
    written,
)

_SERVED: Mapping[Style, str] = {
    Style.DEPLOYMENT: "a plain Deployment",
    Style.HELM: "a Helm release",
    Style.KSERVE: "a KServe InferenceService",
    Style.ROLLOUT: "an Argo Rollout",
    Style.SAGEMAKER: "an Amazon SageMaker endpoint",
}
_LEFT_OUT = "-"


def init(
    path: Annotated[Path, typer.Argument(help="Folder of the new repository.")],
    *,
    organization: Annotated[str | None, typer.Option(help="GitHub organisation, such as acme.")] = None,
    repository: Annotated[str | None, typer.Option(help="Its repository; default: as the folder.")] = None,
    registry: Annotated[str | None, typer.Option(help="Where images are, registry.acme.com/ml.")] = None,
    domain: Annotated[str | None, typer.Option(help="Domain of Slipway and MLflow, acme.com.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"STYLE=NAME, repeatable: {', '.join(Style)}. Default: all."),
    ] = None,
    namespace: Annotated[list[str] | None, typer.Option(help="ENVIRONMENT=NAMESPACE, repeatable.")] = None,
    mlflow: Annotated[str, typer.Option(help="Address of MLflow in the cluster.")] = MLFLOW,
    prometheus: Annotated[str, typer.Option(help="Address of Prometheus in the cluster.")] = PROMETHEUS,
    bucket: Annotated[
        str | None,
        typer.Option(help="Bucket of models, for KServe and SageMaker; default: ORGANIZATION-models."),
    ] = None,
    aws_account: Annotated[str | None, typer.Option(help="AWS account, for SageMaker.")] = None,
    aws_region: Annotated[str, typer.Option(help="AWS region, for SageMaker.")] = AWS_REGION,
    ask: Annotated[
        bool | None, typer.Option("--ask/--no-ask", help="Ask for what is not given; default: in a terminal.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
) -> None:
    """Write a GitOps repository with your own names: models, monitoring, Argo CD, and Slipway itself."""
    _refuse(_in_the_way(path, force=force))
    asking = sys.stdin.isatty() if ask is None else ask
    answers = _answers(
        {"organization": organization, "registry": registry, "domain": domain},
        repository or path.resolve().name,
        asking=asking,
    )
    models = _ask_models() if asking and not model else _models(model or ())
    if asking and bucket is None and models.keys() & {Style.KSERVE, Style.SAGEMAKER}:
        bucket = typer.prompt("Bucket of models", default=f"{answers['organization'].lower()}-models")
    if asking and aws_account is None and Style.SAGEMAKER in models:
        aws_account = typer.prompt("AWS account (twelve digits)")
    names = TeamNames(
        organization=answers["organization"],
        repository=repository or answers["repository"],
        registry=answers["registry"],
        domain=answers["domain"],
        models=models,
        namespaces={name: name for name in ENVIRONMENTS} | _pairs(namespace or (), "namespace", ENVIRONMENTS),
        mlflow=mlflow,
        prometheus=prometheus,
        bucket=bucket or "",
        aws_account=aws_account or AWS_ACCOUNT,
        aws_region=aws_region,
    )
    _refuse(mistakes(names))
    files = written(shipped.template(), names)
    _refuse(_unchecked(files))
    _refuse([f"{path / one} is a symlink, or a folder where a file belongs" for one in _blocked(path, files)])
    try:
        _write(path, files)
    except OSError as error:
        _refuse([f"{error.filename or path} cannot be written: {error.strerror}"])
    typer.echo(f"{len(files)} files in {path}, no mistake in {FILE}. Next: read {path / 'README.md'}")


def _answers(given: Mapping[str, str | None], repository: str, *, asking: bool) -> dict[str, str]:
    """Organisation, registry, domain and repository: as given, or as a person answers."""
    missing = [name for name, value in given.items() if value is None]
    if not asking:
        _refuse([f"--{name} is missing (or run this in a terminal, which asks for it)" for name in missing])
        return {"repository": repository, **{name: value or "" for name, value in given.items()}}
    prompts = {
        "organization": "GitHub organisation",
        "registry": "Where images are (registry.acme.com/ml)",
        "domain": "Domain of Slipway and MLflow (acme.com)",
    }
    told = {name: value or typer.prompt(prompts[name]) for name, value in given.items()}
    return {**told, "repository": typer.prompt("Repository", default=repository)}


def _ask_models() -> dict[Style, str]:
    typer.echo(f"Which models, and how are they served? {_LEFT_OUT} leaves a style out.")
    answers = {
        style: typer.prompt(f"Model that is {served}", default=EXAMPLES[style])
        for style, served in _SERVED.items()
    }
    return {style: name for style, name in answers.items() if name != _LEFT_OUT}


def _models(given: Sequence[str]) -> dict[Style, str]:
    return {Style(style): name for style, name in _pairs(given, "model", [*Style]).items()} or dict(EXAMPLES)


def _pairs(given: Sequence[str], option: str, known: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE options as a mapping."""
    pairs: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or key not in known:
            _refuse([f"--{option} {one!r} is not KEY=NAME with one of {', '.join(known)}"])
        if key in pairs:
            _refuse([f"--{option} names {key} twice"])
        pairs[key] = value
    return pairs


def _in_the_way(path: Path, *, force: bool) -> tuple[str, ...]:
    """Why nothing is written to this folder. Git's own folder is not in the way."""
    if path.exists() and not path.is_dir():
        return (f"{path} is no folder",)
    there = [one.name for one in path.iterdir() if one.name != ".git"] if path.is_dir() else []
    if there and not force:
        return (f"{path} is not empty ({min(there)}): name another folder, or write into it with --force",)
    return ()


def _unchecked(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """What `slipway check` would find wrong."""
    own = {
        path: content.decode()
        for path, content in files.items()
        if path.startswith("policies/") and path.endswith(".yaml")
    }
    found = check(files.get, own, shipped.policies())
    return tuple(f"{mistake.file}:{mistake.line}: {mistake.message}" for mistake in found)


def _blocked(path: Path, files: Mapping[str, bytes]) -> list[str]:
    """Where nothing is written: through symlinks, and over a folder."""
    places = {place.as_posix() for name in files for place in (Path(name), *Path(name).parents)} - {"."}
    return sorted(
        place
        for place in places
        if (path / place).is_symlink() or (place in files and (path / place).is_dir())
    )


def _write(path: Path, files: Mapping[str, bytes]) -> None:
    """All files beside their place first, so that a full disk leaves nothing half-done. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as beside:
        for name, content in files.items():
            made = Path(beside, name)
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(content)
        for name in files:
            place = path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(beside, name), place)


def _refuse(why: Sequence[str]) -> None:
    """End with what a person must change, if there is anything."""
    if why:
        typer.echo("\n".join(why), err=True)
        raise typer.Exit(2)
