"""Asks an Argo CD server over its REST API, with a bearer token."""

from json import JSONDecodeError
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from bot.adapters.argocd.application import Application
from bot.adapters.argocd.followed import followed
from bot.adapters.argocd.inspection import seen
from bot.adapters.argocd.liveness import decide_liveness
from bot.adapters.argocd.sync_windows import ToldWindows
from bot.domain.inspection import ApplicationSeen
from bot.domain.live import Liveness
from bot.ports import Forbidden, Forge, NotFound, Refused, Unavailable

_SYSTEM = "Argo CD"


class ArgoCd:
    """The `Cluster` port over an Argo CD server; safe to share between threads.

    An application is named as in `slipway.yaml`: `name`, or `namespace/name` where Argo CD serves
    Applications outside of its own namespace.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    def liveness(self, application: str, commit: str, repository_url: str, forge: Forge) -> Liveness:
        """Whether `commit` or a later one is live and healthy; one request, two when a sync window may
        stand in the way. Raises NotFound, Forbidden, Refused or Unavailable.
        """
        # `refresh` makes Argo CD look at Git now instead of at its next round.
        parsed = self._application(application, {"refresh": "normal"})
        return decide_liveness(
            parsed,
            commit=commit,
            repository_url=followed(parsed, repository_url, forge),
            contains=lambda revision: contains(forge, commit, revision),
            can_sync=lambda: self._can_sync(application),
            url=f"{self._url}/applications/{quote(application)}",
        )

    def inspect(self, application: str, repository_url: str) -> ApplicationSeen:
        """The Application as it is, for `slipway doctor`. Raises as `liveness`."""
        return seen(application, self._application(application, {}), repository_url)

    def _application(self, application: str, query: dict[str, str]) -> Application:
        path, place = _address(application)
        document = self._get(path, {**query, **place}, application)
        try:
            return Application.model_validate(document)
        except ValidationError as error:
            raise Refused(_SYSTEM, f"its Application {application} cannot be read: {error}") from error

    def _can_sync(self, application: str) -> bool:
        path, place = _address(application)
        document = self._get(f"{path}/syncwindows", place, application)
        try:
            return ToldWindows.model_validate(document).open
        except ValidationError as error:
            raise Refused(_SYSTEM, f"its sync windows of {application} cannot be read: {error}") from error

    def _get(self, path: str, params: dict[str, str], application: str) -> dict[str, Any]:
        try:
            response = self._http.get(path, params=params)
        except httpx.HTTPError as error:
            raise Unavailable(
                _SYSTEM, f"no answer from {self._url}: {error or type(error).__name__}"
            ) from error
        _raise_for(response, application)
        try:
            body = response.json()
        except (JSONDecodeError, UnicodeDecodeError) as error:
            raise Refused(_SYSTEM, f"{self._url} does not answer like Argo CD's API (no JSON)") from error
        if not isinstance(body, dict):
            raise Refused(_SYSTEM, f"{self._url} does not answer like Argo CD's API (no object)")
        return body


def _address(application: str) -> tuple[str, dict[str, str]]:
    """The path of an Application and, where it lies outside Argo CD's own namespace, that namespace."""
    namespace, _, name = application.rpartition("/")
    return f"/api/v1/applications/{quote(name, safe='')}", {"appNamespace": namespace} if namespace else {}


def contains(forge: Forge, commit: str, revision: str) -> bool:
    """Whether a commit is this revision or in its history."""
    try:
        return forge.is_ancestor(commit, revision)
    except NotFound:  # a revision of before a force-push, or a tag's own object
        return False


def _raise_for(response: httpx.Response, application: str) -> None:
    code = response.status_code
    if response.is_success:
        return
    if code == httpx.codes.NOT_FOUND:
        raise NotFound(_SYSTEM, f"there is no Application {application}: check `argocd` in slipway.yaml")
    if code == httpx.codes.UNAUTHORIZED:
        raise Forbidden(_SYSTEM, "the token is not accepted: check SLIPWAY_ARGOCD_TOKEN")
    if code == httpx.codes.FORBIDDEN:
        # Argo CD also says 403, not 404, for a missing Application to whoever may not list them all.
        raise Forbidden(
            _SYSTEM, f"the token may not read the Application {application}, or it does not exist there"
        )
    if code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise Unavailable(_SYSTEM, f"it answered {code}", _seconds(response.headers.get("Retry-After")))
    if response.is_redirect:
        target = response.headers.get("Location", "nowhere")
        raise Refused(_SYSTEM, f"it redirects to {target}: set SLIPWAY_ARGOCD_URL to the address itself")
    raise Refused(_SYSTEM, f"it answered {code}: {response.text[:200]}")


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
