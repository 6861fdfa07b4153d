"""Events and commands as they are stored between the webhook and the job that heeds them."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, get_args

from pydantic import TypeAdapter

from bot.domain.commands import Command
from bot.webhooks import alertmanager, argocd, github_events, mlflow

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
    | alertmanager.AlertsChanged
    | argocd.ApplicationChanged
)

_Kind = TypeVar("_Kind")


class Codec(Generic[_Kind]):
    """One of several frozen dataclasses ↔ a JSON object that names its type."""

    def __init__(self, kinds: Any) -> None:
        self._adapters: Mapping[str, TypeAdapter[Any]] = {
            kind.__name__: TypeAdapter(kind) for kind in get_args(kinds)
        }

    def dump(self, value: _Kind) -> dict[str, Any]:
        name = type(value).__name__
        return {"type": name, **self._adapters[name].dump_python(value, mode="json")}

    def load(self, stored: Mapping[str, Any]) -> _Kind:
        """What `dump` stored. Raises KeyError for a type that is not known (any more)."""
        fields = {key: value for key, value in stored.items() if key != "type"}
        value: _Kind = self._adapters[stored["type"]].validate_python(fields)
        return value

    def knows(self, value: object) -> bool:
        return type(value).__name__ in self._adapters


EVENTS: Codec[Event] = Codec(Event)
"""Pings and what is ignored have no place here: there is nothing to do about them."""

COMMANDS: Codec[Command] = Codec(Command)
