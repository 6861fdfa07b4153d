"""The one page of `slipway setup`: GitHub's App manifest flow, step by step."""

import html
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.background import BackgroundTask
from starlette.middleware.trustedhost import TrustedHostMiddleware

from bot.domain import app_rights
from bot.domain.finding import Finding, Level
from bot.ports import OutsideError
from bot.web import setup_page as page
from bot.web.body import CAP, read_body

LONGEST_NAME = 34
"""GitHub's own limit for the name of an App."""
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


@dataclass(slots=True)
class Wanted:
    """What the person wants, as last told. `organization` empty: the person's own account owns the App."""

    name: str
    public_url: str
    organization: str = ""
    teams: bool = False
    issues: bool = False

    def mistakes(self) -> tuple[str, ...]:
        """All that is wrong with it, each in a sentence."""
        told = (
            (0 < len(self.name) <= LONGEST_NAME, f"The name has 1 to {LONGEST_NAME} characters."),
            (
                _is_address(self.public_url),
                "The address begins with https://, names a host, and has neither ? nor # in it.",
            ),
            (
                not self.organization or _LOGIN.fullmatch(self.organization),
                "An organisation is named as in its address on GitHub: letters, digits and hyphens.",
            ),
        )
        return tuple(sentence for right, sentence in told if not right)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)


