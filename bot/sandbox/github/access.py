"""Who is asking, and what they may do."""

from dataclasses import dataclass

import jwt

from bot.sandbox.github.errors import forbidden, not_found, unauthorized
from bot.sandbox.github.records import ROLES, App, Installation, Repository, Role
from bot.sandbox.github.world import World

LONGEST_JWT_SECONDS = 600
CLOCK_SKEW_SECONDS = 60
LEVELS = ("none", "read", "write", "admin")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (`login` only), an App (`app` only), an installation (`login` is its bot), or nobody."""

    login: str = ""
    app: App | None = None
    installation: Installation | None = None
    permissions: dict[str, str] | None = None
    repositories: frozenset[int] | None = None
    key: str = "anonymous"

    @property
    def app_id(self) -> int | None:
        """The App that a comment or deployment is `performed_via`."""
        return self.app.id if self.installation is not None and self.app is not None else None

    def may(self, need: str) -> bool:
        """Whether an installation's token carries `permission:level`; alternatives are parted by `|`."""
        granted = self.permissions or {}
        for choice in need.split("|"):
            permission, _, level = choice.partition(":")
            held = granted.get(permission, "read" if permission == "metadata" else "none")
            if LEVELS.index(held) >= LEVELS.index(level):
                return True
        return False


def authenticate(world: World, header: str | None) -> Actor:
    """The actor behind an Authorization header. Raises 401 for credentials that are not good."""
    if not header:
        return Actor()
    scheme, _, secret = header.partition(" ")
    if scheme.lower() not in {"bearer", "token"} or not secret:
        raise unauthorized("Requires authentication")
    if secret.count(".") == 2:  # noqa: PLR2004 - a JWT has three parts
        return _app(world, secret)
    return actor_of_token(world, secret)


def actor_of_token(world: World, secret: str) -> Actor:
    token = world.state.tokens.get(secret)
    if token is None or (token.expires_at is not None and token.expires_at <= world.now()):
        raise unauthorized()
    if token.installation is None:
        return Actor(login=token.login, key=f"user:{token.login}")
    installation = world.state.installations.get(token.installation)
    if installation is None:
        raise unauthorized()
    if installation.suspended_at is not None:
        raise forbidden("This installation has been suspended")
    app = world.app_of(installation)
    return Actor(
        login=token.login,
        app=app,
        installation=installation,
        permissions=token.permissions,
        repositories=frozenset(token.repositories) if token.repositories is not None else None,
        key=f"installation:{installation.id}",
    )


def _app(world: World, token: str) -> Actor:
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
    except jwt.InvalidTokenError:
        raise unauthorized("A JSON web token could not be decoded") from None
    app = next((a for a in world.state.apps.values() if issuer in {str(a.id), a.client_id}), None)
    if app is None:
        raise not_found("Integration not found")
    try:
        claims = jwt.decode(
            token,
            app.public_key,
            algorithms=["RS256"],
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": ["exp", "iat"], "verify_iss": False},
        )
    except jwt.ExpiredSignatureError:
        raise unauthorized(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            " at which the assertion expires"
        ) from None
    except jwt.ImmatureSignatureError:
        raise unauthorized(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        ) from None
    except jwt.InvalidTokenError:
        raise unauthorized("A JSON web token could not be decoded") from None
    if claims["exp"] > world.now().timestamp() + LONGEST_JWT_SECONDS + CLOCK_SKEW_SECONDS:
        raise unauthorized("'Expiration time' claim ('exp') is too far in the future")
    return Actor(app=app, key=f"app:{app.id}")


def role_of(world: World, repository: Repository, login: str) -> Role:
    """A person's own right in a repository: the owner is an admin, others are as invited."""
    if login.casefold() == repository.owner.casefold():
        return "admin"
    given = {name.casefold(): role for name, role in repository.collaborators.items()}.get(
        login.casefold(), "none"
    )
    public: Role = "none" if repository.private or world.account(login) is None else "read"
    return max(given, public, key=ROLES.index)


def sees(world: World, actor: Actor, repository: Repository) -> bool:
    if not repository.private:
        return True
    if actor.installation is not None:
        inside = actor.repositories is None or repository.id in actor.repositories
        return inside and world.covers(actor.installation, repository)
    return bool(actor.login) and role_of(world, repository, actor.login) != "none"


def require(world: World, actor: Actor, repository: Repository, *, app: str, role: Role) -> None:
    """Raise what GitHub answers when the actor may not do this here.

    `app` is what an installation's token must carry (`pull_requests:write`), `role` what a person must be.
    """
    if not sees(world, actor, repository) or (actor.app is not None and actor.installation is None):
        raise not_found()
    if actor.installation is not None:
        covered = world.covers(actor.installation, repository)
        narrowed = actor.repositories is not None and repository.id not in actor.repositories
        if not actor.may(app) or ((not covered or narrowed) and not app.endswith(":read")):
            raise forbidden("Resource not accessible by integration")
        return
    if role == "read" and not app.endswith(":write"):
        return
    if not actor.login:
        raise unauthorized("Requires authentication")
    if ROLES.index(role_of(world, repository, actor.login)) < ROLES.index(role):
        raise forbidden(
            "Must have admin rights to Repository."
            if role == "admin"
            else "Must have push access to repository"
            if role == "write"
            else "Must have triage access to repository"
        )
