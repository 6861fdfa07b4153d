"""Registering an App from a manifest and installing it, as a person clicks through it."""

import json
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from bot.sandbox.github.access import LEVELS, role_of
from bot.sandbox.github.actions.apps import (
    install_app,
    new_account,
    ping,
    register_app,
    set_repositories,
    slug_of,
)
from bot.sandbox.github.errors import Problem, forbidden, not_found, unprocessable
from bot.sandbox.github.pages.site import Page, back, page
from bot.sandbox.github.records import App, Manifest, Repository

JSON = dict[str, Any]
CODE_LIFE = timedelta(hours=1)
LONGEST_NAME = 34


def _read(raw: str) -> JSON:
    """The manifest, checked as GitHub checks it. Raises 422 naming what is wrong."""
    try:
        manifest = json.loads(raw)
    except ValueError:
        raise unprocessable("The manifest is not valid JSON") from None
    if not isinstance(manifest, dict):
        raise unprocessable("The manifest is not an object")
    if not _is_url(manifest.get("url")):
        raise unprocessable("The manifest needs a url: the homepage of the App")
    for place in (manifest.get("redirect_url"), manifest.get("setup_url"), _hook(manifest)):
        if place is not None and not _is_url(place):
            raise unprocessable(f"{place} is not a web address")
    permissions = manifest.get("default_permissions", {})
    if not isinstance(permissions, dict) or any(level not in LEVELS[1:] for level in permissions.values()):
        raise unprocessable("default_permissions must map a permission to read, write or admin")
    subscribed = manifest.get("default_events", [])
    if not isinstance(subscribed, list) or not all(isinstance(name, str) for name in subscribed):
        raise unprocessable("default_events must be a list of event names")
    return manifest


def _is_url(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _hook(manifest: JSON) -> str | None:
    hook = manifest.get("hook_attributes")
    url = hook.get("url") if isinstance(hook, dict) else None
    return str(url) if url is not None else None


@page("POST", "/settings/apps/new")
@page("POST", "/organizations/{organization}/settings/apps/new")
def ask(asked: Page) -> Response:
    """GitHub shows what would be created and asks for the name."""
    raw = asked.field("manifest")
    manifest = _read(raw)
    shown = {
        "name": str(manifest.get("name") or ""),
        "hook": _hook(manifest),
        "permissions": manifest.get("default_permissions", {}),
        "events": manifest.get("default_events", []),
    }
    owner = asked.params.get("organization", "")
    if owner:
        asked.world.known_account(owner)
    state = asked.query.get("state", asked.field("state"))
    return asked.show(
        "app.html",
        "Create GitHub App",
        step="new",
        manifest=shown,
        raw=raw,
        app_state=state,
        organization=owner,
    )


@page("POST", "/settings/apps/confirm")
def create(asked: Page) -> Response:
    """Register the App and send the person back with a code that is good for an hour."""
    world, manifest = asked.world, _read(asked.field("manifest"))
    name = asked.field("name").strip()
    slug = slug_of(name)
    if not slug or len(name) > LONGEST_NAME:
        raise unprocessable("Name must be of 1 to 34 characters")
    if any(app.slug == slug for app in world.state.apps.values()):
        raise unprocessable("Name is already taken")
    owner = asked.field("organization") or asked.me or "operator"
    if world.account(owner) is None:
        new_account(world, owner, "User", owner)
    app, private_key = register_app(
        world,
        slug,
        owner=owner,
        permissions=manifest.get("default_permissions", {}),
        subscribed=manifest.get("default_events", []),
        webhook_url=_hook(manifest),
        webhook_secret=secrets.token_hex(20),
    )
    app.name, app.external_url = name, manifest["url"]
    app.description = str(manifest.get("description") or "")
    app.setup_url = manifest.get("setup_url")
    code = secrets.token_hex(20)
    world.state.manifests[code] = Manifest(code, app.id, private_key, world.now() + CODE_LIFE)
    if app.webhook_url is not None:
        ping(world, app)
    redirect = manifest.get("redirect_url")
    if redirect is None:
        return back(f"/apps/{slug}")
    given = {"code": code} | ({"state": asked.field("state")} if asked.field("state") else {})
    return back(f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(given)}")


def _app(asked: Page) -> App:
    found = next((app for app in asked.world.state.apps.values() if app.slug == asked.params["slug"]), None)
    if found is None:
        raise not_found()
    return found


@page("GET", "/apps/{slug}")
def show(asked: Page) -> Response:
    app = _app(asked)
    installations = sum(one.app == app.id for one in asked.world.state.installations.values())
    return asked.show("app.html", app.name, step="show", app=app, installations=installations)


def _own(asked: Page) -> list[Repository]:
    """What the visitor may install Apps on; nobody in particular may on all, for this is a sandbox."""
    every = list(asked.world.state.repositories.values())
    return [one for one in every if not asked.me or role_of(asked.world, one, asked.me) == "admin"]


@page("GET", "/apps/{slug}/installations/new")
@page("GET", "/github-apps/{slug}/installations/new")
def choose(asked: Page) -> Response:
    app = _app(asked)
    state = asked.query.get("state", "")
    return asked.show(
        "app.html", f"Install {app.name}", step="install", app=app, repositories=_own(asked), app_state=state
    )


@page("POST", "/apps/{slug}/installations")
def install(asked: Page) -> Response:
    """One installation for each account; then on to the App's own page, as its owner set it up."""
    app, wanted = _app(asked), set(asked.fields("repository"))
    chosen = [one for one in _own(asked) if one.full_name in wanted]
    if len(chosen) != len(wanted):
        raise forbidden("You may install Apps only on repositories that you administer.")
    if not chosen:
        raise Problem(422, "Choose at least one repository")
    record = None
    for account in sorted({one.owner for one in chosen}):
        ids = [one.id for one in chosen if one.owner == account]
        known = [
            i for i in asked.world.state.installations.values() if (i.app, i.account) == (app.id, account)
        ]
        record = known[0] if known else install_app(asked.world, app, account, ids)
        if known and record.repositories is not None:
            set_repositories(asked.world, record, sorted({*record.repositories, *ids}))
    assert record is not None
    if app.setup_url is None:
        return back(f"/apps/{app.slug}")
    given = {"installation_id": str(record.id), "setup_action": "install"}
    if asked.field("state"):
        given["state"] = asked.field("state")
    return back(f"{app.setup_url}{'&' if '?' in app.setup_url else '?'}{urlencode(given)}")
