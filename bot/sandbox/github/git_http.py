"""git over HTTP: clone, fetch and push through git's own http-backend."""

import asyncio
import base64
import binascii
import os
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from bot.sandbox.github.access import Actor, actor_of_token, require
from bot.sandbox.github.actions.branches import moved
from bot.sandbox.github.errors import Problem, not_found, unauthorized
from bot.sandbox.github.records import Repository
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")
CHUNK = 65_536


def _actor(world: World, header: str | None) -> Actor:
    """The password of basic authentication is the token; the name does not matter."""
    if header is None:
        return Actor()
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise unauthorized()
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unauthorized() from None
    return actor_of_token(world, password if password and password != "x-oauth-basic" else name)  # noqa: S105 - GitHub's word for "the name is the token"


def _enter(world: World, request: Request) -> Visit:
    """Who may come in; nobody at all is asked for a password first, as git expects."""
    params = request.path_params
    with world.lock:
        actor = _actor(world, request.headers.get("authorization"))
        repo = world.repository(params["owner"], params["repo"])
        service = request.query_params.get("service") or params["service"]
        writing = service == "git-receive-pack"
        if not actor.login and (writing or repo is None or repo.private):
            raise unauthorized()
        if repo is None or params["service"] not in SERVICES:
            raise not_found("Repository not found.")
        if writing:
            require(world, actor, repo, app="contents:write", role="write")
        else:
            require(world, actor, repo, app="contents:read", role="read")
        return Visit(world, repo, actor)


async def serve(request: Request) -> Response:
    world: World = request.app.state.world
    try:
        at = await run_in_threadpool(_enter, world, request)
    except Problem as problem:
        headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if problem.status == 401 else {}  # noqa: PLR2004 - asks for a password
        return PlainTextResponse(problem.message + "\n", problem.status, headers)
    before = _refs(at)
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=_environment(request, at.repo, world),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    feeding = asyncio.create_task(_feed(request, process))
    status, headers = await _read_head(process)
    if request.path_params["service"] != "git-receive-pack":
        return StreamingResponse(_stream(process, feeding), status, headers)
    assert process.stdout is not None
    body = await process.stdout.read()
    await feeding
    await process.wait()
    await run_in_threadpool(_announce, at, before)
    return Response(body, status, headers)


def _environment(request: Request, repo: Repository, world: World) -> dict[str, str]:
    headers = request.headers
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(world.root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROJECT_ROOT": str(world.git_path(repo)),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": "/" + request.path_params["service"],
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": headers.get("content-length", ""),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": "git",
        "REMOTE_ADDR": "127.0.0.1",
    }


async def _feed(request: Request, process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    try:
        async for chunk in request.stream():
            process.stdin.write(chunk)
            await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        process.stdin.close()


async def _read_head(process: asyncio.subprocess.Process) -> tuple[int, dict[str, str]]:
    """The CGI headers that come before the body."""
    assert process.stdout is not None
    status, headers = 200, {}
    while line := (await process.stdout.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    return status, headers


async def _stream(process: asyncio.subprocess.Process, feeding: asyncio.Task[None]) -> AsyncIterator[bytes]:
    assert process.stdout is not None
    try:
        while chunk := await process.stdout.read(CHUNK):
            yield chunk
    finally:
        if process.returncode is None:
            process.terminate()
        feeding.cancel()
        await process.wait()


def _refs(at: Visit) -> dict[str, str]:
    with at.world.lock:
        return at.git.refs()


def _announce(at: Visit, before: dict[str, str]) -> None:
    """What a push changed, told as GitHub tells it."""
    with at.world.lock:
        after = at.git.refs()
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                moved(at, name, before.get(name), after.get(name))
