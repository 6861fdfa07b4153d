"""`slipway setup`: one page that registers the GitHub App and keeps what GitHub returns."""

import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer


def setup(
    *,
    public_url: Annotated[str, typer.Option(help="Address under which GitHub reaches Slipway.")] = "",
    name: Annotated[str, typer.Option(help="Name of the App.")] = "Slipway",
    organization: Annotated[str, typer.Option(help="Organisation that owns the App.")] = "",
    base_url: Annotated[
        str, typer.Option(help="GitHub Enterprise Server: https://HOST/api/v3.")
    ] = "https://api.github.com",
    teams: Annotated[bool, typer.Option("--teams", help="A policy names teams.")] = False,
    issues: Annotated[bool, typer.Option("--issues", help="Trouble is told in issues.")] = False,
    file: Annotated[Path, typer.Option(help="Where the settings go.")] = Path("slipway.env"),
    kubernetes: Annotated[bool, typer.Option("--kubernetes", help="Print a Secret instead.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0: a free one.")] = 0,
) -> None:
    """Register and install the GitHub App, in one page that stops by itself."""
    # These take seconds to import, and the other verbs of the command line do without.
    import uvicorn  # noqa: PLC0415

    from bot.adapters.github import GitHubInspection, Registered, convert, pages  # noqa: PLC0415
    from bot.cli.keeping import Files, Printed  # noqa: PLC0415
    from bot.doctor import github  # noqa: PLC0415
    from bot.web.setup import Checked, Created, Wanted, Wizard, create_setup  # noqa: PLC0415

    keeper = Printed() if kubernetes else Files(file, force=force)
    if mistake := keeper.mistake() or _no_api(base_url):
        typer.echo(mistake, err=True)
        raise typer.Exit(2)
    known: list[Registered] = []
    one_at_a_time = threading.Lock()

    def create(code: str, wanted: Wanted) -> Created:
        with one_at_a_time:
            if not known:
                known.append(convert(base_url, code))
            app = known[0]
            stored = keeper.keep(app, base_url, wanted.public_url)
            return Created(app.slug, f"{app.page}/installations/new", stored)

    def check(wanted: Wanted) -> Checked:
        app = known[0]
        inspection = GitHubInspection(app.id, app.private_key, base_url)
        # Nobody listens yet, so what became of the first deliveries says nothing.
        seen, installed = replace(inspection.app(), answers=None), inspection.installations()
        names = tuple(name for each in installed for name in each.repositories)
        inside = github.installations(installed, seen.slug) if names else ()
        return Checked(names, (*github.app(seen, wanted.public_url), *inside))

    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        typer.echo(f"The page cannot listen on port {port}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    own = f"http://127.0.0.1:{listener.getsockname()[1]}"
    running: list[uvicorn.Server] = []

    def stop() -> None:
        running[0].should_exit = True

    wanted = Wanted(name, public_url, organization, teams, issues)
    wizard = Wizard(pages(base_url), own, wanted, create, check, stop)
    config = uvicorn.Config(
        create_setup(wizard), log_config=None, access_log=False, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    running.append(server)
    typer.echo(f"Open {own} in your browser.", err=True)
    server.run(sockets=[listener])
    if wizard.created is not None:
        typer.echo(f"{wizard.created.name} is registered. {wizard.created.stored}", err=True)


def _no_api(base_url: str) -> str | None:
    """Why this cannot be the address of GitHub's API, before an App is made there."""
    from bot.adapters.github import look  # noqa: PLC0415  as above
    from bot.ports import OutsideError  # noqa: PLC0415  as above

    if urlsplit(base_url).scheme not in {"http", "https"} or not urlsplit(base_url).hostname:
        return "--base-url must be the address of GitHub's API, such as https://HOST/api/v3"
    try:
        look(base_url)
    except OutsideError as error:
        return f"--base-url: {error.message}"
    return None
