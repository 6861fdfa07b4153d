"""The Argo CD adapter against the stand-in that the sandbox runs, syncing a real Git repository."""

import json
import subprocess
import time

import httpx
import jsonschema
import pytest

from bot.adapters.argocd import ArgoCd
from bot.domain.live import LiveState
from bot.ports import Forbidden, NotFound, Unavailable
from bot.sandbox import argocd_api, repository
from bot.sandbox.argocd import Syncer
from bot.sandbox.cluster import Deployment, Rollout
from bot.sandbox.processes import wait_until
from bot.sandbox.server import Server

URL = "http://127.0.0.1:9/demo/models"
TOKEN = "a token"


class Pods:
    """A cluster whose rollouts end when the test says so."""

    def __init__(self) -> None:
        self.applied: dict[str, Deployment] = {}
        self.done = False

    def apply(self, deployment: Deployment) -> None:
        self.applied[deployment.name] = deployment

    def delete(self, _: str, name: str) -> None:
        del self.applied[name]

    def rollout(self, _: str, __: str) -> Rollout:
        return Rollout(self.done, "1 of 1 ready" if self.done else "0 of 1 updated replicas are ready")


class Gitops:
    """A bare repository and what a forge knows of its history."""

    def __init__(self, folder) -> None:
        self.work, self.bare = folder / "work", folder / "bare.git"
        for path, data in repository.contents(f"{URL}.git").items():
            (self.work / path).parent.mkdir(parents=True, exist_ok=True)
            (self.work / path).write_bytes(data)
        self._git("init", "--quiet", "--initial-branch", "main")
        subprocess.run(["git", "init", "--quiet", "--bare", str(self.bare)], check=True)
        self.commit()

    def commit(self) -> str:
        self._git("add", "--all")
        self._git(
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "commit",
            "--quiet",
            "-m",
            "x",
            "--allow-empty",
        )
        self._git("push", "--quiet", "--force", str(self.bare), "HEAD:refs/heads/main")
        return self._git("rev-parse", "HEAD").strip()

    def pin(self, version: str) -> str:
        file = self.work / repository.PIN_FILE
        before = file.read_text()
        file.write_text(before.rpartition("models:/")[0] + f"models:/{repository.MODEL}/{version}\n")
        return self.commit()

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        command = ["git", "-C", str(self.work), "merge-base", "--is-ancestor", ancestor, descendant]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.work), *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout


@pytest.fixture
def pods() -> Pods:
    return Pods()


@pytest.fixture
def gitops(tmp_path) -> Gitops:
    return Gitops(tmp_path)


@pytest.fixture
def server(gitops, pods, tmp_path):
    syncer = Syncer(gitops.bare, "main", pods, tmp_path / "checkouts")
    syncer.start()
    started = Server(argocd_api.build(syncer, TOKEN), "argocd")
    wait_until(lambda: syncer.application(repository.APPLICATION) is not None, 60, "the first sync")
    yield started
    started.close()
    syncer.close()


@pytest.fixture
def argocd(server):
    client = ArgoCd(server.url, TOKEN)
    yield client
    client.close()


def ask(argocd, gitops, commit):
    return argocd.liveness(repository.APPLICATION, commit, URL, gitops)


def wait_for(argocd, gitops, commit, state):
    deadline = time.monotonic() + 60
    while (answer := ask(argocd, gitops, commit)).state is not state:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def test_a_commit_becomes_live_when_its_pods_are_ready(argocd, gitops, pods):
    """A new pin is syncing until the rollout is done, and live then."""
    commit = gitops.pin("2")

    wait_until(
        lambda: "updated replicas are ready" in ask(argocd, gitops, commit).reason,
        60,
        "the start of the rollout",
    )
    assert ask(argocd, gitops, commit).state is LiveState.SYNCING
    pods.done = True
    live = wait_for(argocd, gitops, commit, LiveState.LIVE)

    assert pods.applied[repository.MODEL].environment["MODEL_URI"] == f"models:/{repository.MODEL}/2"
    assert (live.revision, live.since is None) == (commit, False)


def test_a_later_commit_carries_an_earlier_one(argocd, gitops, pods):
    """A commit stays live when later commits change nothing of this Application."""
    pods.done = True
    commit = gitops.pin("2")
    (gitops.work / "README.md").write_text("other\n")
    later = gitops.commit()

    assert wait_for(argocd, gitops, later, LiveState.LIVE).revision == later
    assert ask(argocd, gitops, commit).state is LiveState.LIVE


def test_what_does_not_render_failed(argocd, gitops):
    """Manifests that do not render are a failed sync, told with the renderer's words."""
    (gitops.work / repository.PIN_FILE).write_text("kind: Deployment\nmetadata: {name: absent}\n")
    commit = gitops.commit()

    assert "ComparisonError" in wait_for(argocd, gitops, commit, LiveState.FAILED).reason


def test_the_documents_are_real_applications(server, argocd, gitops, pods, shared_data):
    """What the stand-in shows is valid against Argo CD's own schema, before and after the rollout."""
    file = shared_data / "crd-schemas" / "argoproj.io_v1alpha1_Application.json"
    validator = jsonschema.Draft202012Validator(json.loads(file.read_text()))
    url = f"{server.url}/api/v1/applications/{repository.APPLICATION}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    commit = gitops.pin("2")

    for done, state in ((False, LiveState.SYNCING), (True, LiveState.LIVE)):
        pods.done = done
        wait_for(argocd, gitops, commit, state)
        shown = httpx.get(url, headers=headers, trust_env=False).json()
        assert list(validator.iter_errors(shown)) == []


def test_credentials_and_names_are_checked(server, argocd, gitops):
    """A wrong token is forbidden, an unknown Application is not found."""
    stranger = ArgoCd(server.url, "another")
    with pytest.raises(Forbidden):
        ask(stranger, gitops, "a" * 40)
    with pytest.raises(NotFound):
        argocd.liveness("absent", "a" * 40, URL, gitops)
    stranger.close()


def test_a_stopped_server_is_unavailable(gitops):
    """A server that is gone is unavailable."""
    gone = ArgoCd("http://127.0.0.1:9", TOKEN, timeout=1)
    with pytest.raises(Unavailable):
        ask(gone, gitops, "a" * 40)
    gone.close()


def test_a_person_can_read_it(server, argocd, gitops, pods):
    """The page of an Application shows its document without a token."""
    page = httpx.get(f"{server.url}/applications/{repository.APPLICATION}", trust_env=False)

    assert page.status_code == 200
    assert repository.PIN_FILE.rpartition("/")[0] in page.text
