"""Events as they are stored between the webhook and its job."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import TypeAdapter

from bot.webhooks import github_events, mlflow

Event = (
    github_events.CommentCreated
    | github_events.PullRequestChanged
    | github_events.PullRequestClosed
    | github_events.ReviewSubmitted
    | github_events.Pushed
    | github_events.ChecksCompleted
    | github_events.CheckRerequested
    | github_events.InstallationChanged
    | mlflow.RegistryChanged
)

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Event)}


def dump(event: Event) -> dict[str, Any]:
    """A JSON object that `load` reads back."""
    name = type(event).__name__
    return {"type": name, **_ADAPTERS[name].dump_python(event, mode="json")}


def load(stored: Mapping[str, Any]) -> Event:
    """The event that `dump` stored. Raises KeyError for a type that is not known (any more)."""
    fields = {key: value for key, value in stored.items() if key != "type"}
    event: Event = _ADAPTERS[stored["type"]].validate_python(fields)
    return event


def is_event(event: object) -> bool:
    """Whether there is anything to do about it (pings and what is ignored are not stored)."""
    return type(event).__name__ in _ADAPTERS
