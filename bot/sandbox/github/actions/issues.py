"""Issues, labels, assignees."""

import re
from collections.abc import Sequence
from typing import Any

from bot.sandbox.github import events
from bot.sandbox.github.access import role_of
from bot.sandbox.github.actions.branches import emit_pull
from bot.sandbox.github.errors import custom, forbidden, invalid
from bot.sandbox.github.records import Issue, Label, Repository
from bot.sandbox.github.render.issues import issue as render_issue
from bot.sandbox.github.render.issues import label as render_label
from bot.sandbox.github.render.people import simple_user
from bot.sandbox.github.visit import Visit

JSON = dict[str, Any]
LONGEST_BODY = 65_536
LONGEST_TITLE = 256
LONGEST_LABEL = 50
MOST_ASSIGNEES = 10


def check_title(resource: str, title: str) -> str:
    if not title.strip():
        raise invalid(resource, "title", "missing_field")
    if len(title) > LONGEST_TITLE:
        raise invalid(resource, "title", "custom", "title is too long (maximum is 256 characters)")
    return title


def check_body(resource: str, body: str | None) -> str | None:
    if body is not None and len(body) > LONGEST_BODY:
        raise invalid(resource, "body", "custom", "body is too long (maximum is 65536 characters)")
    return body


def create_issue(
    at: Visit,
    *,
    title: str,
    body: str | None,
    labels: Sequence[str] | None = None,
    assignees: Sequence[str] | None = None,
) -> Issue:
    check_title("Issue", title)
    check_body("Issue", body)
    issue = new_issue(at, title, body)
    emit_issue(at, issue, "opened")
    if labels:
        add_labels(at, issue, labels)
    if assignees:
        add_assignees(at, issue, assignees)
    return issue


def new_issue(at: Visit, title: str, body: str | None) -> Issue:
    at.repo.last_number += 1
    now = at.world.now()
    issue = Issue(
        id=at.world.new_id(),
        number=at.repo.last_number,
        title=title,
        body=body,
        login=at.actor.login,
        created_at=now,
        updated_at=now,
        app=at.actor.app_id,
    )
    at.repo.issues[issue.number] = issue
    return issue


def emit_issue(at: Visit, issue: Issue, action: str, more: JSON | None = None) -> None:
    """An event of an issue, or of the pull request that it is."""
    if issue.pull is not None:
        emit_pull(at, issue, action, more)
    else:
        payload = {"issue": render_issue(at.world, at.repo, issue), **(more or {})}
        events.emit(at, "issues", action, payload)


def may_edit(at: Visit, author: str) -> None:
    """Authors edit their own words; others need write access."""
    permission = "issues"
    if at.actor.login == author:
        return
    if not (at.writes(permission) or at.writes("pull_requests")):
        raise forbidden("Must have admin rights to Repository.")


def edit_issue(
    at: Visit,
    issue: Issue,
    *,
    title: str | None = None,
    body: str | None = None,
    state: str | None = None,
    state_reason: str | None = None,
) -> None:
    may_edit(at, issue.login)
    changes: JSON = {}
    if title is not None and title != issue.title:
        changes["title"] = {"from": issue.title}
        issue.title = check_title("Issue", title)
    if body is not None and body != issue.body:
        changes["body"] = {"from": issue.body or ""}
        issue.body = check_body("Issue", body)
    if changes:
        issue.updated_at = at.world.now()
        emit_issue(at, issue, "edited", {"changes": changes})
    if state is not None and state != issue.state:
        set_state(at, issue, state, state_reason)


def set_state(at: Visit, issue: Issue, state: str, reason: str | None = None) -> None:
    now = at.world.now()
    issue.updated_at = now
    if state == "closed":
        issue.state, issue.closed_at, issue.closed_by = "closed", now, at.actor.login
        issue.state_reason = None if issue.pull is not None else reason or "completed"
    else:
        issue.state, issue.closed_at, issue.closed_by = "open", None, None
        issue.state_reason = None if issue.pull is not None else "reopened"
    emit_issue(at, issue, "closed" if state == "closed" else "reopened")


# Labels.
def find_label(repo: Repository, name: str) -> Label | None:
    return next((label for label in repo.labels if label.name.casefold() == name.casefold()), None)


def create_label(at: Visit, name: str, color: str, description: str | None) -> Label:
    if not name.strip():
        raise invalid("Label", "name", "missing_field")
    if len(name) > LONGEST_LABEL:
        raise invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")
    if not re.fullmatch("[0-9a-fA-F]{6}", color):
        raise invalid("Label", "color")
    if find_label(at.repo, name) is not None:
        raise invalid("Label", "name", "already_exists")
    label = Label(at.world.new_id(), name, color.lower(), description)
    at.repo.labels.append(label)
    events.emit(at, "label", "created", {"label": render_label(at.world, at.repo, label)})
    return label


def add_labels(at: Visit, issue: Issue, names: Sequence[str]) -> None:
    """Labels that do not exist yet are created, as GitHub does."""
    for name in names:
        label = find_label(at.repo, name) or create_label(at, name, "ededed", None)
        if label.name not in issue.labels:
            issue.labels.append(label.name)
            issue.updated_at = at.world.now()
            emit_issue(at, issue, "labeled", {"label": render_label(at.world, at.repo, label)})


def remove_label(at: Visit, issue: Issue, name: str) -> bool:
    label = find_label(at.repo, name)
    if label is None or label.name not in issue.labels:
        return False
    issue.labels.remove(label.name)
    issue.updated_at = at.world.now()
    emit_issue(at, issue, "unlabeled", {"label": render_label(at.world, at.repo, label)})
    return True


def set_labels(at: Visit, issue: Issue, names: Sequence[str]) -> None:
    wanted = {name.casefold() for name in names}
    for name in [name for name in issue.labels if name.casefold() not in wanted]:
        remove_label(at, issue, name)
    add_labels(at, issue, names)


# Assignees.
def add_assignees(at: Visit, issue: Issue, logins: Sequence[str]) -> None:
    """People without access are left out in silence, as GitHub does."""
    for login in logins:
        account = at.world.account(login)
        if (
            account is None
            or role_of(at.world, at.repo, account.login) == "none"
            or account.login in issue.assignees
        ):
            continue
        if len(issue.assignees) == MOST_ASSIGNEES:
            raise custom("Issue", "cannot have more than 10 assignees")
        issue.assignees.append(account.login)
        _assigned(at, issue, account.login, "assigned")


def remove_assignees(at: Visit, issue: Issue, logins: Sequence[str]) -> None:
    gone = {login.casefold() for login in logins}
    for login in [login for login in issue.assignees if login.casefold() in gone]:
        issue.assignees.remove(login)
        _assigned(at, issue, login, "unassigned")


def _assigned(at: Visit, issue: Issue, login: str, action: str) -> None:
    issue.updated_at = at.world.now()
    emit_issue(at, issue, action, {"assignee": simple_user(at.world, login)})
