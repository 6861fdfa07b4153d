"""What would happen to a version: its gates against a real registry, the rest as if."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import typer

from bot.adapters.cel import LimitedEvaluator
from bot.cli.checkout import Checkout
from bot.cli.mistakes import Format, render
from bot.cli.told import policies_of, printable, refused, tell_gates
from bot.domain.annotations import did_you_mean
from bot.domain.comparison import compare
from bot.domain.config import FILE, Environment, Model
from bot.domain.facts import Approval, EarlierEnvironment, Facts, Image
from bot.domain.gate import GateResult, blocking
from bot.domain.gates import evaluate
from bot.domain.loading import load as load_config
from bot.domain.mistake import ConfigError
from bot.domain.policy import Policy
from bot.domain.pull import Permission, Pull, PullState
from bot.domain.version import ModelVersion
from bot.manifests.errors import BadReference
from bot.manifests.pin import ImagePin, image_of, wants_digest
from bot.ports import ImageRegistry, OutsideError


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about; the rest is as if."""

    model: str
    version: str
    environment: str
    baseline: str | None
    approved_by: tuple[str, ...]
    verified: bool


def tell_version(
    asked: Asked, mlflow: str, auth_file: Path | None, checkout: Checkout, now: datetime
) -> None:
    model, place = _configured(checkout, asked.model, asked.environment)
    chosen = policies_of(checkout).get(place.policy)
    from bot.adapters.mlflow import MlflowRegistry  # noqa: PLC0415  # takes seconds, and only this needs it

    registry = MlflowRegistry(mlflow)
    baseline = asked.baseline
    try:
        if baseline is None and place.alias is not None:
            baseline = registry.alias(asked.model, place.alias)
        candidate = registry.evidence(asked.model, asked.version)
        before = registry.evidence(asked.model, baseline) if baseline and baseline != asked.version else None
        pin = _pin(model, registry.version(asked.model, asked.version)) if model.image else None
    except OutsideError as error:
        raise refused(str(error)) from None
    image, not_seen = _image(pin, model, chosen, _images(auth_file)) if pin is not None else (None, "")
    head = "simulated"
    facts = Facts(
        model=asked.model,
        environment=asked.environment,
        comparison=compare(candidate, before, chosen.metrics.directions),
        now=now,
        pull=Pull(0, PullState.OPEN, "", "", "", head, "", ""),
        head_sha=head,
        calendars=_calendars(checkout, chosen),
        earlier=_earlier(place, chosen, now, verified=asked.verified),
        image=image,
        approvals=tuple(
            Approval(name, head, Permission.WRITE, frozenset(chosen.approvals.teams))
            for name in asked.approved_by
        ),
    )
    with LimitedEvaluator() as evaluator:
        gates = evaluate(chosen, facts, evaluator)
    against = f"against version {baseline}" if before else "without a baseline"
    typer.echo(
        f"{asked.model} version {asked.version} into {asked.environment}, {against}, policy {place.policy}:"
    )
    tell_gates(gates)
    if not_seen:
        typer.echo(printable(f"The image was not looked at: {not_seen}."))
    typer.echo("Holds, quarantines and what happened here before are the running Slipway's: see --pr.")
    typer.echo(_outcome(chosen, gates))


def _images(auth_file: Path | None) -> ImageRegistry:
    from bot.adapters.oci import OciRegistry, from_docker_config  # noqa: PLC0415  # only a version needs it

    try:
        return OciRegistry(from_docker_config(auth_file.read_text()) if auth_file is not None else {})
    except (ValueError, OSError) as error:
        raise refused(f"{auth_file}: {error}") from None


def _pin(model: Model, version: ModelVersion) -> ImagePin:
    assert model.image is not None, "asked of a model with an image only"
    try:
        return image_of(model.image, version)
    except BadReference as error:
        raise refused(error.message) from None


def _image(pin: ImagePin, model: Model, chosen: Policy, images: ImageRegistry) -> tuple[Image | None, str]:
    """What the gates see of the image; and why nobody could look, where that is so."""
    assert model.image is not None, "asked of a model with an image only"
    reference = str(replace(pin, digest=None))
    wanted = wants_digest(model.image, pin)
    seen = Image(reference, pin.digest, by_tag=not (wanted or pin.digest))
    try:
        if chosen.asks_for_attestations:
            found = images.attested(str(pin))
            if found is None:
                return seen, ""
            return replace(seen, digest=pin.digest or found.digest, signed=found.signed, sbom=found.sbom), ""
        return replace(seen, digest=images.digest(reference) if wanted else pin.digest), ""
    except OutsideError as trouble:
        # Rules on what is attached to it must not hold only because nobody looked.
        return (seen if chosen.asks_for_attestations else None), str(trouble)


def _configured(checkout: Checkout, model: str, environment: str) -> tuple[Model, Environment]:
    try:
        config = load_config((checkout.read(FILE) or b"").decode(errors="surrogateescape"))
    except ConfigError as error:
        raise refused(render(error.mistakes, Format.TEXT, checkout.read)) from None
    known = config.promoted.get(model)
    place = known.environments.get(environment) if known else None
    if known is None:
        hint = did_you_mean(model, config.promoted)
        raise refused(f"{FILE} has no model or prompt {model}{hint and f': {hint}'}")
    if place is None:
        hint = did_you_mean(environment, known.environments)
        raise refused(f"{FILE} has no environment {environment} of {model}{hint and f': {hint}'}")
    return known, place


def _calendars(checkout: Checkout, chosen: Policy) -> dict[str, str]:
    paths = [path for window in chosen.freeze if (path := getattr(window, "ical", None))]
    contents = {path: checkout.read(path) for path in paths}
    return {path: data.decode(errors="replace") for path, data in contents.items() if data is not None}


def _earlier(
    place: Environment, chosen: Policy, now: datetime, *, verified: bool
) -> EarlierEnvironment | None:
    if place.after is None:
        return None
    long_ago = now - max(chosen.soak, timedelta(0))
    return EarlierEnvironment(place.after, long_ago if verified else None)


def _outcome(chosen: Policy, gates: Sequence[GateResult]) -> str:
    stopping = blocking(gates)
    if stopping:
        names = ", ".join(gate.id for gate in stopping)
        waiting = all(gate.pending for gate in stopping)
        return f"It would {'wait for' if waiting else 'not merge because of'}: {names}."
    if chosen.promote == "automatic":
        return "It would merge by itself, without a comment."
    return "It would merge as soon as somebody comments /promote."
