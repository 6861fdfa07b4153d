"""Issues, labels, assignees."""

from collections.abc import Sequence
from typing import Any, Literal

from bot.sandbox.github.actions import issues as actions
from bot.sandbox.github.errors import not_found, unprocessable
from bot.sandbox.github.records import Issue, Label
from bot.sandbox.github.render import issues as render
from bot.sandbox.github.render.people import timestamp
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, read_form, route

ISSUE = REPO + "/issues/{number}"
READ = "issues:read|pull_requests:read"
WRITE = "issues:write|pull_requests:write"


def the_issue(call: Call) -> Issue:
    return call.world.issue(call.repo, call.number("number"))


class LabelRef(Form):
    name: str


class NewIssue(Form):
    title: str | int
    body: str | None = None
    labels: Sequence[str | LabelRef] = ()
    assignees: Sequence[str] = ()
    assignee: str | None = None


def _names(labels: Sequence[str | LabelRef]) -> list[str]:
    return [label if isinstance(label, str) else label.name for label in labels]


@route("POST", REPO + "/issues", app="issues:write", role="read")
def create_issue(call: Call) -> Answer:
    form = call.form(NewIssue)
    assignees = [*form.assignees, *([form.assignee] if form.assignee else [])]
    made = actions.create_issue(
        call.visit,
        title=str(form.title),
        body=form.body,
        labels=_names(form.labels),
        assignees=assignees,
    )
    shown = render.issue(call.world, call.repo, made)
    return Answer(201, shown, {"Location": shown["url"]})


@route("GET", REPO + "/issues", app=READ)
def list_issues(call: Call) -> Answer:
    """Pull requests are issues too; newest first."""
    query = call.query
    found = sorted(call.repo.issues.values(), key=lambda one: one.number, reverse=True)
    state = query.get("state", "open")
    if state not in {"open", "closed", "all"}:
        raise unprocessable("Validation Failed")
    if state != "all":
        found = [one for one in found if one.state == state]
    if labels := query.get("labels"):
        wanted = {name.casefold() for name in labels.split(",")}
        found = [one for one in found if wanted <= {name.casefold() for name in one.labels}]
    if creator := query.get("creator"):
        found = [one for one in found if one.login == creator]
    if assignee := query.get("assignee"):
        found = [one for one in found if assignee in one.assignees or (assignee == "*" and one.assignees)]
    if since := query.get("since"):
        found = [one for one in found if timestamp(one.updated_at) >= since]
    if query.get("sort") == "updated":
        found.sort(key=lambda one: one.updated_at, reverse=True)
    if query.get("direction") == "asc":
        found.reverse()
    return Answer(200, [render.issue(call.world, call.repo, one) for one in call.page(found)])


@route("GET", ISSUE, app=READ)
def get_issue(call: Call) -> Answer:
    return Answer(200, render.issue(call.world, call.repo, the_issue(call)))


class IssueForm(Form):
    title: str | int | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None
    state_reason: Literal["completed", "not_planned", "reopened", "duplicate"] | None = None
    labels: list[str | LabelRef] | None = None
    assignees: list[str] | None = None


@route("PATCH", ISSUE, app=WRITE, role="read")
def edit_issue(call: Call) -> Answer:
    form, issue = call.form(IssueForm), the_issue(call)
    actions.may_edit(call.visit, issue.login)
    actions.edit_issue(
        call.visit,
        issue,
        title=str(form.title) if form.title is not None else None,
        body=form.body,
        state=form.state,
        state_reason=form.state_reason,
    )
    if form.labels is not None:
        actions.set_labels(call.visit, issue, _names(form.labels))
    if form.assignees is not None:
        gone = [login for login in issue.assignees if login not in form.assignees]
        actions.remove_assignees(call.visit, issue, gone)
        actions.add_assignees(call.visit, issue, form.assignees)
    return Answer(200, render.issue(call.world, call.repo, issue))


class AssigneesForm(Form):
    assignees: Sequence[str] = ()


@route("POST", ISSUE + "/assignees", app=WRITE)
def add_assignees(call: Call) -> Answer:
    issue = the_issue(call)
    actions.add_assignees(call.visit, issue, call.form(AssigneesForm).assignees)
    return Answer(201, render.issue(call.world, call.repo, issue))


@route("DELETE", ISSUE + "/assignees", app=WRITE)
def remove_assignees(call: Call) -> Answer:
    issue = the_issue(call)
    actions.remove_assignees(call.visit, issue, call.form(AssigneesForm).assignees)
    return Answer(200, render.issue(call.world, call.repo, issue))


# Labels of an issue.
class LabelsForm(Form):
    labels: Sequence[str | LabelRef] = ()


def _label_names(call: Call) -> list[str]:
    """The body is a list of names or an object with one."""
    body: Any = call.json()
    return _names(read_form(LabelsForm, {"labels": body} if isinstance(body, list) else body).labels)


def _labels(call: Call, issue: Issue) -> Answer:
    return Answer(200, render.labels(call.world, call.repo, issue))


@route("GET", ISSUE + "/labels", app=READ)
def list_labels(call: Call) -> Answer:
    return Answer(200, call.page(render.labels(call.world, call.repo, the_issue(call))))


@route("POST", ISSUE + "/labels", app=WRITE, role="triage")
def add_labels(call: Call) -> Answer:
    issue = the_issue(call)
    actions.add_labels(call.visit, issue, _label_names(call))
    return _labels(call, issue)


@route("PUT", ISSUE + "/labels", app=WRITE, role="triage")
def set_labels(call: Call) -> Answer:
    issue = the_issue(call)
    actions.set_labels(call.visit, issue, _label_names(call))
    return _labels(call, issue)


@route("DELETE", ISSUE + "/labels", app=WRITE, role="triage")
def clear_labels(call: Call) -> Answer:
    actions.set_labels(call.visit, the_issue(call), [])
    return Answer(204)


@route("DELETE", ISSUE + "/labels/{name:path}", app=WRITE, role="triage")
def remove_label(call: Call) -> Answer:
    issue = the_issue(call)
    if not actions.remove_label(call.visit, issue, call.params["name"]):
        raise not_found("Label does not exist")
    return _labels(call, issue)


# Labels of the repository.
class NewLabel(Form):
    name: str
    color: str = "ededed"
    description: str | None = None


@route("GET", REPO + "/labels", app=READ)
def list_repository_labels(call: Call) -> Answer:
    return Answer(200, [render.label(call.world, call.repo, one) for one in call.page(call.repo.labels)])


@route("POST", REPO + "/labels", app=WRITE)
def create_label(call: Call) -> Answer:
    form = call.form(NewLabel)
    made = actions.create_label(call.visit, form.name, form.color, form.description)
    shown = render.label(call.world, call.repo, made)
    return Answer(201, shown, {"Location": shown["url"]})


def _label(call: Call) -> Label:
    found = actions.find_label(call.repo, call.params["name"])
    if found is None:
        raise not_found()
    return found


@route("GET", REPO + "/labels/{name:path}", app=READ)
def get_label(call: Call) -> Answer:
    return Answer(200, render.label(call.world, call.repo, _label(call)))


@route("DELETE", REPO + "/labels/{name:path}", app=WRITE)
def delete_label(call: Call) -> Answer:
    label = _label(call)
    call.repo.labels.remove(label)
    for issue in call.repo.issues.values():
        if label.name in issue.labels:
            issue.labels.remove(label.name)
    return Answer(204)
