"""The App about itself: installations, tokens, what it may see."""

import secrets
from datetime import timedelta
from typing import Any

from bot.sandbox.github.access import LEVELS, sees
from bot.sandbox.github.errors import Problem, forbidden, not_found, unauthorized, unprocessable
from bot.sandbox.github.records import App, Installation, Repository
from bot.sandbox.github.render import apps as render
from bot.sandbox.github.render.people import timestamp
from bot.sandbox.github.render.repositories import repository, repository_for
from bot.sandbox.github.routing import Answer, Call, Form, route

TOKEN_LIFE = timedelta(hours=1)


def the_app(call: Call) -> App:
    if call.actor.app is None or call.actor.installation is not None:
        raise unauthorized("A JSON web token could not be decoded")
    return call.actor.app


def own_installation(call: Call) -> Installation:
    app = the_app(call)
    found = call.world.state.installations.get(call.number("installation"))
    if found is None or found.app != app.id:
        raise not_found()
    return found


@route("GET", "/app")
def get_app(call: Call) -> Answer:
    return Answer(200, render.integration(call.world, the_app(call)))


@route("GET", "/apps/{slug}", anonymous=True)
def get_app_by_slug(call: Call) -> Answer:
    found = next((app for app in call.world.state.apps.values() if app.slug == call.params["slug"]), None)
    if found is None:
        raise not_found()
    return Answer(200, render.integration(call.world, found))


@route("GET", "/app/installations")
def list_installations(call: Call) -> Answer:
    app = the_app(call)
    own = [one for one in call.world.state.installations.values() if one.app == app.id]
    return Answer(200, [_listed(call, one) for one in call.page(own)])


def _listed(call: Call, record: Installation) -> dict[str, Any]:
    """GitHub describes the account of a listed installation as user and enterprise at once."""
    shown = render.installation(call.world, record)
    login, born = record.account, shown["created_at"]
    shown["account"] |= {"name": login, "slug": login, "created_at": born, "updated_at": born}
    return shown


@route("GET", "/app/installations/{installation}")
def get_installation(call: Call) -> Answer:
    return Answer(200, render.installation(call.world, own_installation(call)))


@route("GET", "/repos/{owner}/{repo}/installation")
def get_repository_installation(call: Call) -> Answer:
    app = the_app(call)
    found = next((one for one in call.world.installations_of(call.repo) if one.app == app.id), None)
    if found is None:
        raise not_found()
    return Answer(200, render.installation(call.world, found))


@route("GET", "/users/{username}/installation")
@route("GET", "/orgs/{username}/installation")
def get_account_installation(call: Call) -> Answer:
    app = the_app(call)
    login = call.params["username"].casefold()
    for one in call.world.state.installations.values():
        if one.app == app.id and one.account.casefold() == login:
            return Answer(200, render.installation(call.world, one))
    raise not_found()


class TokenForm(Form):
    repositories: list[str] | None = None
    repository_ids: list[int] | None = None
    permissions: dict[str, str] | None = None


@route("POST", "/app/installations/{installation}/access_tokens")
def create_token(call: Call) -> Answer:
    installation = own_installation(call)
    if installation.suspended_at is not None:
        raise forbidden("This installation has been suspended")
    form = call.form(TokenForm)
    permissions = _narrowed(installation, form.permissions)
    chosen = _chosen(call, installation, form)
    world = call.world
    app = world.app_of(installation)
    token = world.new_token("ghs", world.bot_of(app).login)
    token.installation = installation.id
    token.permissions = permissions
    token.repositories = [one.id for one in chosen] if chosen is not None else None
    token.expires_at = world.now() + TOKEN_LIFE
    narrow = chosen is not None or installation.repositories is not None
    said: dict[str, Any] = {
        "token": token.value,
        "expires_at": timestamp(token.expires_at),
        "permissions": permissions,
        "repository_selection": "selected" if narrow else "all",
    }
    if chosen is not None:
        said["repositories"] = [repository(world, one) for one in chosen]
    return Answer(201, said)


def _narrowed(installation: Installation, asked: dict[str, str] | None) -> dict[str, str]:
    if not asked:
        return dict(installation.permissions)
    for name, level in asked.items():
        held = installation.permissions.get(name, "none")
        if level not in LEVELS or LEVELS.index(level) > LEVELS.index(held):
            raise unprocessable("The permissions requested are not granted to this installation.")
    return {"metadata": "read"} | asked


