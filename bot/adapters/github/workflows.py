"""GitHub Actions: dispatch a workflow, find its run again, send an event. Needs the right `actions: write`
(for events: `contents: write`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.github.place import Place
from bot.ports import WorkflowRun

_CLOCKS = timedelta(minutes=5)
"""GitHub's clock and ours differ."""
_MOST_RUNS = 100


def dispatch(place: Place, workflow: str, branch: str, inputs: Mapping[str, str]) -> None:
    """Start a workflow on a branch."""
    body = {"ref": branch, "inputs": dict(inputs)}
    place.client.post(place.url("actions", "workflows", workflow, "dispatches"), body)


def run(place: Place, workflow: str, named: str, since: datetime) -> WorkflowRun | None:
    """The newest run that was dispatched since then and whose name holds `named`."""
    earliest = (since - _CLOCKS).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    listing = place.client.get(
        place.url("actions", "workflows", workflow, "runs"),
        event="workflow_dispatch",
        created=f">={earliest}",
        per_page=_MOST_RUNS,
    )
    found = [
        each
        for each in listing["workflow_runs"]
        if named in str(each.get("display_title")) or named in str(each.get("name"))
    ]
    newest = max(found, key=lambda each: int(each["id"]), default=None)
    if newest is None:
        return None
    ended = newest["conclusion"] if newest["status"] == "completed" else None
    return WorkflowRun(int(newest["id"]), newest["html_url"], ended)


def event(place: Place, kind: str, payload: Mapping[str, Any]) -> None:
    """A `repository_dispatch` event. GitHub takes at most ten keys in the payload."""
    place.client.post(place.url("dispatches"), {"event_type": kind, "client_payload": dict(payload)})
