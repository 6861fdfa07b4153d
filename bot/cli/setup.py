"""`slipway setup`: one page that registers the GitHub App and keeps what GitHub returns."""

import base64
import os
import shlex
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.adapters.github import Registered


def setup(
    *,
    public_url: Annotated[str, typer.Option(help="Address under which GitHub reaches Slipway.")],
    name: Annotated[str, typer.Option(help="Name of the App.")] = "Slipway",
    organization: Annotated[str, typer.Option(help="Organisation that owns the App.")] = "",
    base_url: Annotated[
        str, typer.Option(help="GitHub Enterprise Server: https://HOST/api/v3.")
    ] = "https://api.github.com",
    teams: Annotated[bool, typer.Option("--teams", help="A policy names teams.")] = False,
    file: Annotated[Path, typer.Option(help="Where the settings go.")] = Path("slipway.env"),
    kubernetes: Annotated[bool, typer.Option("--kubernetes", help="Print a Secret instead.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    port: Annotated[int, typer.Option(help="Port of the page; 0: a free one.")] = 0,
) -> None:
    """Register and install the GitHub App, in one page that stops by itself."""
    # These take seconds to import, and the other verbs of the command line do without.
    import uvicorn  # noqa: PLC0415

    from bot.adapters.github import GitHubApp, convert  # noqa: PLC0415
    from bot.domain import app_rights  # noqa: PLC0415
    from bot.web.setup import Checked, Created, Wizard, create_setup  # noqa: PLC0415

    key_file = file.with_name(f"{file.stem}.private-key.pem")
    there = [path for path in (file, key_file) if path.exists()]
    if there and not force and not kubernetes:
        typer.echo(f"{there[0]} exists: name another --file, or replace it with --force", err=True)
        raise typer.Exit(2)
    web = _pages(base_url)
    known: list[GitHubApp] = []

    def create(code: str) -> Created:
        app = convert(base_url, code)
        known.append(GitHubApp(app.id, app.private_key, base_url))
        if kubernetes:
            typer.echo(_secret(app, base_url))
            stored = "The Kubernetes Secret was printed."
        else:
            _write(key_file, app.private_key, force=force)
            _write(file, _env(app, key_file, base_url), force=force)
            stored = f"Settings are in {file}, the key in {key_file}; only you may read them."
        return Created(app.slug, f"{app.page}/installations/new", stored)

    def check(teams: bool) -> Checked:  # noqa: FBT001  the page's callback
        app = known[-1]
        found = app.registration()
        lacking = (
            *app_rights.missing_permissions(found.permissions, teams=teams),
            *app_rights.missing_events(found.events),
        )
        return Checked(
            tuple(repository for _, repository in app.repositories()),
            tuple(f"The App lacks {each}: grant it in the App's settings." for each in lacking),
        )

    listener = socket.create_server(("127.0.0.1", port))
    own = f"http://127.0.0.1:{listener.getsockname()[1]}"
    running: list[uvicorn.Server] = []

    def stop() -> None:
        running[0].should_exit = True

    wizard = Wizard(web, own, name, public_url, organization, teams, create, check, stop)
    config = uvicorn.Config(
        create_setup(wizard), log_config=None, access_log=False, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    running.append(server)
    typer.echo(f"Open {own} in your browser.", err=True)
    server.run(sockets=[listener])


def _pages(api: str) -> str:
    """Where people see what this API serves."""
    return "https://github.com" if "//api.github.com" in api else api.rstrip("/").removesuffix("/api/v3")


def _env(app: "Registered", key: Path, base_url: str) -> str:
    values = {
        "SLIPWAY_GITHUB_APP_ID": str(app.id),
        "SLIPWAY_GITHUB_PRIVATE_KEY_FILE": str(key.resolve()),
        "SLIPWAY_GITHUB_WEBHOOK_SECRET": app.webhook_secret,
        "SLIPWAY_GITHUB_BASE_URL": base_url,
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _secret(app: "Registered", base_url: str) -> str:
    values = {
        "SLIPWAY_GITHUB_APP_ID": str(app.id),
        "SLIPWAY_GITHUB_PRIVATE_KEY": app.private_key,
        "SLIPWAY_GITHUB_WEBHOOK_SECRET": app.webhook_secret,
        "SLIPWAY_GITHUB_BASE_URL": base_url,
    }
    lines = [f"  {name}: {base64.b64encode(value.encode()).decode()}" for name, value in values.items()]
    head = ["apiVersion: v1", "kind: Secret", "metadata:", "  name: slipway-github", "type: Opaque", "data:"]
    return "\n".join([*head, *lines])


def _write(path: Path, text: str, *, force: bool) -> None:
    """A new file that only its owner may read, whole or not at all. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:  # noqa: PTH123  only `os` sets a mode from the start
        opened.write(text)
    if force:
        temporary.replace(path)
    else:
        os.link(temporary, path)  # fails where the file came to be meanwhile
        temporary.unlink()
