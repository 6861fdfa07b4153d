"""A stand-in for Argo CD: it syncs a Git repository into the sandbox's cluster, and tells how far it is.

It watches the default branch of a bare repository, reads the Applications in `apps/`, renders each
one's folder, applies its Deployments, and answers the Application API with the truth: what it compared
last, whether an operation runs, how healthy the pods are, when it looked.
"""

import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2
import yaml

from bot.sandbox.cluster import Cluster, Deployment
from bot.sandbox.render import Document, RenderError, render

POLL_SECONDS = 0.3


@dataclass(slots=True)
class Synced:
    """What is known of one Application."""

    document: Document
    revision: str = ""
    rendered: list[Document] = field(default_factory=list)
    error: str = ""
    operation: Document | None = None
    history: list[Document] = field(default_factory=list)
    reconciled_at: str = ""
    health: str = "Missing"
    health_since: str = ""
    health_message: str = ""


class Syncer:
    """Syncs `repository` (a bare one) into `cluster`; checkouts go to `folder`."""

    def __init__(self, repository: Path, branch: str, cluster: Cluster, folder: Path) -> None:
        self._repository = repository
        self._branch = branch
        self._cluster = cluster
        self._folder = folder
        self._applications: dict[str, Synced] = {}
        self._head = ""
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="argocd", daemon=True)

    def start(self) -> None:
        """Begin to watch the repository."""
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def refresh(self) -> None:
        """Look at Git now."""
        self._wake.set()

    def names(self) -> list[str]:
        with self._lock:
            return sorted(self._applications)

    def application(self, name: str) -> Document | None:
        """The Application document as Argo CD would show it."""
        with self._lock:
            synced = self._applications.get(name)
            return _shown(synced) if synced else None

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            head = head_of(self._repository, self._branch)
            if head != self._head:
                self._sync(head)
                self._head = head
            with self._lock:
                for synced in self._applications.values():
                    self._observe(synced)

    def _sync(self, revision: str) -> None:
        checkout = self._folder / revision
        check_out(self._repository, revision, checkout)
        found = {
            document["metadata"]["name"]: document
            for file in sorted((checkout / "apps").glob("*.yaml"))
            for document in yaml.safe_load_all(file.read_text())
            if document and document.get("kind") == "Application"
        }
        with self._lock:
            for name in set(self._applications) - set(found):
                for deployment in _deployments(self._applications.pop(name).rendered):
                    self._cluster.delete(deployment.namespace, deployment.name)
        for name, document in found.items():
            with self._lock:
                synced = self._applications.setdefault(name, Synced(document))
                synced.document = document
            self._sync_one(synced, revision, checkout)

    def _sync_one(self, synced: Synced, revision: str, checkout: Path) -> None:
        try:
            rendered = render(checkout / synced.document["spec"]["source"]["path"])
            wanted = _deployments(rendered)
        except (RenderError, KeyError, TypeError, IndexError) as error:
            with self._lock:
                synced.revision, synced.error, synced.reconciled_at = revision, str(error), _now()
            return
        with self._lock:
            synced.revision, synced.error = revision, ""
            if rendered == synced.rendered:
                return
            started = _now()
            gone = {(d.namespace, d.name) for d in _deployments(synced.rendered)}
            for deployment in wanted:
                self._cluster.apply(deployment)
                gone.discard((deployment.namespace, deployment.name))
            for namespace, name in gone:
                self._cluster.delete(namespace, name)
            synced.rendered = rendered
            synced.operation = {
                "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": True}},
                "phase": "Succeeded",
                "message": "successfully synced (all tasks run)",
                "startedAt": started,
                "finishedAt": _now(),
                "syncResult": {"revision": revision, "source": synced.document["spec"]["source"]},
            }
            synced.history.append(
                {
                    "id": len(synced.history),
                    "revision": revision,
                    "deployStartedAt": started,
                    "deployedAt": _now(),
                    "source": synced.document["spec"]["source"],
                }
            )

    def _observe(self, synced: Synced) -> None:
        rollouts = [
            self._cluster.rollout(deployment.namespace, deployment.name)
            for deployment in _deployments(synced.rendered)
        ]
        unfinished = [rollout.message for rollout in rollouts if not rollout.done]
        health = "Progressing" if unfinished else "Healthy" if rollouts else "Missing"
        if health != synced.health:
            synced.health, synced.health_since = health, _now()
        synced.health_message = "; ".join(unfinished)
        synced.reconciled_at = _now()


def _shown(synced: Synced) -> Document:
    status: Document = {
        "sync": {
            "status": "Unknown" if synced.error else "Synced",
            "revision": synced.revision,
            "comparedTo": {
                "source": synced.document["spec"]["source"],
                "destination": synced.document["spec"]["destination"],
            },
        },
        "health": {"status": synced.health, "lastTransitionTime": synced.health_since or _now()},
        "reconciledAt": synced.reconciled_at or _now(),
        "sourceType": "Kustomize",
        "history": synced.history[-10:],
        "resources": [_resource(document) for document in synced.rendered],
    }
    if synced.health_message:
        status["health"]["message"] = synced.health_message
    if synced.error:
        status["conditions"] = [
            {"type": "ComparisonError", "message": synced.error, "lastTransitionTime": synced.reconciled_at}
        ]
    if synced.operation:
        status["operationState"] = synced.operation
    return {**synced.document, "status": status}


def _resource(document: Document) -> Document:
    group, _, version = document["apiVersion"].rpartition("/")
    return {
        "group": group,
        "version": version,
        "kind": document["kind"],
        "namespace": document["metadata"].get("namespace", ""),
        "name": document["metadata"]["name"],
        "status": "Synced",
    }


def _deployments(rendered: list[Document]) -> list[Deployment]:
    return [
        Deployment(
            namespace=document["metadata"].get("namespace", "default"),
            name=document["metadata"]["name"],
            replicas=document["spec"].get("replicas", 1),
            environment=_environment(document["spec"]["template"]["spec"]["containers"][0]),
        )
        for document in rendered
        if document["kind"] == "Deployment"
    ]


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {entry["name"]: str(entry["value"]) for entry in container.get("env", ()) if "value" in entry}


def head_of(repository: Path, branch: str) -> str:
    """The commit that a branch of a bare repository points to."""
    return str(pygit2.Repository(str(repository)).references[f"refs/heads/{branch}"].target)


def check_out(repository: Path, revision: str, folder: Path) -> None:
    """Write the files of a commit into a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["git", "--git-dir", str(repository), "archive", revision]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "--extract", "--directory", str(folder)], stdin=archive.stdout, check=True)
    if archive.returncode:
        raise RenderError(f"git cannot read {revision}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
