"""Issues, labels, assignees."""

import re
from typing import Any

from bot.sandbox.github import events
from bot.sandbox.github.access import Actor, may_write, role_of
from bot.sandbox.github.actions.branches import emit_pull
from bot.sandbox.github.errors import custom, forbidden, invalid
from bot.sandbox.github.records import Issue, Label, Repository
from bot.sandbox.github.render.issues import issue as render_issue
from bot.sandbox.github.render.issues import label as render_label
from bot.sandbox.github.render.people import simple_user
from bot.sandbox.github.world import World

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
    world: World,
    repo: Repository,
    actor: Actor,
    *,
    title: str,
    body: str | None,
    labels: list[str] | None = None,
    assignees: list[str] | None = None,
) -> Issue:
    check_title("Issue", title)
    check_body("Issue", body)
    issue = new_issue(world, repo, actor, title, body)
    emit_issue(world, repo, actor, issue, "opened")
    if labels:
        add_labels(world, repo, actor, issue, labels)
    if assignees:
        add_assignees(world, repo, actor, issue, assignees)
    return issue


def new_issue(world: World, repo: Repository, actor: Actor, title: str, body: str | None) -> Issue:
    repo.last_number += 1
    now = world.now()
    issue = Issue(
        id=world.new_id(),
        number=repo.last_number,
        title=title,
        body=body,
        login=actor.login,
        created_at=now,
        updated_at=now,
        app=actor.app_id,
    )
    repo.issues[issue.number] = issue
    return issue


def emit_issue(
    world: World, repo: Repository, actor: Actor, issue: Issue, action: str, more: JSON | None = None
) -> None:
    """An event of an issue, or of the pull request that it is."""
    if issue.pull is not None:
        emit_pull(world, repo, actor, issue, action, more)
    else:
        payload = {"issue": render_issue(world, repo, issue), **(more or {})}
        events.emit(world, repo, actor, "issues", action, payload)


def may_edit(world: World, repo: Repository, actor: Actor, author: str) -> None:
    """Authors edit their own words; others need write access."""
    permission = "issues"
    if actor.login == author:
        return
    if not (may_write(world, repo, actor, permission) or may_write(world, repo, actor, "pull_requests")):
        raise forbidden("Must have admin rights to Repository.")


def edit_issue(
    world: World,
    repo: Repository,
    actor: Actor,
    issue: Issue,
    *,
    title: str | None = None,
    body: str | None = None,
    state: str | None = None,
    state_reason: str | None = None,
) -> None:
    may_edit(world, repo, actor, issue.login)
    changes: JSON = {}
    if title is not None and title != issue.title:
        changes["title"] = {"from": issue.title}
        issue.title = check_title("Issue", title)
    if body is not None and body != issue.body:
        changes["body"] = {"from": issue.body or ""}
        issue.body = check_body("Issue", body)
    if changes:
        issue.updated_at = world.now()
        emit_issue(world, repo, actor, issue, "edited", {"changes": changes})
    if state is not None and state != issue.state:
        set_state(world, repo, actor, issue, state, state_reason)


def set_state(
    world: World, repo: Repository, actor: Actor, issue: Issue, state: str, reason: str | None = None
) -> None:
    now = world.now()
    issue.updated_at = now
    if state == "closed":
        issue.state, issue.closed_at, issue.closed_by = "closed", now, actor.login
        issue.state_reason = None if issue.pull is not None else reason or "completed"
    else:
        issue.state, issue.closed_at, issue.closed_by = "open", None, None
        issue.state_reason = None if issue.pull is not None else "reopened"
    emit_issue(world, repo, actor, issue, "closed" if state == "closed" else "reopened")


# Labels.
def find_label(repo: Repository, name: str) -> Label | None:
    return next((label for label in repo.labels if label.name.casefold() == name.casefold()), None)


def create_label(
    world: World, repo: Repository, actor: Actor, name: str, color: str, description: str | None
) -> Label:
    if not name.strip():
        raise invalid("Label", "name", "missing_field")
    if len(name) > LONGEST_LABEL:
        raise invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")
    if not re.fullmatch("[0-9a-fA-F]{6}", color):
        raise invalid("Label", "color")
    if find_label(repo, name) is not None:
        raise invalid("Label", "name", "already_exists")
    label = Label(world.new_id(), name, color.lower(), description)
    repo.labels.append(label)
    events.emit(world, repo, actor, "label", "created", {"label": render_label(world, repo, label)})
    return label


def add_labels(world: World, repo: Repository, actor: Actor, issue: Issue, names: list[str]) -> None:
    """Labels that do not exist yet are created, as GitHub does."""
    for name in names:
        label = find_label(repo, name) or create_label(world, repo, actor, name, "ededed", None)
        if label.name not in issue.labels:
            issue.labels.append(label.name)
            issue.updated_at = world.now()
            emit_issue(world, repo, actor, issue, "labeled", {"label": render_label(world, repo, label)})


def remove_label(world: World, repo: Repository, actor: Actor, issue: Issue, name: str) -> bool:
    label = find_label(repo, name)
    if label is None or label.name not in issue.labels:
        return False
    issue.labels.remove(label.name)
    issue.updated_at = world.now()
    emit_issue(world, repo, actor, issue, "unlabeled", {"label": render_label(world, repo, label)})
    return True


def set_labels(world: World, repo: Repository, actor: Actor, issue: Issue, names: list[str]) -> None:
    wanted = {name.casefold() for name in names}
    for name in [name for name in issue.labels if name.casefold() not in wanted]:
        remove_label(world, repo, actor, issue, name)
    add_labels(world, repo, actor, issue, names)


# Assignees.
def add_assignees(world: World, repo: Repository, actor: Actor, issue: Issue, logins: list[str]) -> None:
    """People without access are left out in silence, as GitHub does."""
    for login in logins:
        account = world.account(login)
        if (
            account is None
            or role_of(world, repo, account.login) == "none"
            or account.login in issue.assignees
        ):
            continue
        if len(issue.assignees) == MOST_ASSIGNEES:
            raise custom("Issue", "cannot have more than 10 assignees")
        issue.assignees.append(account.login)
        _assigned(world, repo, actor, issue, account.login, "assigned")


def remove_assignees(world: World, repo: Repository, actor: Actor, issue: Issue, logins: list[str]) -> None:
    gone = {login.casefold() for login in logins}
    for login in [login for login in issue.assignees if login.casefold() in gone]:
        issue.assignees.remove(login)
        _assigned(world, repo, actor, issue, login, "unassigned")


def _assigned(world: World, repo: Repository, actor: Actor, issue: Issue, login: str, action: str) -> None:
    issue.updated_at = world.now()
    emit_issue(world, repo, actor, issue, action, {"assignee": simple_user(world, login)})
