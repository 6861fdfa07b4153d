"""A small Kubernetes: Deployments become pods (processes), changed Deployments roll over, Services follow.

A rolling update never has fewer ready pods than replicas (maxUnavailable 0) and one more at most
(maxSurge 1); an old pod first leaves its Service, then gets SIGTERM and finishes what it has begun.
"""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.sandbox.node import Node
from bot.sandbox.processes import free_port
from bot.sandbox.service import Service

TICK_SECONDS = 0.1
RESTART_SECONDS = 3.0
LEAVE_SECONDS = 0.3
"""Between leaving the Service and SIGTERM: connections made meanwhile are still served."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the sandbox understands of a Deployment: `environment` is that of its one container."""

    namespace: str
    name: str
    replicas: int
    environment: Mapping[str, str]

    @property
    def template(self) -> str:
        """Changes when the pods must change."""
        text = json.dumps(dict(self.environment), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


@dataclass(slots=True)
class Pod:
    name: str
    template: str
    port: int
    ready: bool = False
    leaving_since: float | None = None
    stopping: bool = False
    failed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far a Deployment is."""

    done: bool
    message: str


class Cluster:
    """Runs Deployments on a node; `targets_file` always lists the running pods for Prometheus."""

    def __init__(
        self, node: Node, app_folder: Path, targets_file: Path, environment: Mapping[str, str]
    ) -> None:
        self._node = node
        self._app_folder = app_folder
        self._targets_file = targets_file
        self._environment = environment
        self._deployments: dict[tuple[str, str], Deployment] = {}
        self._pods: dict[tuple[str, str], list[Pod]] = {}
        self._services: dict[tuple[str, str], Service] = {}
        self._count = 0
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._http = httpx.Client(timeout=0.5, trust_env=False)
        self._write_targets()
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(10)
        for service in self._services.values():
            service.close()
        self._http.close()

    def apply(self, deployment: Deployment) -> None:
        with self._lock:
            key = (deployment.namespace, deployment.name)
            self._deployments[key] = deployment
            self._pods.setdefault(key, [])

    def delete(self, namespace: str, name: str) -> None:
        with self._lock:
            self._deployments.pop((namespace, name), None)

    def address(self, namespace: str, name: str) -> str:
        """The Service's address; it exists before the pods and outlives them."""
        with self._lock:
            return self._services.setdefault((namespace, name), Service()).url

    def rollout(self, namespace: str, name: str) -> Rollout:
        with self._lock:
            deployment = self._deployments.get((namespace, name))
            if deployment is None:
                return Rollout(done=False, message="not applied")
            pods = self._pods[namespace, name]
            updated = [pod for pod in pods if pod.template == deployment.template]
            ready = sum(pod.ready for pod in updated)
            failed = [pod.name for pod in updated if pod.failed_at is not None]
            if failed:
                return Rollout(done=False, message=f"{failed[0]} ended while starting; it will be restarted")
            message = f"{ready} of {deployment.replicas} updated replicas are ready"
            return Rollout(done=ready == deployment.replicas == len(pods), message=message)

    def logs(self, namespace: str, name: str) -> list[Path]:
        """The log files of a Deployment's pods, the newest last."""
        with self._lock:
            return [self._node.log(pod.name) for pod in self._pods.get((namespace, name), [])]

    def _run(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            with self._lock:
                for key in list(self._pods):
                    self._reconcile(key)

    def _reconcile(self, key: tuple[str, str]) -> None:
        pods = self._pods[key]
        before = [(pod.name, pod.ready, pod.stopping) for pod in pods]
        for pod in list(pods):
            self._look_at(pod, pods)
        self._roll(key, pods)
        if before != [(pod.name, pod.ready, pod.stopping) for pod in pods]:
            self._write_targets()
        if service := self._services.get(key):
            service.route_to([pod.port for pod in pods if pod.ready and pod.leaving_since is None])

    def _look_at(self, pod: Pod, pods: list[Pod]) -> None:
        if self._node.exit_code(pod.name) is not None:
            if pod.stopping or pod.leaving_since is not None:
                pods.remove(pod)
            elif pod.failed_at is None:
                pod.failed_at, pod.ready = time.monotonic(), False
            elif _ago(pod.failed_at) > RESTART_SECONDS:
                pods.remove(pod)
        elif not pod.ready and not pod.stopping:
            pod.ready = self._answers(pod)
        elif pod.leaving_since is not None and not pod.stopping and _ago(pod.leaving_since) > LEAVE_SECONDS:
            pod.stopping, pod.ready = True, False
            self._node.stop(pod.name)

    def _roll(self, key: tuple[str, str], pods: list[Pod]) -> None:
        deployment = self._deployments.get(key)
        wanted = deployment.replicas if deployment else 0
        staying = [pod for pod in pods if pod.leaving_since is None]
        updated = [pod for pod in staying if deployment and pod.template == deployment.template]
        if deployment and len(updated) < wanted and len(staying) <= wanted:
            pods.append(self._start(deployment))
        ready = sum(pod.ready for pod in staying)
        old = [pod for pod in staying if pod not in updated]
        for pod in old:
            if not pod.ready or ready > wanted:
                pod.leaving_since = time.monotonic()
                ready -= pod.ready
        for pod in updated[wanted:]:
            pod.leaving_since = time.monotonic()

    def _start(self, deployment: Deployment) -> Pod:
        self._count += 1
        name = f"{deployment.name}-{deployment.template}-{self._count}"
        pod = Pod(name, deployment.template, free_port())
        arguments = ["app:app", "--app-dir", str(self._app_folder), "--host", "127.0.0.1"]
        arguments += ["--port", str(pod.port), "--no-access-log", "--timeout-graceful-shutdown", "10"]
        environment = {**deployment.environment, **self._environment}
        self._node.start(name, "uvicorn", arguments, environment)
        return pod

    def _answers(self, pod: Pod) -> bool:
        try:
            return self._http.get(f"http://127.0.0.1:{pod.port}/readyz").is_success
        except httpx.HTTPError:
            return False

    def _write_targets(self) -> None:
        groups = [
            {
                "targets": [f"127.0.0.1:{pod.port}"],
                "labels": {"namespace": namespace, "service": name, "pod": pod.name},
            }
            for (namespace, name), pods in self._pods.items()
            for pod in pods
            if not pod.stopping and pod.failed_at is None
        ]
        partial = self._targets_file.with_suffix(".partial")
        partial.write_text(json.dumps(groups))
        partial.replace(self._targets_file)


def _ago(moment: float) -> float:
    return time.monotonic() - moment
