"""GitHub Actions as far as an App starts them: dispatches and their runs. Nothing is run here: a run stays
queued until `GitHubServer.conclude` says how it ended.
"""

import re
from datetime import datetime
from typing import Any

import yaml
from pydantic import Field

from bot.sandbox.github.errors import Problem, not_found
from bot.sandbox.github.records import Repository, WorkflowRun
from bot.sandbox.github.render.people import timestamp
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, route
from bot.sandbox.github.world import World

WORKFLOW = REPO + "/actions/workflows/{workflow}"
MOST_KEYS = 10
"""Of a `repository_dispatch` payload."""
_INPUT = re.compile(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)\s*\}\}")


class Dispatch(Form):
    ref: str
    inputs: dict[str, str] = Field(default_factory=dict)


class RepositoryDispatch(Form):
    event_type: str
    client_payload: dict[str, Any] = Field(default_factory=dict)


def _workflow(call: Call, ref: str) -> tuple[str, dict[Any, Any]]:
    """The commit and the workflow's file there. Raises 404 and 422 as GitHub does."""
    sha = call.git.resolve(ref)
    if sha is None:
        raise Problem(422, f"No ref found for: {ref}")
    entry = call.git.entry(sha, f".github/workflows/{call.params['workflow']}")
    data = call.git.blob(str(entry.id)) if entry is not None else None
    read = yaml.safe_load(data) if data is not None else None
    if not isinstance(read, dict):
        raise not_found()
    return sha, read


@route("POST", WORKFLOW + "/dispatches", app="actions:write")
def dispatch(call: Call) -> Answer:
    """Answers 204; the run shows up in the listing."""
    form = call.form(Dispatch)
    sha, read = _workflow(call, form.ref)
    # YAML 1.1 reads the key `on` as true.
    events = read.get("on", read.get(True))
    trigger = events.get("workflow_dispatch") if isinstance(events, dict) else None
    if not isinstance(events, dict) or "workflow_dispatch" not in events:
        raise Problem(422, "Workflow does not have 'workflow_dispatch' trigger")
    known = (trigger or {}).get("inputs") or {}
    if unexpected := sorted(set(form.inputs) - set(known)):
        raise Problem(422, f"Unexpected inputs provided: {unexpected}")
    name = str(read.get("run-name") or read.get("name") or call.params["workflow"])
    title = _INPUT.sub(lambda found: form.inputs.get(found[1], ""), name)
    call.repo.runs.append(
        WorkflowRun(
            id=call.world.new_id(),
            workflow=str(call.params["workflow"]),
            title=title,
            sha=sha,
            created_at=call.world.now(),
            inputs=form.inputs,
        )
    )
    return Answer(204, None)


@route("GET", WORKFLOW + "/runs", app="actions:read")
def list_runs(call: Call) -> Answer:
    _workflow(call, call.repo.default_branch)
    found = [run for run in reversed(call.repo.runs) if run.workflow == call.params["workflow"]]
    if call.query.get("event", "workflow_dispatch") != "workflow_dispatch":
        found = []
    earliest = call.query.get("created", "").removeprefix(">=")
    if earliest:
        since = datetime.fromisoformat(earliest)
        found = [run for run in found if run.created_at >= since]
    shown = [_rendered(call.world, call.repo, run) for run in call.page(found)]
    return Answer(200, {"total_count": len(found), "workflow_runs": shown})


@route("POST", REPO + "/dispatches", app="contents:write")
def repository_dispatch(call: Call) -> Answer:
    form = call.form(RepositoryDispatch)
    if len(form.client_payload) > MOST_KEYS:
        raise Problem(422, f"No more than {MOST_KEYS} properties are allowed in client_payload")
    call.repo.dispatched.append({"event_type": form.event_type, "client_payload": form.client_payload})
    return Answer(204, None)


def _rendered(world: World, repository: Repository, run: WorkflowRun) -> dict[str, Any]:
    path = f"/{repository.full_name}/actions/runs/{run.id}"
    return {
        "id": run.id,
        "name": run.workflow,
        "display_title": run.title,
        "head_branch": repository.default_branch,
        "head_sha": run.sha,
        "path": f".github/workflows/{run.workflow}",
        "event": "workflow_dispatch",
        "status": "queued" if run.conclusion is None else "completed",
        "conclusion": run.conclusion,
        "url": world.api(f"/repos{path}"),
        "html_url": world.html(path),
        "created_at": timestamp(run.created_at),
        "updated_at": timestamp(run.created_at),
    }
