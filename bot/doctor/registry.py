"""What MLflow's answers mean: rights, models, and the traps of its webhooks. Pure."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from bot.domain.config import Config, Model, Prompt, WhenAlias, WhenVersion
from bot.domain.finding import Finding, ok, problem, warning
from bot.domain.inspection import RegistryUser, WebhookSeen

AREA = "MLflow"
_MAY_WRITE = frozenset({"EDIT", "MANAGE"})
_SUFFIXES = (".svc", ".svc.cluster.local", ".local", ".internal", ".localhost")
POLLED = "Slipway compares the registry every two minutes all the same"


def models(
    config: Config, aliases: Mapping[str, Mapping[str, str]], user: RegistryUser | None
) -> Iterator[Finding]:
    """Whether each model exists, and whether Slipway may do what the configuration asks of it there."""
    for name, model in config.promoted.items():
        if name not in aliases:
            yield warning(
                AREA,
                name,
                "There is no such registered model yet, or Slipway may not see it.",
                "Register it, or give Slipway's MLflow user READ on it.",
            )
            continue
        moved = sorted({place.alias for place in model.environments.values() if place.alias is not None})
        level = user.levels.get(name) if user is not None and not user.admin else None
        if level is not None and moved and level not in _MAY_WRITE:
            told = ", ".join(f"`{alias}`" for alias in moved)
            yield problem(
                AREA,
                name,
                f"Slipway moves the alias {told}, and its user has only {level} there.",
                f"Give the user EDIT on the registered model `{name}`.",
            )
        else:
            yield ok(AREA, name, "The registered model is there, and Slipway may do what it must.")


def access(user: RegistryUser | None, *, open_to_all: bool) -> Finding:
    """Who Slipway is to MLflow."""
    if open_to_all:
        return warning(
            AREA,
            "access",
            "The server asks nobody who they are: whoever reaches it can start a promotion.",
            "Turn on MLflow's authentication, or let only trusted clients reach the server.",
        )
    if user is None:
        return ok(AREA, "access", "It takes Slipway's credentials, and nobody's without any.")
    if user.admin:
        return warning(
            AREA,
            "access",
            f"Slipway is `{user.name}`, an administrator.",
            "Give Slipway a user of its own with READ, and EDIT where it moves aliases.",
        )
    return ok(AREA, "access", f"Slipway is `{user.name}`, no administrator.")


def needed_events(models: Sequence[Model]) -> frozenset[str]:
    """The events that make a version a candidate, for webhooks."""
    needed = set()
    for model in models:
        kind = "prompt" if isinstance(model, Prompt) else "model"
        if isinstance(model.when, WhenAlias):
            needed.add("prompt_alias.created" if kind == "prompt" else "model_version_alias.created")
        elif isinstance(model.when, WhenVersion):
            needed.add(f"{kind}_version.created")
        else:
            needed.add(f"{kind}_version_tag.set")
    return frozenset(needed)


def webhooks(
    seen: Sequence[WebhookSeen] | None,
    needed: frozenset[str],
    public_url: str | None,
    arrived: datetime | None,
) -> Iterator[Finding]:
    """Whether MLflow tells Slipway; `arrived` is when its last delivery did, None where none is known."""
    subject = "webhooks"
    if arrived is not None:
        yield ok(AREA, subject, f"The last delivery arrived at {arrived:%Y-%m-%d %H:%M} UTC.")
    if seen is None:
        if arrived is None:
            yield warning(
                AREA,
                subject,
                f"Only an administrator of MLflow may list them, and no delivery has arrived yet; {POLLED}.",
                f"Let an administrator see that one goes to {_address(public_url)}. {_traps(public_url)}",
            )
        return
    if public_url is None:
        todo = "Set SLIPWAY_PUBLIC_URL to the address under which MLflow reaches Slipway."
        yield warning(AREA, subject, "Slipway's own address is not known, so none can be found.", todo)
        return
    ours = [webhook for webhook in seen if webhook.url.rstrip("/") == _address(public_url)]
    if not ours:
        others = f" ({len(seen)} others exist)" if seen else ""
        yield warning(
            AREA,
            subject,
            f"None goes to {_address(public_url)}{others}; {POLLED}.",
            f"An administrator creates one for {_told(needed)}; its secret is SLIPWAY_MLFLOW_WEBHOOK_SECRET.",
        )
        return
    active = [webhook for webhook in ours if webhook.active]
    if not active:
        todo = f"An administrator sets `{ours[0].name}` to ACTIVE."
        yield warning(AREA, subject, f"`{ours[0].name}` is disabled; {POLLED}.", todo)
        return
    missing = needed - frozenset[str]().union(*(webhook.events for webhook in active))
    if missing:
        yield warning(
            AREA,
            subject,
            f"`{active[0].name}` does not tell of {_told(missing)}; {POLLED}.",
            f"An administrator adds {_told(missing)} to its events.",
        )
    elif arrived is None:
        sentence = f"`{active[0].name}` is there, but no delivery has arrived yet."
        yield warning(AREA, subject, sentence, _traps(public_url))
    else:
        yield ok(AREA, subject, f"`{active[0].name}` tells of everything that starts a promotion.")


def _address(public_url: str | None) -> str:
    return f"{(public_url or 'SLIPWAY_PUBLIC_URL').rstrip('/')}/webhooks/mlflow"


def _traps(public_url: str | None) -> str:
    """What keeps MLflow from delivering although its API says that all is well."""
    traps = []
    parts = urlsplit(public_url or "")
    if parts.scheme == "http":
        traps.append("MLFLOW_WEBHOOK_ALLOWED_SCHEMES=http,https, for the address is not https")
    if public_url is not None and is_private(parts.hostname or ""):
        traps.append("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS=true, for the address is a private one")
    traps.append(
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY, for without it a server of several workers loses most"
        " deliveries that have a secret"
    )
    return f"The MLflow server needs, in its environment: {'; '.join(traps)}."


def is_private(host: str) -> bool:
    """Whether a host's name or address is one that MLflow refuses unless it is told otherwise."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_SUFFIXES)


def _told(events: frozenset[str]) -> str:
    return ", ".join(f"`{event}`" for event in sorted(events))
