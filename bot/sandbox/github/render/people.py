"""Accounts, teams and memberships."""

from typing import Any

from bot.sandbox.github.records import Account, Team
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]


def timestamp(when: Any) -> str:
    """GitHub's time: UTC, whole seconds, `Z`."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def optional_timestamp(when: Any) -> str | None:
    return timestamp(when) if when is not None else None


def simple_user(world: World, login: str) -> JSON:
    """A login that has no account is shown as GitHub shows deleted people: as `ghost`."""
    account = world.account(login)
    known = account.login if account is not None else "ghost"
    number = account.id if account is not None else 1
    url = world.api(f"/users/{known}")
    return {
        "login": known,
        "id": number,
        "node_id": node_id("User", number),
        "avatar_url": world.html(f"/avatars/{known.removesuffix('[bot]')}"),
        "gravatar_id": "",
        "url": url,
        "html_url": world.html(
            f"/apps/{known.removesuffix('[bot]')}" if known.endswith("[bot]") else f"/{known}"
        ),
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": account.kind if account is not None else "User",
        "user_view_type": "public",
        "site_admin": False,
    }


def optional_user(world: World, login: str | None) -> JSON | None:
    return simple_user(world, login) if login is not None else None


def public_user(world: World, account: Account) -> JSON:
    owned = [r for r in world.state.repositories.values() if r.owner == account.login and not r.private]
    return simple_user(world, account.login) | {
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email if account.kind == "User" else None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": len(owned),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": timestamp(account.created_at),
        "updated_at": timestamp(account.created_at),
    }


def private_user(world: World, account: Account) -> JSON:
    """What a person sees of themselves."""
    return public_user(world, account) | {
        "private_gists": 0,
        "total_private_repos": 0,
        "owned_private_repos": 0,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
    }


def organization(world: World, account: Account) -> JSON:
    url = world.api(f"/orgs/{account.login}")
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("Organization", account.id),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": world.html(f"/avatars/{account.login}"),
        "description": None,
        "name": account.name,
        "html_url": world.html(f"/{account.login}"),
        "has_organization_projects": False,
        "has_repository_projects": False,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "type": "Organization",
        "created_at": timestamp(account.created_at),
        "updated_at": timestamp(account.created_at),
        "archived_at": None,
    }


def team_simple(world: World, team: Team) -> JSON:
    url = world.api(f"/orgs/{team.organization}/teams/{team.slug}")
    return {
        "id": team.id,
        "node_id": node_id("Team", team.id),
        "name": team.name,
        "slug": team.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": url,
        "html_url": world.html(f"/orgs/{team.organization}/teams/{team.slug}"),
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "type": "organization",
        "parent": None,
    }


def team_full(world: World, team: Team) -> JSON:
    return team_simple(world, team) | {
        "created_at": timestamp(team.created_at),
        "updated_at": timestamp(team.created_at),
        "members_count": len({*team.members, *team.maintainers}),
        "repos_count": 0,
        "organization": organization(world, world.known_account(team.organization)),
    }


def team_membership(world: World, team: Team, login: str) -> JSON:
    return {
        "url": world.api(f"/orgs/{team.organization}/teams/{team.slug}/memberships/{login}"),
        "role": "maintainer" if login in team.maintainers else "member",
        "state": "active",
    }
