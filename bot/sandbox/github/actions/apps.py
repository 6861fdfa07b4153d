"""Registering and installing Apps."""

import re
import secrets
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox.github import events
from bot.sandbox.github.access import Actor
from bot.sandbox.github.records import Account, App, Installation, Kind
from bot.sandbox.github.render import apps as render
from bot.sandbox.github.render.people import timestamp
from bot.sandbox.github.render.repositories import short_repository
from bot.sandbox.github.world import World

KEY_BITS = 2048


def new_account(world: World, login: str, kind: Kind, name: str) -> Account:
    number = world.new_id()
    host = world.base.split("://")[1].split(":")[0]
    email = f"{number}+{login}@users.noreply.{host}"
    account = Account(number, login, kind, name, email, world.now())
    world.state.accounts[login.casefold()] = account
    return account


def slug_of(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.casefold()).strip("-")


def register_app(
    world: World,
    slug: str,
    *,
    owner: str,
    permissions: Mapping[str, str],
    subscribed: Sequence[str],
    webhook_url: str | None,
    webhook_secret: str | None,
) -> tuple[App, str]:
    """The App with its bot, and its private key in PEM, which is not kept."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    app = App(
        id=world.new_id(),
        slug=slug,
        name=slug,
        owner=owner,
        client_id=f"Iv1.{secrets.token_hex(8)}",
        public_key=public,
        permissions={"metadata": "read", **permissions},
        events=list(subscribed),
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        created_at=world.now(),
    )
    world.state.apps[app.id] = app
    new_account(world, f"{slug}[bot]", "Bot", f"{slug}[bot]")
    return app, private


def install_app(world: World, app: App, account: str, repositories: list[int] | None) -> Installation:
    now = world.now()
    record = Installation(
        world.new_id(), app.id, account, dict(app.permissions), list(app.events), repositories, now, now
    )
    world.state.installations[record.id] = record
    inside = [one for one in world.state.repositories.values() if world.covers(record, one)]
    payload = {
        "action": "created",
        "installation": render.installation(world, record),
        "repositories": [short_repository(one) for one in inside],
        "requester": None,
        "sender": events.sender(world, Actor(login=account)),
    }
    events.deliver(world, app, "installation", "created", payload, installation=record)
    return record


def set_repositories(world: World, record: Installation, repositories: list[int] | None) -> None:
    """Change what an installation covers, and tell the App what came and went."""
    state = world.state.repositories
    before = {one.id for one in state.values() if world.covers(record, one)}
    record.repositories, record.updated_at = repositories, world.now()
    after = {one.id for one in state.values() if world.covers(record, one)}
    for action, ids in (("added", after - before), ("removed", before - after)):
        if ids:
            changed = [short_repository(state[one]) for one in sorted(ids)]
            payload = {
                "action": action,
                "installation": render.installation(world, record),
                "repository_selection": "all" if repositories is None else "selected",
                "repositories_added": changed if action == "added" else [],
                "repositories_removed": changed if action == "removed" else [],
                "requester": None,
                "sender": events.sender(world, Actor(login=record.account)),
            }
            events.deliver(
                world, world.app_of(record), "installation_repositories", action, payload, installation=record
            )


def uninstall_app(world: World, record: Installation) -> None:
    """Its tokens stop working at once."""
    app = world.app_of(record)
    inside = [short_repository(one) for one in world.state.repositories.values() if world.covers(record, one)]
    payload = {
        "action": "deleted",
        "installation": render.installation(world, record),
        "repositories": inside,
        "sender": events.sender(world, Actor(login=record.account)),
    }
    del world.state.installations[record.id]
    events.deliver(world, app, "installation", "deleted", payload, installation=record)


def ping(world: World, app: App) -> None:
    """What a new webhook is greeted with."""
    hook = {
        "type": "App",
        "id": app.id,
        "name": "web",
        "active": True,
        "events": app.events,
        "config": {"content_type": "json", "insecure_ssl": "0", "url": app.webhook_url},
        "app_id": app.id,
        "created_at": timestamp(app.created_at),
        "updated_at": timestamp(app.created_at),
        "deliveries_url": world.api("/app/hook/deliveries"),
    }
    events.deliver(
        world, app, "ping", None, {"zen": "Keep it logically awesome.", "hook_id": app.id, "hook": hook}
    )
