"""From something that happened to the deliveries of it: who listens, and the payload they get."""

import json
import uuid
from typing import Any

from bot.sandbox.github.access import Actor
from bot.sandbox.github.records import App, Delivery, Installation, Repository
from bot.sandbox.github.render.people import simple_user
from bot.sandbox.github.render.repositories import pushed_repository, repository
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.webhooks import signature
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]

# The permission that an App must hold to be told of an event, as GitHub's documentation of each event says.
NEEDED = {
    "check_run": ("checks",),
    "check_suite": ("checks",),
    "deployment": ("deployments",),
    "deployment_status": ("deployments",),
    "issue_comment": ("issues", "pull_requests"),
    "issues": ("issues",),
    "label": ("issues", "pull_requests", "metadata"),
    "pull_request": ("pull_requests",),
    "pull_request_review": ("pull_requests",),
    "push": ("contents",),
    "create": ("contents",),
    "delete": ("contents",),
    "status": ("statuses",),
}
MOST_KEPT = 2000
ALWAYS = frozenset({"installation", "installation_repositories", "ping"})


def sender(world: World, actor: Actor) -> JSON:
    return simple_user(world, actor.login)


def emit(
    at: Visit,
    event: str,
    action: str | None,
    payload: JSON,
    *,
    app: int | None = None,
) -> None:
    """Tell every App that is installed here, subscribed and allowed to know; with `app`, only that one."""
    common: JSON | None = None
    for installation in at.world.installations_of(at.repo):
        listener = at.world.app_of(installation)
        if app is not None and listener.id != app:
            continue
        if installation.suspended_at is not None or not _listens(installation, event):
            continue
        if common is None:
            shown = pushed_repository if event == "push" else repository
            common = {**({"action": action} if action is not None else {}), **payload}
            common |= {"repository": shown(at.world, at.repo), "sender": sender(at.world, at.actor)}
            owner = at.world.account(at.repo.owner)
            if owner is not None and owner.kind == "Organization":
                common["organization"] = _organization(at.world, owner.login)
        deliver(at.world, listener, event, action, common, installation=installation, repo=at.repo)


def _organization(world: World, login: str) -> JSON:
    url = world.api(f"/orgs/{login}")
    user = simple_user(world, login)
    return {
        "login": login,
        "id": user["id"],
        "node_id": user["node_id"],
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": user["avatar_url"],
        "description": "",
    }


def _listens(installation: Installation, event: str) -> bool:
    if event in ALWAYS:
        return True
    held = installation.permissions
    return event in installation.events and any(name in held for name in NEEDED.get(event, ()))


def deliver(
    world: World,
    app: App,
    event: str,
    action: str | None,
    payload: JSON,
    *,
    installation: Installation | None = None,
    repo: Repository | None = None,
) -> None:
    """Record one delivery and start it."""
    if app.webhook_url is None:
        return
    if installation is not None and "installation" not in payload:
        short = {"id": installation.id, "node_id": node_id("IntegrationInstallation", installation.id)}
        payload = payload | {"installation": short}
    body = json.dumps(payload)
    guid = str(uuid.uuid4())
    record = Delivery(
        id=world.new_id(),
        guid=guid,
        app=app.id,
        event=event,
        action=action,
        installation=installation.id if installation is not None else None,
        repository=repo.id if repo is not None else None,
        delivered_at=world.now(),
        request_headers=headers(app, event, guid, body),
        body=body,
    )
    _keep(world, record)
    world.outbox.send(record, app.webhook_url)


def headers(app: App, event: str, guid: str, body: str) -> dict[str, str]:
    said = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    if app.webhook_secret:
        said["X-Hub-Signature-256"] = signature(app.webhook_secret, body.encode())
    return said


def redeliver(world: World, app: App, old: Delivery) -> None:
    """The same event once more: same guid, same body, signed with the secret of today."""
    if app.webhook_url is None:
        return
    record = Delivery(
        id=world.new_id(),
        guid=old.guid,
        app=app.id,
        event=old.event,
        action=old.action,
        installation=old.installation,
        repository=old.repository,
        delivered_at=world.now(),
        request_headers=headers(app, old.event, old.guid, old.body),
        body=old.body,
        redelivery=True,
    )
    _keep(world, record)
    world.outbox.send(record, app.webhook_url)


def _keep(world: World, record: Delivery) -> None:
    """Old deliveries are forgotten, as GitHub forgets them after some days."""
    world.state.deliveries.append(record)
    del world.state.deliveries[:-MOST_KEPT]
