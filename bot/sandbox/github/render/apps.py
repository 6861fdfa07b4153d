"""Apps, installations, tokens and deliveries."""

import json
from typing import Any

from bot.sandbox.github.records import App, Delivery, Installation
from bot.sandbox.github.render.people import optional_timestamp, simple_user, timestamp
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]


def integration(world: World, app: App) -> JSON:
    return {
        "id": app.id,
        "client_id": app.client_id,
        "slug": app.slug,
        "node_id": node_id("App", app.id),
        "owner": simple_user(world, app.owner),
        "name": app.name,
        "description": app.description,
        "external_url": app.external_url,
        "html_url": world.html(f"/apps/{app.slug}"),
        "created_at": timestamp(app.created_at),
        "updated_at": timestamp(app.created_at),
        "permissions": app.permissions,
        "events": app.events,
        "installations_count": sum(i.app == app.id for i in world.state.installations.values()),
    }


def optional_integration(world: World, app: int | None) -> JSON | None:
    return integration(world, world.state.apps[app]) if app in world.state.apps else None


def installation(world: World, record: Installation) -> JSON:
    app = world.app_of(record)
    account = simple_user(world, record.account)
    return {
        "id": record.id,
        "client_id": app.client_id,
        "account": account,
        "repository_selection": "all" if record.repositories is None else "selected",
        "access_tokens_url": world.api(f"/app/installations/{record.id}/access_tokens"),
        "repositories_url": world.api("/installation/repositories"),
        "html_url": world.html(f"/settings/installations/{record.id}"),
        "app_id": app.id,
        "app_slug": app.slug,
        "target_id": account["id"],
        "target_type": account["type"],
        "permissions": record.permissions,
        "events": record.events,
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.updated_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": optional_timestamp(record.suspended_at),
    }


def delivery_item(delivery: Delivery) -> JSON:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": timestamp(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation,
        "repository_id": delivery.repository,
        "throttled_at": None,
    }


def delivery(world: World, record: Delivery) -> JSON:
    return delivery_item(record) | {
        "url": world.state.apps[record.app].webhook_url,
        "request": {"headers": record.request_headers, "payload": json.loads(record.body)},
        "response": {"headers": record.response_headers, "payload": record.response_body},
    }
