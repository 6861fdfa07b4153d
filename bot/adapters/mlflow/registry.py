"""The registry itself: aliases, versions, tags, and the evidence of one version; of models and of prompts.

Two rules. Requests are counted: a listing is paged by 1,000, the evidence of a version takes four
(six where the version was copied from another model). And only the tracking server is spoken to:
an address that the registry holds (`source`, `artifact_location`) is never fetched, the server
hands out the file itself.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from bot.adapters.mlflow import assemble, mlmodel
from bot.adapters.mlflow.calls import SYSTEM, absent_as_none, apply_limits, refusal, translated
from bot.adapters.mlflow.origin import LOGGED_MODEL, original
from bot.adapters.mlflow.prompts import FILTER, MlflowPrompts, quoted
from bot.domain.evidence import VersionEvidence
from bot.domain.version import ModelVersion
from bot.ports import NotFound, Refused

T = TypeVar("T")

_PAGE = 1000


class MlflowRegistry:
    """MLflow over its REST API; `uri` is the tracking server, `public_url` what people's browsers use.

    Credentials come from MLflow's own variables (`MLFLOW_TRACKING_TOKEN`, `…_USERNAME`, `…_PASSWORD`).
    Safe to share between threads.
    """

    def __init__(self, uri: str, public_url: str | None = None) -> None:
        apply_limits()
        self._uri = uri.rstrip("/")
        self._links = (public_url or uri).rstrip("/")
        self._client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        self._prompts = MlflowPrompts(self._client, self._links)

    def aliases(self) -> Mapping[str, Mapping[str, str]]:
        return {**self._aliases(None), **self._aliases(FILTER)}

    def version(self, model: str, version: str) -> ModelVersion:
        return _either(
            lambda: self._model_version(model, version), lambda: self._prompts.version(model, version)
        )

    def latest_version(self, model: str) -> str | None:
        with translated(f"the versions of {model}"):
            newest = self._client.search_model_versions(
                f"name={quoted(model)}", max_results=1, order_by=["version_number DESC"]
            )
        if newest:
            return str(newest[0].version)
        return absent_as_none(lambda: self._prompts.latest_version(model))

    def alias(self, model: str, alias: str) -> str | None:
        return _either(lambda: self._model_alias(model, alias), lambda: self._prompts.alias(model, alias))

    def evidence(self, model: str, version: str) -> VersionEvidence:
        return _either(
            lambda: self._model_evidence(model, version), lambda: self._prompts.evidence(model, version)
        )

    def artifact(self, model: str, version: str, path: str) -> bytes | None:
        return absent_as_none(partial(self._file, model, version, path))

    def set_alias(self, model: str, alias: str, version: str) -> None:
        def of_model() -> None:
            with translated(f"setting the alias {alias} of {model}"):
                self._client.set_registered_model_alias(model, alias, version)

        _either(of_model, lambda: self._prompts.set_alias(model, alias, version))

    def delete_alias(self, model: str, alias: str) -> None:
        def of_model() -> None:
            with translated(f"deleting the alias {alias} of {model}"):
                self._client.delete_registered_model_alias(model, alias)

        _either(of_model, lambda: self._prompts.delete_alias(model, alias))

    def tag(self, model: str, version: str, key: str, value: str) -> None:
        def of_model() -> None:
            with translated(f"tagging {model} version {version}"):
                self._client.set_model_version_tag(model, version, key, value)

        _either(of_model, lambda: self._prompts.tag(model, version, key, value))

    def version_url(self, model: str, version: str) -> str:
        return f"{self._links}/#/models/{quote(model, safe='')}/versions/{quote(version, safe='')}"

    def _aliases(self, which: str | None) -> dict[str, Mapping[str, str]]:
        """Of all models, or of all prompts; MLflow's listing leaves prompts out unless asked for them."""
        found: dict[str, Mapping[str, str]] = {}
        token: str | None = None
        while True:
            with translated("the registered models"):
                page = self._client.search_registered_models(which, max_results=_PAGE, page_token=token)
            found.update({model.name: {a: str(v) for a, v in model.aliases.items()} for model in page})
            token = page.token
            if not token:
                return found

    def _model_version(self, model: str, version: str) -> ModelVersion:
        found = self._version(model, version)
        run = self._run(found.run_id)
        return ModelVersion(
            model=found.name,
            version=str(found.version),
            source=found.source or "",
            created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
            run_id=found.run_id or None,
            creator=found.user_id or (run.data.tags.get("mlflow.user") if run else None),
            description=found.description or "",
            tags=dict(found.tags),
            run_tags=dict(run.data.tags) if run else {},
            aliases=tuple(sorted(found.aliases)),
        )

    def _model_alias(self, model: str, alias: str) -> str | None:
        with translated(f"the aliases of {model}"):
            version = self._client.get_registered_model(model).aliases.get(alias)
        return None if version is None else str(version)

    def _model_evidence(self, model: str, version: str) -> VersionEvidence:
        found = self._version(model, version)
        run = self._run(found.run_id)
        logged = self._logged_model(found)
        unreadable: list[str] = []
        if found.run_id and run is None:
            unreadable.append("the training run was deleted from the registry")
        file = mlmodel.ModelFile()
        try:
            file = mlmodel.parse(self._file(model, version, "MLmodel").decode(errors="replace"))
        except Refused as error:
            unreadable.append(f"the MLmodel file could not be read: {error.message}")
        except mlmodel.NotAModelFile as error:
            unreadable.append(str(error))
        return assemble.evidence(
            found,
            run,
            logged,
            file,
            url=self.version_url(found.name, str(found.version)),
            run_url=self._run_url(run),
            unreadable=tuple(unreadable),
        )

    # MLflow's client has no annotations: what it returns is Any here and typed again by `assemble`.

    def _version(self, model: str, version: str) -> Any:
        with translated(f"{model} version {version}"):
            return self._client.get_model_version(model, version)

    def _run(self, run_id: str | None) -> Any:
        """The training run; None where the version names none, or one that was deleted."""
        return absent_as_none(partial(self._get_run, run_id)) if run_id else None

    def _get_run(self, run_id: str) -> Any:
        with translated(f"run {run_id}"):
            return self._client.get_run(run_id)

    def _logged_model(self, version: Any) -> Any:
        """The logged model behind a version, through copies; None where there is none."""
        first = original(version, self._version)
        logged = LOGGED_MODEL.fullmatch(first.source or "") if first is not None else None
        return absent_as_none(partial(self._get_logged_model, logged[1])) if logged else None

    def _get_logged_model(self, name: str) -> Any:
        with translated(f"logged model {name}"):
            return self._client.get_logged_model(name)

    def _file(self, model: str, version: str, path: str) -> bytes:
        """A file of a version as the tracking server hands it out, whatever store it keeps it in."""
        what = f"the file {path}"
        with (
            translated(what),
            http_request(
                get_default_host_creds(self._uri),
                "/model-versions/get-artifact",
                "GET",
                params={"name": model, "version": version, "path": path},
                stream=True,
                raise_on_status=False,
            ) as response,
        ):
            data = b"".join(_at_most(response, mlmodel.LARGEST))
            if response.status_code >= 500:  # noqa: PLR2004 - the server answers; its artifact store does not
                raise Refused(SYSTEM, f"the server answered {response.status_code}")
            if response.status_code != 200:  # noqa: PLR2004 - OK
                raise refusal(response.status_code, what, "the server does not have it")
            return data

    def _run_url(self, run: Any) -> str | None:
        if run is None:
            return None
        return f"{self._links}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def _at_most(response: Any, limit: int) -> list[bytes]:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(65_536):
        size += len(chunk)
        if size > limit:
            raise Refused(SYSTEM, f"it is larger than {limit:,} bytes")
        chunks.append(chunk)
    return chunks


def _either(as_model: Callable[[], T], as_prompt: Callable[[], T]) -> T:
    """A name is a model's or a prompt's, never both. What neither has is told in the model's words."""
    try:
        return as_model()
    except NotFound as missing:
        try:
            return as_prompt()
        except Refused:  # not there either, or "this is a model": only a version of it is missing
            raise missing from None