def _chosen(call: Call, installation: Installation, form: TokenForm) -> list[Repository] | None:
    if form.repositories is None and form.repository_ids is None:
        return None
    names = {name.casefold() for name in form.repositories or []}
    numbers = set(form.repository_ids or [])
    covered = [one for one in call.world.state.repositories.values() if call.world.covers(installation, one)]
    chosen = [one for one in covered if one.id in numbers or one.name.casefold() in names]
    if {one.name.casefold() for one in chosen} < names or {one.id for one in chosen} < numbers:
        raise unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent"
            " installation."
        )
    return chosen


@route("GET", "/installation/repositories")
def list_repositories(call: Call) -> Answer:
    actor = call.actor
    if actor.installation is None:
        raise forbidden(
            "You must authenticate with an installation access token in order to list repositories"
            " for an installation."
        )
    inside = [
        one
        for one in call.world.state.repositories.values()
        if call.world.covers(actor.installation, one)
        and (actor.repositories is None or one.id in actor.repositories)
    ]
    return Answer(
        200,
        {
            "total_count": len(inside),
            "repository_selection": "all" if actor.installation.repositories is None else "selected",
            "repositories": [repository(call.world, one) for one in call.page(inside)],
        },
    )


@route("GET", "/user/installations")
def list_own_installations(call: Call) -> Answer:
    """Of the accounts where the person sees a repository."""
    shown = [one for one in call.world.state.installations.values() if _shared(call, one)]
    listed = [render.installation(call.world, one) for one in call.page(shown)]
    return Answer(200, {"total_count": len(shown), "installations": listed})


@route("GET", "/user/installations/{installation}/repositories")
def list_own_repositories(call: Call) -> Answer:
    found = call.world.state.installations.get(call.number("installation"))
    inside = _shared(call, found) if found is not None else []
    if found is None or not inside:
        raise not_found()
    return Answer(
        200,
        {
            "total_count": len(inside),
            "repository_selection": "all" if found.repositories is None else "selected",
            "repositories": [repository_for(call.world, one, call.actor) for one in call.page(inside)],
        },
    )


def _shared(call: Call, installation: Installation) -> list[Repository]:
    """What both the installation and the person reach."""
    if call.actor.app is not None:
        raise forbidden("Resource not accessible by integration")
    every = call.world.state.repositories.values()
    return [
        one for one in every if call.world.covers(installation, one) and sees(call.world, call.actor, one)
    ]


@route("DELETE", "/installation/token")
def revoke_token(call: Call) -> Answer:
    mine = [
        t for t in call.world.state.tokens.values() if t.value == call.secret and t.installation is not None
    ]
    if not mine:
        raise unauthorized()
    del call.world.state.tokens[mine[0].value]
    return Answer(204)


class HookForm(Form):
    url: str | None = None
    secret: str | None = None
    content_type: str | None = None
    insecure_ssl: str | int | None = None


def _hook(app: App) -> dict[str, Any]:
    said = {"content_type": "json", "insecure_ssl": "0", "url": app.webhook_url or ""}
    return said | ({"secret": "********"} if app.webhook_secret else {})


@route("GET", "/app/hook/config")
def get_hook(call: Call) -> Answer:
    return Answer(200, _hook(the_app(call)))


@route("PATCH", "/app/hook/config")
def edit_hook(call: Call) -> Answer:
    app, form = the_app(call), call.form(HookForm)
    if form.url is not None:
        if not form.url.startswith(("http://", "https://")):
            raise Problem(
                422, "Validation Failed", errors=[{"resource": "Hook", "field": "url", "code": "invalid"}]
            )
        app.webhook_url = form.url
    if form.secret is not None:
        app.webhook_secret = form.secret
    return Answer(200, _hook(app))


@route("POST", "/app-manifests/{code}/conversions", anonymous=True)
def convert_manifest(call: Call) -> Answer:
    world = call.world
    found = world.state.manifests.pop(call.params["code"], None)
    if found is None or found.expires_at <= world.now():
        raise not_found()
    app = world.state.apps[found.app]
    return Answer(
        201,
        render.integration(world, app)
        | {
            "client_secret": secrets.token_hex(20),
            "webhook_secret": app.webhook_secret,
            "pem": found.private_key,
        },
    )
