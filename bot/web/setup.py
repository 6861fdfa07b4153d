"""The one page of `slipway setup`: GitHub's App manifest flow, without scripts or outside assets."""

import html
import json
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
from bot.ports import OutsideError
from bot.web.body import CAP, read_body

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;background:#f6f7f9;color:#1d2430;margin:0}
main{max-width:44rem;margin:4rem auto;background:#fff;padding:2rem 2.5rem;border-radius:12px;
box-shadow:0 1px 8px #0002}h1{margin-top:0}label{display:block;margin:1rem 0;font-weight:600}
input[type=text]{display:block;box-sizing:border-box;width:100%;padding:.55rem;font:inherit;
border:1px solid #b9c0cb;border-radius:6px}table{border-collapse:collapse;width:100%;margin:1rem 0}
td{border-top:1px solid #e5e8ec;padding:.4rem .8rem .4rem 0;vertical-align:top}
button,a.button{display:inline-block;background:#1f6f4a;color:#fff;border:0;border-radius:6px;
padding:.65rem 1.2rem;font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
code{overflow-wrap:anywhere}.problem{color:#a3261b}
"""


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
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Wizard:
    """One run of the set-up. `create` exchanges a code and stores what comes back; `check` asks GitHub."""

    web: str
    own: str
    name: str
    public_url: str
    organization: str
    teams: bool
    create: Callable[[str], Created]
    check: Callable[[bool], Checked]
    finished: Callable[[], None]
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    created: Created | None = None


def create_setup(wizard: Wizard) -> FastAPI:
    """The application; it answers under the loopback's names only."""
    app = FastAPI(title="Slipway set-up", openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.include_router(_router(wizard))
    return app


def _router(wizard: Wizard) -> APIRouter:  # noqa: C901  one flow, a few lines a step
    routes = APIRouter()

    @routes.get("/")
    async def start() -> Response:
        ticked = " checked" if wizard.teams else ""
        return _page(
            wizard,
            "Set up Slipway",
            '<p>Slipway works as a GitHub App of your own.</p><form method="post" action="/review">'
            + _input("name", "Name of the App", wizard.name, " required maxlength=34")
            + _input("public_url", "Address of Slipway for GitHub", wizard.public_url, " required")
            + _input("organization", "Organisation (empty: your own account)", wizard.organization, "")
            + f'<label><input type="checkbox" name="teams" value="yes"{ticked}> Policies name teams</label>'
            "<button>Review</button></form>",
        )

    @routes.post("/review")
    async def review(request: Request) -> Response:
        form = dict(parse_qsl((await read_body(request, CAP)).decode("utf-8", "replace")))
        name, public_url = form.get("name", "").strip(), form.get("public_url", "")
        organization, teams = form.get("organization", ""), form.get("teams")
        if urlsplit(public_url).scheme not in {"http", "https"} or not urlsplit(public_url).hostname:
            return _trouble(wizard, "The address must begin with https:// and name a host.", 422)
        wizard.teams = teams == "yes"
        manifest = app_rights.manifest(
            name=name, public_url=public_url, redirect_url=f"{wizard.own}/created", teams=wizard.teams
        )
        owner = f"organizations/{quote(organization.strip(), safe='')}/" if organization.strip() else ""
        action = f"{wizard.web}/{owner}settings/apps/new?state={quote(wizard.state)}"
        rights = "".join(
            f"<tr><td><code>{right}: {level}</code></td><td>{app_rights.WHY[right]}</td></tr>"
            for right, level in manifest["default_permissions"].items()
        )
        return _page(
            wizard,
            html.escape(name),
            f"<p>Events go to <code>{html.escape(manifest['hook_attributes']['url'])}</code>.</p>"
            f"<table>{rights}</table><p>Events: {', '.join(app_rights.EVENTS)}.</p>"
            f'<form method="post" action="{html.escape(action)}">'
            f'<input type="hidden" name="manifest" value="{html.escape(json.dumps(manifest))}">'
            "<button>Create on GitHub</button></form>",
        )

    @routes.get("/created")
    async def created(code: str = "", state: str = "") -> Response:
        if wizard.created is not None:
            return RedirectResponse("/install", 303)
        if not secrets.compare_digest(state.encode(), wizard.state.encode()):
            return _trouble(wizard, "This answer does not belong to this set-up. Begin again.", 403)
        try:
            wizard.created = await run_in_threadpool(wizard.create, code)
        except OutsideError as error:
            return _trouble(wizard, f"{error}.", 502)
        except OSError as error:
            return _trouble(
                wizard, f"The App exists, but its key could not be stored: {error.strerror}.", 500
            )
        return RedirectResponse("/install", 303)

    @routes.get("/install")
    async def install() -> Response:
        if wizard.created is None:
            return RedirectResponse("/", 303)
        told = wizard.created
        try:
            seen = await run_in_threadpool(wizard.check, wizard.teams)
        except OutsideError as error:
            return _trouble(wizard, f"{error}. Load this page again.", 502)
        problems = "".join(f'<p class="problem">{html.escape(each)}</p>' for each in seen.problems)
        stored = f"<p>{html.escape(told.stored)}</p>{problems}"
        if not seen.repositories:
            link = html.escape(told.install_url)
            text = f'<p><a class="button" href="{link}" target="_blank" rel="noreferrer">Install it</a></p>'
            return _page(wizard, f"{html.escape(told.name)} is registered", stored + text + _WAITING, 5)
        names = "".join(f"<li><code>{html.escape(name)}</code></li>" for name in seen.repositories)
        done = f"<p>Installed in:</p><ul>{names}</ul><p>You may close this page.</p>"
        page = _page(wizard, "Done", stored + done)
        page.background = BackgroundTask(wizard.finished)
        return page

    return routes


_WAITING = "<p>This page looks again every five seconds.</p>"


def _input(name: str, label: str, value: str, more: str) -> str:
    return f'<label>{label}<input type="text" name="{name}" value="{html.escape(value)}"{more}></label>'


def _trouble(wizard: Wizard, sentence: str, status: int) -> Response:
    page = _page(wizard, "That did not work", f'<p class="problem">{html.escape(sentence)}</p>')
    page.status_code = status
    return page


def _page(wizard: Wizard, title: str, body: str, refresh: int = 0) -> Response:
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8">{again}<title>{title}</title>'
        f"<style>{STYLE}</style><main><h1>{title}</h1>{body}</main></html>",
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {wizard.web}",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
