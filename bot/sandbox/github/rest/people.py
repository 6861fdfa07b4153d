"""People, teams, rights, rate limits."""

from typing import Any

from bot.sandbox.github.access import role_of
from bot.sandbox.github.errors import forbidden, not_found
from bot.sandbox.github.records import Role, Team
from bot.sandbox.github.render import people as render
from bot.sandbox.github.routing import Answer, Call, Form, route

# The four old levels that `permission` speaks in; `role_name` tells the whole truth.
OLD_LEVEL: dict[Role, str] = {
    "none": "none",
    "read": "read",
    "triage": "read",
    "write": "write",
    "maintain": "write",
    "admin": "admin",
}


@route("GET", "/user")
def get_me(call: Call) -> Answer:
    if call.actor.app is not None:
        raise forbidden("Resource not accessible by integration")
    return Answer(200, render.private_user(call.world, call.world.known_account(call.actor.login)))


@route("GET", "/users/{username}", anonymous=True)
def get_user(call: Call) -> Answer:
    return Answer(200, render.public_user(call.world, call.world.known_account(call.params["username"])))


@route("GET", "/rate_limit", anonymous=True)
def get_rate_limit(call: Call) -> Answer:
    used, reset = call.world.limits.used(call.actor.key)
    limit = call.world.rate_limit
    core = {
        "limit": limit,
        "used": used,
        "remaining": max(limit - used, 0),
        "reset": reset,
        "resource": "core",
    }
    idle: dict[str, Any] = {"limit": 30, "used": 0, "remaining": 30, "reset": reset}
    return Answer(200, {"resources": {"core": core, "graphql": core, "search": idle}, "rate": core})


@route("GET", "/meta", anonymous=True)
def get_meta(_: Call) -> Answer:
    return Answer(200, {"verifiable_password_authentication": False, "installed_version": "3.17.0"})


@route("GET", "/repos/{owner}/{repo}/collaborators", app="metadata:read", role="write")
def list_collaborators(call: Call) -> Answer:
    names = [call.repo.owner, *call.repo.collaborators]
    return Answer(
        200,
        [
            render.simple_user(call.world, login) | {"role_name": role_of(call.world, call.repo, login)}
            for login in call.page(names)
        ],
    )


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", app="metadata:read")
def get_permission(call: Call) -> Answer:
    account = call.world.known_account(call.params["username"])
    role = role_of(call.world, call.repo, account.login)
    user = render.simple_user(call.world, account.login) | {"role_name": role}
    return Answer(200, {"permission": OLD_LEVEL[role], "role_name": role, "user": user})


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}", app="metadata:read")
def is_collaborator(call: Call) -> Answer:
    if role_of(call.world, call.repo, call.params["username"]) == "none":
        raise not_found()
    return Answer(204)


class InviteForm(Form):
    permission: str = "push"


@route("PUT", "/repos/{owner}/{repo}/collaborators/{username}", app="administration:write", role="admin")
def add_collaborator(call: Call) -> Answer:
    """Accepted at once: there is nobody to read an invitation."""
    levels: dict[str, Role] = {
        "pull": "read",
        "triage": "triage",
        "push": "write",
        "maintain": "maintain",
        "admin": "admin",
    }
    asked = call.form(InviteForm).permission
    if asked not in levels:
        raise not_found()
    call.repo.collaborators[call.world.known_account(call.params["username"]).login] = levels[asked]
    return Answer(204)


def _may_see_members(call: Call) -> None:
    if call.actor.installation is not None and not call.actor.may("members:read"):
        raise forbidden("Resource not accessible by integration")


def _organization(call: Call) -> str:
    account = call.world.known_account(call.params["org"])
    if account.kind != "Organization":
        raise not_found()
    _may_see_members(call)
    return account.login


def _team(call: Call) -> Team:
    organization = _organization(call)
    for team in call.world.state.teams:
        if team.organization == organization and team.slug == call.params["team"].casefold():
            return team
    raise not_found()


@route("GET", "/orgs/{org}/members/{username}")
def is_member(call: Call) -> Answer:
    account = call.world.known_account(_organization(call))
    if call.params["username"].casefold() not in {login.casefold() for login in account.members}:
        raise not_found()
    return Answer(204)


@route("GET", "/orgs/{org}")
def get_organization(call: Call) -> Answer:
    account = call.world.known_account(call.params["org"])
    if account.kind != "Organization":
        raise not_found()
    return Answer(200, render.organization(call.world, account))


@route("GET", "/orgs/{org}/teams")
def list_teams(call: Call) -> Answer:
    organization = _organization(call)
    teams = [team for team in call.world.state.teams if team.organization == organization]
    return Answer(200, [render.team_simple(call.world, team) for team in call.page(teams)])


@route("GET", "/orgs/{org}/teams/{team}")
def get_team(call: Call) -> Answer:
    return Answer(200, render.team_full(call.world, _team(call)))


@route("GET", "/orgs/{org}/teams/{team}/members")
def list_team_members(call: Call) -> Answer:
    team = _team(call)
    return Answer(200, [render.simple_user(call.world, login) for login in call.page(team.members)])


@route("GET", "/orgs/{org}/teams/{team}/memberships/{username}")
def get_membership(call: Call) -> Answer:
    team = _team(call)
    wanted = call.params["username"].casefold()
    for login in team.members:
        if login.casefold() == wanted:
            return Answer(200, render.team_membership(call.world, team, login))
    raise not_found()
