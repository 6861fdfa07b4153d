"""Check runs and commit statuses."""

from datetime import datetime
from typing import Any

from bot.sandbox.github.actions import checks as actions
from bot.sandbox.github.errors import forbidden, invalid, unprocessable
from bot.sandbox.github.records import CheckRun
from bot.sandbox.github.render import checks as render
from bot.sandbox.github.render.people import simple_user
from bot.sandbox.github.render.repositories import path_of, repository
from bot.sandbox.github.rest.history import the_commit
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, route

CHECK = REPO + "/check-runs/{check}"
LONGEST_TEXT = 65_535
MOST_ACTIONS = 3


class OutputForm(Form):
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] | None = None


class CheckForm(Form):
    name: str | None = None
    details_url: str | None = None
    external_id: str | None = None
    status: str | None = None
    started_at: str | None = None
    conclusion: str | None = None
    completed_at: str | None = None
    output: OutputForm | None = None
    actions: list[dict[str, str]] | None = None


class NewCheckForm(CheckForm):
    name: str
    head_sha: str


def _time(field: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise invalid("CheckRun", field) from None


def _fill(call: Call, check: CheckRun, form: CheckForm) -> None:
    output = form.output
    if output is not None and (output.title is None or output.summary is None):
        raise unprocessable('Invalid request.\n\n"title", "summary" weren\'t supplied.')
    if output is not None and any(len(text or "") > LONGEST_TEXT for text in (output.summary, output.text)):
        raise invalid("CheckRun", "output", "custom", "Only 65535 characters are allowed")
    if len(form.actions or []) > MOST_ACTIONS:
        raise invalid("CheckRun", "actions", "custom", "Only 3 actions are allowed")
    actions.set_outcome(call.visit, check, form.status, form.conclusion)
    check.name = form.name or check.name
    check.details_url = form.details_url or check.details_url
    check.external_id = form.external_id if form.external_id is not None else check.external_id
    if form.started_at is not None:
        check.started_at = _time("started_at", form.started_at)
    if form.completed_at is not None and check.conclusion is not None:
        check.completed_at = _time("completed_at", form.completed_at)
    if output is not None:
        check.title, check.summary, check.text = output.title, output.summary, output.text
        check.annotations += output.annotations or []
    check.actions = form.actions if form.actions is not None else check.actions


def _shown(call: Call, check: CheckRun, status: int = 200) -> Answer:
    return Answer(status, render.check_run(call.world, call.repo, check))


@route("POST", REPO + "/check-runs", app="checks:write")
def create_check(call: Call) -> Answer:
    form = call.form(NewCheckForm)
    made = actions.create_check(call.visit, form.name, form.head_sha)
    try:
        _fill(call, made, form)
    except Exception:
        del call.repo.checks[made.id]
        raise
    actions.announce(call.visit, made, "completed" if made.conclusion else "created")
    return _shown(call, made, 201)


@route("GET", CHECK, app="checks:read")
def get_check(call: Call) -> Answer:
    return _shown(call, actions.find_check(call.visit, call.number("check")))


@route("PATCH", CHECK, app="checks:write")
def edit_check(call: Call) -> Answer:
    check = actions.find_check(call.visit, call.number("check"))
    if actions.require_app(call.visit) != check.app:
        raise forbidden(
            "Invalid app_id `" + str(call.actor.app_id) + "` - check run can only be modified by the"
            " GitHub App that created it."
        )
    was_done = check.conclusion is not None
    _fill(call, check, call.form(CheckForm))
    if check.conclusion is not None and not was_done:
        actions.announce(call.visit, check, "completed")
    return _shown(call, check)


@route("GET", CHECK + "/annotations", app="checks:read")
def list_annotations(call: Call) -> Answer:
    return Answer(200, call.page(actions.find_check(call.visit, call.number("check")).annotations))


@route("POST", CHECK + "/rerequest", app="checks:write")
def rerequest(call: Call) -> Answer:
    actions.rerequest(call.visit, actions.find_check(call.visit, call.number("check")))
    return Answer(201, {})


@route("GET", REPO + "/commits/{ref:path}/check-runs", app="checks:read")
def list_checks(call: Call) -> Answer:
    sha = str(the_commit(call, call.params["ref"]).id)
    query = call.query
    found = [one for one in call.repo.checks.values() if one.head_sha == sha]
    if name := query.get("check_name"):
        found = [one for one in found if one.name == name]
    if status := query.get("status"):
        found = [one for one in found if one.status == status]
    if app := query.get("app_id"):
        found = [one for one in found if str(one.app) == app]
    if query.get("filter", "latest") == "latest":
        found = actions.latest_checks(found)
    shown = [render.check_run(call.world, call.repo, one) for one in call.page(found)]
    return Answer(200, {"total_count": len(found), "check_runs": shown})


# Commit statuses.
class StatusForm(Form):
    state: str
    context: str = "default"
    description: str | None = None
    target_url: str | None = None


@route("POST", REPO + "/statuses/{sha}", app="statuses:write")
def create_status(call: Call) -> Answer:
    form = call.form(StatusForm)
    made = actions.create_status(
        call.visit,
        call.params["sha"],
        state=form.state,
        context=form.context,
        description=form.description,
        target_url=form.target_url,
    )
    creator = simple_user(call.world, made.login)
    return Answer(201, render.commit_status(call.world, call.repo, made) | {"creator": creator})


@route("GET", REPO + "/commits/{ref:path}/statuses", app="statuses:read")
def list_statuses(call: Call) -> Answer:
    sha = str(the_commit(call, call.params["ref"]).id)
    found = [one for one in reversed(call.repo.statuses) if one.sha == sha]
    return Answer(
        200,
        [
            render.commit_status(call.world, call.repo, one) | {"creator": simple_user(call.world, one.login)}
            for one in call.page(found)
        ],
    )


@route("GET", REPO + "/commits/{ref:path}/status", app="statuses:read")
def combined_status(call: Call) -> Answer:
    sha = str(the_commit(call, call.params["ref"]).id)
    newest = list({one.context: one for one in call.repo.statuses if one.sha == sha}.values())
    states = {one.state for one in newest}
    word = "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
    url = call.world.api(f"{path_of(call.repo)}/commits/{sha}")
    return Answer(
        200,
        {
            "state": word,
            "statuses": [render.commit_status(call.world, call.repo, one) for one in call.page(newest)],
            "sha": sha,
            "total_count": len(newest),
            "repository": repository(call.world, call.repo),
            "commit_url": url,
            "url": f"{url}/status",
        },
    )
