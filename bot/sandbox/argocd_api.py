"""The part of Argo CD's REST API that tells of Applications, over a `Syncer`."""

import html
import secrets
from typing import Annotated, Any

import yaml
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse

from bot.sandbox.argocd import Syncer


def build(syncer: Syncer, token: str) -> FastAPI:
    """The application; `token` is the one bearer token that it accepts."""
    app = FastAPI(title="Argo CD (stand-in)", openapi_url=None)

    def authorized(request: Request) -> None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given, token):
            raise HTTPException(401, "no session information")

    def known(name: str) -> dict[str, Any]:
        document = syncer.application(name)
        if document is None:
            raise HTTPException(404, f'applications.argoproj.io "{name}" not found')
        return document

    api = [Depends(authorized)]
    Known = Annotated[dict[str, Any], Depends(known)]  # noqa: N806 - a type

    @app.get("/api/v1/applications", dependencies=api)
    def applications() -> dict[str, Any]:
        return {"items": [known(name) for name in syncer.names()]}

    @app.get("/api/v1/applications/{name}", dependencies=api)  # noqa: FAST003 - `known` takes it
    def application(document: Known, refresh: str = "") -> dict[str, Any]:
        if refresh:
            syncer.refresh()
        return document

    @app.get("/api/v1/applications/{name}/syncwindows", dependencies=api)  # noqa: FAST003 - `known` takes it
    def windows(document: Known) -> dict[str, Any]:  # noqa: ARG001 - 404 for an unknown name
        return {"canSync": True}

    @app.get("/applications/{name}")  # noqa: FAST003 - `known` takes it
    def page(document: Known) -> HTMLResponse:
        """For a person: the document, as `kubectl get application --output yaml` shows it."""
        text = html.escape(yaml.safe_dump(document, sort_keys=False))
        name = html.escape(document["metadata"]["name"])
        return HTMLResponse(f"<!doctype html><title>{name}</title><h1>{name}</h1><pre>{text}</pre>")

    return app
