"""The routes of the pages, who the visitor plays, and the guards around forms."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.sandbox.github.access import Actor, require
from bot.sandbox.github.errors import Problem, forbidden, not_found
from bot.sandbox.github.records import Role
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

HERE = Path(__file__).parent
# Labels carry their colour in a style attribute; forms of the manifest flow lead on to the App.
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; form-action *; base-uri 'none'"
)
COOKIE = "sandbox_login"
LARGEST_FORM = 1_000_000
FOREIGN = frozenset({"cross-site", "same-site"})
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
STYLE = (HERE / "style.css").read_text(encoding="utf-8")


class Page:
    """One request of a page: who plays, where, and the form that was sent."""

    def __init__(self, world: World, request: Request, form: dict[str, list[str]]) -> None:
        self.world = world
        self.request = request
        self.params = request.path_params
        self.query = request.query_params
        self._form = form
        account = world.account(request.cookies.get(COOKIE, ""))
        self.me = account.login if account is not None and account.kind == "User" else ""

    def field(self, name: str, default: str = "") -> str:
        return self._form.get(name, [default])[0]

    def fields(self, name: str) -> list[str]:
        return self._form.get(name, [])

    @property
    def actor(self) -> Actor:
        return Actor(login=self.me, key=f"user:{self.me}") if self.me else Actor()

    def repository(self) -> Visit:
        """Everybody at this machine may read; only the chosen person writes."""
        found = self.world.repository(self.params["owner"], self.params["repo"])
        if found is None:
            raise not_found()
        return Visit(self.world, found, self.actor)

    def writing(self, app: str, role: Role) -> Visit:
        """The visit, if the person may do this. Raises what REST would raise."""
        at = self.repository()
        if not self.me:
            raise forbidden("Choose who you are first, at the top of the page.")
        require(self.world, self.actor, at.repo, app=app, role=role)
        return at

    def show(self, template: str, title: str, status: int = 200, **values: Any) -> Response:
        at: Visit | None = values.pop("at", None)
        shared: dict[str, Any] = {
            "title": title,
            "me": self.me,
            "here": self.request.url.path,
            "people": [one for one in self.world.state.accounts.values() if one.kind == "User"],
            "repo": at.repo if at is not None else None,
        }
        if at is not None:
            opened = [one for one in at.repo.issues.values() if one.state == "open"]
            shared["open_pulls"] = sum(one.pull is not None for one in opened)
            shared["open_issues"] = sum(one.pull is None for one in opened)
        return HTMLResponse(TEMPLATES.get_template(template).render(shared | values), status)


Handler = Callable[[Page], Response]
ROUTES: list[tuple[str, str, Handler]] = []


def page(method: str, path: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ROUTES.append((method, path, handler))
        return handler

    return register


def back(path: str) -> Response:
    return RedirectResponse(path, 303)


def routes(world: World) -> list[Route]:
    return [Route(path, _endpoint(world, handler), methods=[method]) for method, path, handler in ROUTES]


def _endpoint(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body() if request.method == "POST" else b""
        return await run_in_threadpool(_run, world, handler, request, body)

    return endpoint


def _run(world: World, handler: Handler, request: Request, body: bytes) -> Response:
    with world.lock:
        form = parse_qs(body[:LARGEST_FORM].decode("utf-8", "replace"), keep_blank_values=True)
        asked = Page(world, request, form)
        try:
            _guard(world, request)
            answer = handler(asked)
        except Problem as problem:
            details = "; ".join(str(one.get("message") or one.get("code")) for one in problem.errors or [])
            answer = asked.show(
                "message.html",
                problem.message,
                problem.status,
                code=problem.status,
                message=details or problem.message,
            )
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _guard(world: World, request: Request) -> None:
    """No other site may send our forms; an App manifest may come from elsewhere, for it only asks.

    A name that is not this machine's is refused, so that no foreign domain can be pointed here.
    """
    host = request.headers.get("host", "")
    if host.rpartition(":")[0] not in {urlsplit(world.base).hostname, "localhost", "127.0.0.1"}:
        raise forbidden("This server is reached under another name.")
    origin = request.headers.get("origin")
    foreign = origin not in {None, f"http://{host}"} or request.headers.get("sec-fetch-site") in FOREIGN
    if request.method == "POST" and foreign and not request.url.path.endswith("/settings/apps/new"):
        raise forbidden("A form of another site is not accepted.")


@page("GET", "/assets/style.css")
def style(_: Page) -> Response:
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@page("POST", "/session")
def choose_person(asked: Page) -> Response:
    wanted = asked.field("back", "/")
    answer = back(wanted if wanted.startswith("/") and not wanted.startswith("//") else "/")
    answer.set_cookie(COOKIE, asked.field("login"), httponly=True, samesite="lax")
    return answer


@page("GET", "/avatars/{login}")
def avatar(asked: Page) -> Response:
    login = asked.params["login"]
    hue = sum(ord(letter) * 37 for letter in login) % 360
    letter = login[:1].upper() if login[:1].isalnum() else "?"
    return Response(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40"'
        f' fill="hsl({hue} 55% 45%)"/><text x="20" y="27" text-anchor="middle" font-family="sans-serif"'
        f' font-size="20" fill="#fff">{letter}</text></svg>',
        media_type="image/svg+xml",
    )
