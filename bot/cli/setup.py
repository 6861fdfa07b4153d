"""`slipway setup`: one page that registers the GitHub App and keeps what GitHub returns."""

import socket
import threading
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
    port: Annotated[int, typer.Option(help="Port of the page; 0: a free one.")] = 0,
) -> None:
    """Register and install the GitHub App, in one page that stops by itself."""
    # These take seconds to import, and the other verbs of the command line do without.
    import uvicorn  # noqa: PLC0415

    from bot.adapters.github import GitHubInspection, Registered, convert, pages  # noqa: PLC0415
    from bot.cli.keeping import Files, Printed  # noqa: PLC0415
    from bot.doctor import github  # noqa: PLC0415
    from bot.web.setup import Checked, Created, Wanted, Wizard, create_setup  # noqa: PLC0415

    if urlsplit(base_url).scheme not in {"http", "https"} or not urlsplit(base_url).hostname:
        typer.echo("--base-url must be the address of GitHub's API, such as https://HOST/api/v3", err=True)
        raise typer.Exit(2)
    keeper = Printed() if kubernetes else Files(file, force=force)
    if mistake := keeper.mistake():
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
        look = GitHubInspection(app.id, app.private_key, base_url)
        seen, installed = look.app(), look.installations()
        return Checked(
            tuple(name for each in installed for name in each.repositories),
            (*github.app(seen, wanted.public_url), *github.installations(installed, seen.slug)),
        )

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