@dataclass(frozen=True, slots=True)
class Created:
    """What the page shows of a stored App: nothing secret."""

    name: str
    install_url: str
    stored: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What GitHub answers to the new key. `repositories` empty: not installed yet."""

    repositories: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Wizard:
    """One run of the set-up: `web` is where GitHub's pages are, `own` this page's address.

    `create` exchanges a code and stores what comes back, and may be asked again with the same code where
    storing failed; `check` asks GitHub with the new key; `finished` stops the page.
    """

    web: str
    own: str
    wanted: Wanted
    create: Callable[[str, Wanted], Created]
    check: Callable[[Wanted], Checked]
    finished: Callable[[], None]
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    created: Created | None = None


def create_setup(wizard: Wizard) -> FastAPI:
    """The application; it answers under the loopback's names only."""
    app = FastAPI(title="Slipway set-up", openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.include_router(_router(wizard))
    return app


def _router(wizard: Wizard) -> APIRouter:
    routes = APIRouter()

    @routes.get("/")
    async def start() -> Response:
        if wizard.created is not None:
            return RedirectResponse("/install", 303)
        return _answer(wizard, "Set up Slipway", _form(wizard.wanted), step=1)

    @routes.post("/review")
    async def review(request: Request) -> Response:
        if wizard.created is not None:
            # A second App would be made whose key nobody keeps.
            return RedirectResponse("/install", 303)
        form = dict(parse_qsl((await read_body(request, CAP)).decode("utf-8", "replace")))
        wanted = Wanted(
            name=form.get("name", "").strip(),
            public_url=form.get("public_url", "").strip(),
            organization=form.get("organization", "").strip(),
            teams=form.get("teams") == "yes",
            issues=form.get("issues") == "yes",
        )
        if mistakes := wanted.mistakes():
            body = "".join(map(page.alert, mistakes)) + _form(wanted)
            return _answer(wizard, "Set up Slipway", body, step=1, status=422)
        wizard.wanted = wanted
        return _answer(wizard, f"Register {wanted.name}", _summary(wizard), step=2)

    @routes.get("/created")
    async def created(code: str = "", state: str = "") -> Response:
        return await _created(wizard, code, state)

    @routes.get("/install")
    async def install() -> Response:
        return await _install(wizard)

    return routes


async def _created(wizard: Wizard, code: str, state: str) -> Response:
    """GitHub sent the person back with a code that works once."""
    if wizard.created is not None:
        return RedirectResponse("/install", 303)
    if not secrets.compare_digest(state.encode(), wizard.state.encode()):
        return _trouble(wizard, "This answer does not belong to this set-up.", 403)
    try:
        wizard.created = await run_in_threadpool(wizard.create, code, wizard.wanted)
    except OutsideError as error:
        return _trouble(wizard, f"{error}.", 502)
    except OSError as error:
        why = f"The App is registered, but its key could not be stored: {error.strerror}."
        return _trouble(wizard, why, 500, "Repair that and load this page again; nothing is lost.")
    return RedirectResponse("/install", 303)


async def _install(wizard: Wizard) -> Response:
    """Wait for the installation, then show what GitHub says to the new key."""
    if wizard.created is None:
        return RedirectResponse("/", 303)
    try:
        seen = await run_in_threadpool(wizard.check, wizard.wanted)
    except OutsideError as error:
        return _trouble(wizard, f"{error}.", 502, "Load this page again.")
    if not seen.repositories:
        title = f"Install {wizard.created.name}"
        return _answer(wizard, title, _waiting(wizard.created, seen), step=3, refresh=5)
    answer = _answer(wizard, "Slipway is installed", _done(wizard.created, seen), step=len(page.STEPS) + 1)
    answer.background = BackgroundTask(wizard.finished)
    return answer


def _form(wanted: Wanted) -> str:
    return (
        '<p class="lead">Slipway works as a GitHub App of your own. Nothing leaves this machine before'
        ' the next page.</p><form method="post" action="/review">'
        + page.field(
            "name", "Name of the App", wanted.name, "How it signs its comments.", "required maxlength=34"
        )
        + page.field(
            "public_url",
            "Address of Slipway",
            wanted.public_url,
            "Where GitHub reaches it with webhooks.",
            'type="url" required',
        )
        + page.field(
            "organization", "Organisation", wanted.organization, "Empty: the App belongs to your own account."
        )
        + page.tick(
            "teams",
            "Policies name teams",
            "Slipway then also reads who belongs to which team.",
            ticked=wanted.teams,
        )
        + page.tick(
            "issues",
            "Tell of trouble in issues",
            "Slipway then opens an issue for a broken slipway.yaml, and where registry and Git disagree.",
            ticked=wanted.issues,
        )
        + "<button>Review</button></form>"
    )


def _summary(wizard: Wizard) -> str:
    wanted = wizard.wanted
    manifest = app_rights.manifest(
        name=wanted.name,
        public_url=wanted.public_url,
        redirect_url=f"{wizard.own}/created",
        teams=wanted.teams,
        issues=wanted.issues,
    )
    owner = f"organizations/{quote(wanted.organization, safe='')}/" if wanted.organization else ""
    action = f"{wizard.web}/{owner}settings/apps/new?state={quote(wizard.state)}"
    rights = manifest["default_permissions"].items()
    events = ", ".join(f"<code>{event}</code>" for event in app_rights.EVENTS)
    return (
        '<p class="lead">GitHub shows the same and asks you to confirm.</p>'
        + page.rows((f"{right}: {level}", app_rights.WHY[right]) for right, level in rights)
        + f"<p>It hears of {events}, at <code>{html.escape(manifest['hook_attributes']['url'])}</code>.</p>"
        f'<form method="post" action="{html.escape(action)}">'
        f'<input type="hidden" name="manifest" value="{html.escape(json.dumps(manifest))}">'
        '<button>Create on GitHub</button><a class="back" href="/">Change</a></form>'
    )


def _waiting(created: Created, seen: Checked) -> str:
    link = html.escape(created.install_url)
    trouble = [finding for finding in seen.findings if finding.level is Level.PROBLEM]
    return (
        f"<p>{html.escape(created.stored)}</p>"
        "<p>Choose the repository that holds <code>slipway.yaml</code>.</p>"
        f'<p><a class="button" href="{link}" target="_blank" rel="noreferrer">Install on GitHub</a></p>'
        '<p class="small">This page looks again every five seconds.</p>'
        + (page.findings(trouble) if trouble else "")
    )


def _done(created: Created, seen: Checked) -> str:
    names = ", ".join(f"<code>{html.escape(name)}</code>" for name in seen.repositories)
    return (
        f"<p>It works in {names}.</p><p>{html.escape(created.stored)}</p>"
        + page.findings(seen.findings)
        + "<p>Next: start <code>slipway serve</code> with these settings, and let <code>slipway doctor</code>"
        ' look at every other connection.</p><p class="small">You may close this page.</p>'
    )


def _trouble(wizard: Wizard, sentence: str, status: int, todo: str = "") -> HTMLResponse:
    body = f"{page.alert(sentence)}<p>{html.escape(todo)}</p>"
    again = "" if todo else '<p><a class="button" href="/">Begin again</a></p>'
    return _answer(wizard, "That did not work", body + again, step=2, status=status)


def _answer(
    wizard: Wizard, title: str, body: str, step: int, *, status: int = 200, refresh: int = 0
) -> HTMLResponse:
    return HTMLResponse(
        page.sheet(title, body, step=step, refresh=refresh),
        status,
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {wizard.web}",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
