"""The ASGI application: REST under /api/v3, and what else GitHub serves on the same address."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as WebRoute

from bot.sandbox.github import git_http, routing
from bot.sandbox.github.errors import Problem, not_found
from bot.sandbox.github.graphql.execute import execute
from bot.sandbox.github.pages import apps as app_pages
from bot.sandbox.github.pages import reading, site, writing
from bot.sandbox.github.rest import (
    apps,
    checks,
    comments,
    contents,
    deliveries,
    deployments,
    git_data,
    history,
    issues,
    last,
    people,
    repositories,
    workflows,
)
from bot.sandbox.github.rest import pulls as pulls_rest
from bot.sandbox.github.world import World

# Importing these and the pages registers their routes, in this order.
MODULES = (
    apps,
    deliveries,
    people,
    repositories,
    git_data,
    contents,
    history,
    issues,
    comments,
    pulls_rest,
    checks,
    deployments,
    workflows,
    last,
)
PAGES = (site, app_pages, reading, writing)
API = "/api/v3"
LARGEST_BODY = 40_000_000
Endpoint = Callable[[Request], Awaitable[Response]]


def build(world: World) -> Starlette:
    routes = [WebRoute(API + one.path, _endpoint(world, one), methods=[one.method]) for one in routing.ROUTES]
    routes.append(
        WebRoute(API + "/{rest:path}", _unknown(world), methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    )
    routes.append(WebRoute("/api/graphql", _graphql(world), methods=["POST"]))
    routes.append(WebRoute("/{owner}/{repo}.git/{service:path}", git_http.serve, methods=["GET", "POST"]))
    routes += site.routes(world)
    application = Starlette(routes=routes)
    application.state.world = world
    return application


def _endpoint(world: World, found: routing.Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        call = routing.Call(
            world=world,
            method=request.method,
            path=request.url.path.removeprefix(API),
            params=request.path_params,
            query=dict(request.query_params),
            raw=await request.body(),
        )
        return await run_in_threadpool(_run, found, call, dict(request.headers))

    return endpoint


def _run(found: routing.Route, call: routing.Call, headers: dict[str, str]) -> Response:
    with call.world.lock:
        done = routing.answer(found, call, headers)
    return respond(done)


def respond(done: routing.Answer) -> Response:
    headers: dict[str, Any] = {"X-GitHub-Media-Type": "github.v3; format=json", **done.headers}
    if done.body is None:
        return Response(status_code=done.status, headers=headers)
    return JSONResponse(done.body, done.status, headers)


def _graphql(world: World) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        call = routing.Call(world, "POST", "/graphql", {}, {}, await request.body())
        found = routing.Route("POST", "/graphql", _execute, app=None, role="read", anonymous=False)
        return await run_in_threadpool(_run, found, call, dict(request.headers))

    return endpoint


def _execute(call: routing.Call) -> routing.Answer:
    body = call.json()
    if not isinstance(body, dict):
        raise Problem(400, "Problems parsing JSON")
    return routing.Answer(200, execute(call.world, call.actor, body))


def _unknown(world: World) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        problem = not_found()
        return respond(
            routing.Answer(problem.status, problem.body, world.limits.headers("anonymous", world.rate_limit))
        )

    return endpoint
