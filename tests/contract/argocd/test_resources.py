"""Applications read straight from Kubernetes: the real client over a real HTTP server that answers as one."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.adapters.argocd import ArgoCdResources, NoKubernetesError
from bot.adapters.argocd.application import Application
from bot.adapters.argocd.sync_windows import Project, can_sync
from bot.domain.live import LiveState
from bot.ports import Forbidden, NotFound, Refused, Unavailable

client = pytest.importorskip("kubernetes.client", reason="the extra `kubernetes` is not installed")

REPOSITORY = "https://github.test/octo/gitops"
COMMIT = "a" * 40
NOW = datetime(2026, 11, 18, 12, 30, tzinfo=UTC)
"""A Wednesday."""


class Api(BaseHTTPRequestHandler):
    """Custom resources by path; a status instead of a document refuses."""

    objects: dict[str, object] = {}  # noqa: RUF012 - the server makes a handler for each request
    asked: list[str] = []  # noqa: RUF012 - same

    def do_GET(self) -> None:
        self.asked.append(self.path)
        found = self.objects.get(self.path, 404)
        status, document = (found, {"kind": "Status"}) if isinstance(found, int) else (200, found)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def kubernetes(server) -> Iterator[ArgoCdResources]:
    Api.objects, Api.asked = {}, []
    with client_of(server) as api:
        yield ArgoCdResources(api, "argocd")


class client_of:  # noqa: N801 - reads as the function that it stands for
    def __init__(self, server: str) -> None:
        configuration = client.Configuration(host=server)
        configuration.retries = False
        self._client = client.ApiClient(configuration)
        self._objects = client.CustomObjectsApi(self._client)

    def __enter__(self):
        return self._objects

    def __exit__(self, *_) -> None:
        self._client.close()


class Forge:
    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return ancestor == descendant


def path(name: str = "fraud", plural: str = "applications", namespace: str = "argocd") -> str:
    return f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/{plural}/{name}"


def application(*, sync: str = "Synced", health: str = "Healthy", **status) -> dict:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "fraud", "namespace": "argocd"},
        "spec": {
            "project": "models",
            "source": {"repoURL": REPOSITORY, "path": "models/fraud", "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "production"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
        "status": {
            "sync": {"status": sync, "revision": COMMIT},
            "health": {"status": health},
            "reconciledAt": "2026-11-18T12:00:00Z",
            **status,
        },
    }


def look(kubernetes: ArgoCdResources, name: str = "fraud"):
    return kubernetes.liveness(name, COMMIT, REPOSITORY, Forge())


def test_a_synced_and_healthy_application_is_live_in_one_request(kubernetes):
    """The same table as over Argo CD's API."""
    Api.objects[path()] = application()
    answer = look(kubernetes)

    assert (answer.state, answer.revision) == (LiveState.LIVE, COMMIT)
    assert Api.asked == [path()]


def test_an_application_elsewhere_is_named_with_its_namespace(kubernetes):
    """`namespace/name`, as over the API."""
    Api.objects[path(namespace="teams")] = application()

    assert look(kubernetes, "teams/fraud").state is LiveState.LIVE


@pytest.mark.parametrize(("seconds", "state"), [(3600, LiveState.WAITING), (0, LiveState.SYNCING)])
def test_a_closed_window_of_the_project_is_waited_for(kubernetes, seconds, state):
    """A deny window that is on now, or one that is over."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    window = {
        "kind": "deny",
        "schedule": f"{began.minute} {began.hour} * * *",
        "duration": f"{max(seconds, 1)}s",
        "applications": ["*"],
    }
    Api.objects[path()] = application(sync="OutOfSync")
    Api.objects[path("models", "appprojects")] = {"spec": {"syncWindows": [window]}}

    assert look(kubernetes).state is state


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (404, NotFound, "there is no application fraud in namespace argocd: check `argocd` in slipway.yaml"),
        (403, Forbidden, "give Slipway's service account the right to `get` it"),
        (401, Forbidden, "credentials are not accepted"),
        (429, Unavailable, "429"),
        (503, Unavailable, "503"),
        (418, Refused, "418"),
    ],
)
def test_a_refusal_says_what_to_do(kubernetes, status, error, said):
    """One sentence each."""
    Api.objects[path()] = status
    with pytest.raises(error, match=said):
        look(kubernetes)


def test_a_document_of_another_kind_and_an_unreadable_window_are_refused(kubernetes):
    """Never a traceback."""
    Api.objects[path()] = {"spec": {"sources": 7}}
    with pytest.raises(Refused, match="cannot be read"):
        look(kubernetes)

    Api.objects[path()] = application(sync="OutOfSync")
    windows = [{"kind": "deny", "schedule": "often", "duration": "1h", "applications": ["*"]}]
    Api.objects[path("models", "appprojects")] = {"spec": {"syncWindows": windows}}
    with pytest.raises(Refused, match="sync windows of project models"):
        look(kubernetes)


def test_a_server_that_is_away_is_unavailable_soon():
    """No retries: the job asks again later."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with client_of(f"http://127.0.0.1:{port}") as api, pytest.raises(Unavailable, match="no answer"):
        look(ArgoCdResources(api, "argocd"))

    assert time.monotonic() - began < 15


def test_without_credentials_there_is_a_sentence(monkeypatch, tmp_path):
    """Neither a service account nor a kubeconfig."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))

    with pytest.raises(NoKubernetesError, match="needs a service account or a kubeconfig"):
        ArgoCdResources.connect("argocd")


DENY = {"kind": "deny", "schedule": "0 12 * * *", "duration": "1h", "applications": ["fraud*"]}
ALLOW = {**DENY, "kind": "allow"}


@pytest.mark.parametrize(
    ("windows", "hour", "minute", "expected"),
    [
        ([], 12, 30, True),
        ([DENY], 12, 30, False),
        ([DENY], 13, 0, True),
        ([DENY], 12, 0, False),
        ([ALLOW], 12, 30, True),
        ([ALLOW], 14, 0, False),
        ([ALLOW, DENY], 12, 30, False),
        ([{**DENY, "applications": ["other"]}], 12, 30, True),
        ([{**DENY, "applications": [], "namespaces": ["prod*"]}], 12, 30, False),
        ([{**DENY, "applications": [], "clusters": ["https://*"]}], 12, 30, False),
        ([{**DENY, "namespaces": ["staging"]}], 12, 30, False),
        ([{**DENY, "namespaces": ["staging"], "andOperator": True}], 12, 30, True),
        ([{**DENY, "timeZone": "Europe/Vienna"}], 11, 30, False),
        ([{**DENY, "timeZone": "Europe/Vienna"}], 12, 30, True),
    ],
)
def test_windows_open_and_close_as_argo_cd_has_them(windows, hour, minute, expected):
    """Deny before allow; an allow window that is over closes."""
    project = Project.model_validate({"spec": {"syncWindows": windows}})
    found = Application.model_validate(application())

    assert can_sync(project, found, NOW.replace(hour=hour, minute=minute)) is expected
