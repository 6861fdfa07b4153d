"""One way for every REST call: who asks, may they, do it, and the headers that GitHub puts on each answer."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.sandbox.github.access import Actor, authenticate, require
from bot.sandbox.github.errors import Problem, not_found, unauthorized
from bot.sandbox.github.git import GitRepository
from bot.sandbox.github.records import Repository, Role
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

MOST_PER_PAGE = 100
PER_PAGE = 30


class Form(BaseModel):
    """The JSON body of a call; unknown fields are ignored as GitHub does, wrong types are refused."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


F = TypeVar("F", bound=Form)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One request, ready for a handler."""

    world: World
    method: str
    path: str
    params: Mapping[str, Any]
    query: Mapping[str, str]
    raw: bytes
    secret: str = field(default="", repr=False)
    actor: Actor = field(default_factory=Actor)
    links: dict[str, str] = field(default_factory=dict)
    _repo: Repository | None = None

    @property
    def repo(self) -> Repository:
        if self._repo is None:
            self._repo = self.world.repository(self.params["owner"], self.params["repo"])
        if self._repo is None:
            raise self._moved()
        return self._repo

    def _moved(self) -> Problem:
        """What is said of a name that leads elsewhere: a reader is sent on, a writer asks there anew."""
        owner, name = self.params["owner"], self.params["repo"]
        repo = self.world.moved(owner, name)
        if repo is None:
            return not_found()
        rest = self.path.removeprefix(f"/repos/{owner}/{name}")
        address = self.world.api(f"/repos/{repo.full_name}{rest}")
        query = f"?{urlencode(self.query)}" if self.query else ""
        permanent = self.method == "GET"
        return Problem(
            301 if permanent else 307,
            "Moved Permanently" if permanent else "Temporary Redirect",
            headers={"Location": f"{address}{query}"},
        )

    @property
    def git(self) -> GitRepository:
        return self.world.git(self.repo)

    @property
    def visit(self) -> Visit:
        return Visit(self.world, self.repo, self.actor)

    def number(self, name: str) -> int:
        """A path parameter that must be a number; anything else does not exist."""
        text = str(self.params[name])
        if not text.isdecimal():
            raise not_found()
        return int(text)

    def json(self) -> Any:
        if not self.raw:
            return {}
        try:
            body = json.loads(self.raw)
            # Half of a surrogate pair is no text; it could not be answered either.
            json.dumps(body, ensure_ascii=False).encode()
        except ValueError:
            raise Problem(400, "Problems parsing JSON") from None
        return body

    def form(self, kind: type[F]) -> F:
        """The body as a form. Raises GitHub's 422 that names the first field that does not fit."""
        body = self.json()
        if not isinstance(body, dict):
            raise Problem(400, "Body should be a JSON object")
        return read_form(kind, body)

    def page(self, items: Sequence[T]) -> list[T]:
        """The asked page of a listing; the Link header is set for the others."""
        size = min(max(self._count("per_page", PER_PAGE), 1), MOST_PER_PAGE)
        number = max(self._count("page", 1), 1)
        last = max((len(items) + size - 1) // size, 1)
        if number > 1:
            self._link("prev", number - 1)
            self._link("first", 1)
        if number < last:
            self._link("next", number + 1)
            self._link("last", last)
        return list(items[(number - 1) * size : number * size])

    def _count(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else default

    def _link(self, relation: str, page: int) -> None:
        self.link(relation, {"page": str(page)})

    def link(self, relation: str, changes: Mapping[str, str]) -> None:
        """Point to this same listing with other query parameters."""
        self.links[relation] = f"{self.world.api(self.path)}?{urlencode({**self.query, **changes})}"


def read_form(kind: type[F], body: Mapping[str, Any]) -> F:
    try:
        return kind.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise Problem(422, f'Invalid request.\n\n"{where}" wasn\'t supplied.') from None
        said = json.dumps(first["input"], default=str)[:200]
        raise Problem(422, f"Invalid request.\n\nFor 'properties/{where}', {said} is not valid.") from None


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """`app` None: no repository permission is asked for, the handler itself looks at the actor."""

    method: str
    path: str
    handler: Handler
    app: str | None
    role: Role
    anonymous: bool


ROUTES: list[Route] = []


def route(
    method: str, path: str, *, app: str | None = None, role: Role | None = None, anonymous: bool = False
) -> Callable[[Handler], Handler]:
    """Register a handler.

    `app` is the permission that an App needs; `role` what a person must be in the repository, by default
    `read` for reading and `write` for writing.
    """

    def register(handler: Handler) -> Handler:
        default: Role = "write" if app is not None and app.endswith(":write") else "read"
        ROUTES.append(Route(method, path, handler, app, role or default, anonymous))
        return handler

    return register


def answer(found: Route, call: Call, headers: Mapping[str, str]) -> Answer:
    """The whole way of one call, with the world's lock held."""
    key = "anonymous"
    try:
        call.secret = headers.get("authorization", "").rpartition(" ")[2]
        call.actor = authenticate(call.world, headers.get("authorization"))
        key = call.actor.key
        _check_limit(call.world, call.actor)
        _check_access(found, call)
        done = found.handler(call)
    except Problem as problem:
        done = Answer(problem.status, problem.body, problem.headers)
    return _finish(call, key, done, headers.get("if-none-match"))


def _check_limit(world: World, actor: Actor) -> None:
    if (pause := world.limits.paused(actor.key)) is not None:
        status, seconds = pause
        said = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        raise Problem(status, said, headers={"Retry-After": str(seconds)})
    if world.limits.used(actor.key)[0] >= world.rate_limit:
        raise Problem(403, f"API rate limit exceeded for {actor.key.replace(':', ' ID ')}.")


def _check_access(found: Route, call: Call) -> None:
    if found.app is not None:
        require(call.world, call.actor, call.repo, app=found.app, role=found.role)
    elif not found.anonymous and call.actor.key == "anonymous":
        raise unauthorized("Requires authentication")


def _finish(call: Call, key: str, done: Answer, known: str | None) -> Answer:
    headers = dict(done.headers)
    if call.links:
        headers["Link"] = ", ".join(f'<{url}>; rel="{relation}"' for relation, url in call.links.items())
    status, body = done.status, done.body
    if call.method == "GET" and status == 200 and body is not None:  # noqa: PLR2004 - OK
        tag = f'W/"{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()}"'
        headers["ETag"] = tag
        headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        if known is not None and tag in known:
            status, body = 304, None
    if status != 304:  # noqa: PLR2004 - Not Modified is free
        call.world.limits.spend(key)
    headers |= call.world.limits.headers(key, call.world.rate_limit)
    return Answer(status, body, headers)
