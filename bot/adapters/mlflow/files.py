"""The files of a version, through the tracking server: it lists them and hands each out.

An address that the registry holds is never fetched, whatever store it names: the server has the rights
to its store, Slipway has not. What the server lists is a stranger's word, so a name that would leave
the folder is refused, and sizes are counted as they come.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from bot.adapters.mlflow.calls import SYSTEM, apply_limits, refusal, translated
from bot.adapters.mlflow.origin import LOGGED_MODEL, original
from bot.ports import Limits, NotFound, Refused, Tell, Unavailable

_LARGEST_LISTING = 5_000_000
_DEEPEST = 32
_FIRST_BYTE = 600
"""Seconds: a server that keeps files in a store of its own fetches all of one before it sends any."""
_PIECE = 1 << 20
_MEGA = 1_000_000
_OK = 200


class MlflowFiles:
    """Implements `bot.ports.ModelFiles`. Safe to share between threads."""

    def __init__(self, uri: str) -> None:
        apply_limits()
        self._uri = uri.rstrip("/")
        self._client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    def download(self, model: str, version: str, folder: Path, limits: Limits, tell: Tell) -> None:
        tell("listing the model's files")
        files = self._files(self._listing(model, version), limits)
        total = sum(size for _, size in files)
        free = shutil.disk_usage(folder.parent).free
        # The files, and the layer or the context that they become.
        if free < 2 * total:
            told = f"{free / _MEGA:,.0f} MB are free, and the model takes twice its {total / _MEGA:,.0f} MB"
            raise Unavailable("Slipway's own disk", told)
        folder.mkdir()
        fetched = 0
        for number, (path, _) in enumerate(files, 1):
            tell(f"fetching file {number} of {len(files)}, {fetched / _MEGA:.0f} of {total / _MEGA:.0f} MB")
            question = {"name": model, "version": version, "path": path}
            fetched += self._fetch(question, folder / path, limits.bytes - fetched, tell)

    def _listing(self, model: str, version: str) -> "_Listing":
        found = self._version(model, version)
        first = original(found, self._version)
        if first is None:
            raise NotFound(SYSTEM, f"the version that {model} {version} was copied from is gone")
        if logged := LOGGED_MODEL.fullmatch(first.source or ""):
            return _Listing(
                f"/api/2.0/mlflow/logged-models/{logged[1]}/artifacts/directories",
                "artifact_directory_path",
                {},
                "",
            )
        inside = self._inside_run(first)
        if inside is None:
            raise Refused(
                SYSTEM,
                f"the files of {model} {version} belong to no logged model and no run, so the server does "
                "not list them; Slipway fetches from no other address",
            )
        return _Listing("/api/2.0/mlflow/artifacts/list", "path", {"run_id": first.run_id}, inside)

    def _inside_run(self, version: Any) -> str | None:
        """The model's folder among its run's files; None where it is not there."""
        source = str(version.source or "").rstrip("/")
        if not version.run_id:
            return None
        with translated(f"run {version.run_id}"):
            root = str(self._client.get_run(version.run_id).info.artifact_uri).rstrip("/")
        for prefix in (f"{root}/", f"runs:/{version.run_id}/"):
            if source.startswith(prefix):
                return source.removeprefix(prefix)
        return None

    def _files(self, listing: "_Listing", limits: Limits) -> list[tuple[str, int]]:
        """(path from the model's folder, size) of every file, in order."""
        found: list[tuple[str, int]] = []
        for path, size in self._walk(listing, listing.root, 0):
            found.append((path, size))
            if len(found) > limits.files:
                raise Refused(SYSTEM, f"the model has more than {limits.files:,} files")
        if not found:
            raise NotFound(SYSTEM, "the server lists no file of this version")
        if sum(size for _, size in found) > limits.bytes:
            raise Refused(SYSTEM, _too_large(limits.bytes))
        return sorted(found)

    def _walk(self, listing: "_Listing", folder: str, depth: int) -> Iterator[tuple[str, int]]:
        if depth > _DEEPEST:
            raise Refused(SYSTEM, f"the model's folders are deeper than {_DEEPEST}")
        for told in self._list(listing, folder):
            path = told.get("path") if isinstance(told, dict) else None
            size = told.get("file_size", 0) if isinstance(told, dict) else 0
            # Protocol buffers write large numbers as text.
            known = isinstance(size, int) or (isinstance(size, str) and size.isdecimal())
            if not isinstance(path, str) or not known:
                raise Refused(SYSTEM, "the server's listing of the model's files makes no sense")
            inner = safe(path.removeprefix(f"{listing.root}/") if listing.root else path)
            if told.get("is_dir"):
                yield from self._walk(listing, path, depth + 1)
            else:
                yield inner, int(size)

    def _list(self, listing: "_Listing", folder: str) -> list[Any]:
        what = "the list of the model's files"
        params = {**listing.params, **({listing.key: folder} if folder else {})}
        with (
            translated(what),
            http_request(
                get_default_host_creds(self._uri),
                listing.endpoint,
                "GET",
                params=params,
                stream=True,
                raise_on_status=False,
            ) as response,
        ):
            data = b"".join(_capped(response, _LARGEST_LISTING, "the list of the model's files is too long"))
            if response.status_code != _OK:
                raise refusal(response.status_code, what, _message(data))
        told = _json(data).get("files", [])
        return told if isinstance(told, list) else []

    def _fetch(self, question: dict[str, str], to: Path, left: int, tell: Tell) -> int:
        """One file, at most `left` bytes; returns its size in bytes."""
        what = f"the file {question['path']}"
        to.parent.mkdir(parents=True, exist_ok=True)
        size = 0
        with (
            translated(what),
            http_request(
                get_default_host_creds(self._uri),
                "/model-versions/get-artifact",
                "GET",
                params=question,
                stream=True,
                raise_on_status=False,
                timeout=_FIRST_BYTE,
            ) as response,
        ):
            if response.status_code != _OK:
                raise refusal(response.status_code, what, "the server does not hand it out")
            with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for chunk in _capped(response, left, _too_large(left)):
                    file.write(chunk)
                    size += len(chunk)
                    tell(f"fetching {to.name}, {size / _MEGA:.0f} MB")
        return size

    def _version(self, model: str, version: str) -> Any:
        with translated(f"{model} version {version}"):
            return self._client.get_model_version(model, version)


class _Listing:
    """How the server is asked for a folder's files; `root` is the model's folder there."""

    def __init__(self, endpoint: str, key: str, params: dict[str, str], root: str) -> None:
        self.endpoint = endpoint
        self.key = key
        self.params = params
        self.root = root


def safe(path: str) -> str:
    """A file's path from the model's folder. Raises Refused for one that could mean a file elsewhere."""
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise Refused(SYSTEM, f"the model names a file outside of its folder: {path[:200]!r}")
    if not path.isprintable() or "\\" in path:
        raise Refused(SYSTEM, f"the model names a file that no image should hold: {path[:200]!r}")
    return path


def _too_large(limit: int) -> str:
    return f"the model is larger than {limit / _MEGA:,.0f} MB (SLIPWAY_BUILD_MAX_BYTES)"


def _capped(response: Any, limit: int, sentence: str) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_content(_PIECE):
        size += len(chunk)
        if size > limit:
            raise Refused(SYSTEM, sentence)
        yield chunk


def _json(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(SYSTEM, "this address does not answer as an MLflow server") from None
    return told if isinstance(told, dict) else {}


def _message(data: bytes) -> str:
    try:
        return str(_json(data).get("message", ""))
    except Refused:
        return ""
