"""Reads Applications straight from Kubernetes, where they are custom resources: no token of Argo CD's API,
only the right to `get` `applications` and `appprojects` of `argoproj.io`.

Needs the extra `kubernetes`. Argo CD cannot be asked to look at Git from here; it looks by itself.
"""

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from bot.adapters.argocd.application import Application
from bot.adapters.argocd.client import contains
from bot.adapters.argocd.followed import followed
from bot.adapters.argocd.inspection import seen
from bot.adapters.argocd.liveness import decide_liveness
from bot.adapters.argocd.sync_windows import Project, can_sync
from bot.domain.inspection import ApplicationSeen
from bot.domain.live import Liveness
from bot.ports import Forbidden, Forge, NotFound, Refused, Unavailable

_SYSTEM = "Kubernetes"
_GROUP, _VERSION = "argoproj.io", "v1alpha1"
_TIMEOUT = (3, 10)
"""Seconds to connect, and between two bytes."""
_TROUBLE = 500


class NoKubernetesError(Exception):
    """The package `kubernetes`, or the credentials of a cluster, are missing; the message is for a person."""


class ArgoCdResources:
    """The `Cluster` port over the Kubernetes API; safe to share between threads.

    `objects` is a `kubernetes.client.CustomObjectsApi`, `namespace` where Argo CD keeps its Applications.
    """

    def __init__(self, objects: Any, namespace: str) -> None:
        self._objects = objects
        self._namespace = namespace

    @classmethod
    def connect(cls, namespace: str) -> "ArgoCdResources":
        """With the pod's own service account, or else the kubeconfig of whoever runs this.

        Raises NoKubernetesError.
        """
        try:
            from kubernetes import client, config  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise NoKubernetesError(
                "SLIPWAY_ARGOCD_NAMESPACE needs the extra: slipway-bot[kubernetes]"
            ) from error
        try:
            config.load_incluster_config()
        except config.ConfigException:
            try:
                config.load_kube_config()
            except (config.ConfigException, OSError) as error:
                raise NoKubernetesError(
                    f"SLIPWAY_ARGOCD_NAMESPACE needs a service account or a kubeconfig: {error}"
                ) from error
        configuration = client.Configuration.get_default_copy()
        # The job waits and asks again, not the call.
        configuration.retries = False
        return cls(client.CustomObjectsApi(client.ApiClient(configuration)), namespace)

    def liveness(self, application: str, commit: str, repository_url: str, forge: Forge) -> Liveness:
        """Whether `commit` or a later one is live and healthy; one request, two when a sync window may
        stand in the way. Raises NotFound, Forbidden, Refused or Unavailable.
        """
        parsed = self._application(application)
        return decide_liveness(
            parsed,
            commit=commit,
            repository_url=followed(parsed, repository_url, forge),
            contains=lambda revision: contains(forge, commit, revision),
            can_sync=lambda: self._can_sync(parsed),
        )

    def inspect(self, application: str, repository_url: str) -> ApplicationSeen:
        """The Application as it is, for `slipway doctor`. Raises as `liveness`."""
        return seen(application, self._application(application), repository_url)

    def _application(self, application: str) -> Application:
        namespace, _, name = application.rpartition("/")
        document = self._get("applications", name, namespace or self._namespace)
        try:
            return Application.model_validate(document)
        except ValidationError as error:
            raise Refused(_SYSTEM, f"the Application {application} cannot be read: {error}") from error

    def _can_sync(self, application: Application) -> bool:
        project = application.spec.project
        try:
            document = Project.model_validate(self._get("appprojects", project, self._namespace))
            return can_sync(document, application, datetime.now(UTC))
        except ValueError as error:
            raise Refused(
                _SYSTEM, f"the sync windows of project {project} cannot be read: {error}"
            ) from error

    def _get(self, plural: str, name: str, namespace: str) -> Any:
        where = f"{plural[:-1]} {name} in namespace {namespace}"
        try:
            return self._objects.get_namespaced_custom_object(
                _GROUP, _VERSION, namespace, plural, name, _request_timeout=_TIMEOUT
            )
        except (HTTPError, OSError) as error:
            raise Unavailable(_SYSTEM, f"no answer: {type(error).__name__}") from error
        except Exception as error:
            # kubernetes' ApiException, which cannot be named without the extra.
            status = getattr(error, "status", None)
            if not isinstance(status, int):
                raise
            raise _refusal(status, where) from error


def _refusal(status: int, where: str) -> Refused | Unavailable:
    match status:
        case 404:
            return NotFound(_SYSTEM, f"there is no {where}: check `argocd` in slipway.yaml")
        case 401:
            return Forbidden(_SYSTEM, "the credentials are not accepted")
        case 403:
            verb = "give Slipway's service account the right to `get` it"
            return Forbidden(_SYSTEM, f"{where} may not be read: {verb}")
        case 429:
            return Unavailable(_SYSTEM, "it answered 429")
    if status >= _TROUBLE or status == 0:
        return Unavailable(_SYSTEM, f"it answered {status}")
    return Refused(_SYSTEM, f"it answered {status} when asked for {where}")
