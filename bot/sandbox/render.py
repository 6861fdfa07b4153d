"""Renders a Kustomize folder: with `kubectl kustomize` where it is on PATH, else with a small reader.

The small reader knows what the sandbox's model in `gitops-repo-template` uses: resources, patches by path,
namespace, replicas and labels. It refuses every other key, so that it never renders less than was asked for.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]
_KNOWN = frozenset({"apiVersion", "kind", "resources", "patches", "namespace", "replicas", "labels"})
_CLUSTER_WIDE = frozenset({"Namespace", "ClusterRole", "ClusterRoleBinding"})


class RenderError(Exception):
    """The folder does not render; the message says why."""


def renderer() -> str:
    """What renders here, for the narration and the report."""
    return "kubectl kustomize" if shutil.which("kubectl") else "the sandbox's own kustomization reader"


def render(folder: Path) -> list[Document]:
    """The documents of a folder with a kustomization. Raises RenderError."""
    return render_with_kubectl(folder) if shutil.which("kubectl") else read_kustomization(folder)


def render_with_kubectl(folder: Path) -> list[Document]:
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise RenderError(done.stderr.strip())
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def read_kustomization(folder: Path) -> list[Document]:
    try:
        return _read(folder)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise RenderError(f"{folder.name}: {error}") from error


def _read(folder: Path) -> list[Document]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := sorted(set(kustomization) - _KNOWN):
        raise RenderError(f"{', '.join(unknown)}: install kubectl to render this")
    documents: list[Document] = []
    for resource in kustomization.get("resources", ()):
        path = folder / resource
        documents += _read(path) if path.is_dir() else _load(path)
    for patch in kustomization.get("patches", ()):
        for change in _load(folder / patch["path"]):
            _patch(documents, change)
    for replicas in kustomization.get("replicas", ()):
        for deployment in _of_kind(documents, "Deployment", replicas["name"]):
            deployment["spec"]["replicas"] = replicas["count"]
    for document in documents:
        for label in kustomization.get("labels", ()):
            _label(document, label)
        if "namespace" in kustomization and document["kind"] not in _CLUSTER_WIDE:
            document["metadata"]["namespace"] = kustomization["namespace"]
    return documents


def _of_kind(documents: list[Document], kind: str, name: str) -> list[Document]:
    return [document for document in documents if _identity(document) == (kind, name)]


def _load(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def _patch(documents: list[Document], change: Document) -> None:
    for number, document in enumerate(documents):
        if _identity(document) == _identity(change):
            documents[number] = _merged(document, change)
            return
    raise RenderError(f"a patch finds no {change['kind']} {change['metadata']['name']}")


def _identity(document: Document) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def _merged(old: Any, new: Any) -> Any:
    """Strategic merge: mappings by key, lists of named things by name, everything else replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _merged(old[key], value) if key in old else value for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list) and all("name" in entry for entry in (*old, *new)):
        known = {entry["name"]: entry for entry in old}
        changed = {entry["name"]: _merged(known.get(entry["name"], {}), entry) for entry in new}
        return [*changed.values(), *(entry for name, entry in known.items() if name not in changed)]
    return new


def _label(document: Document, label: Document) -> None:
    pairs = label["pairs"]
    spec = document.get("spec", {})
    places = [document["metadata"]]
    if "template" in spec:
        places.append(spec["template"].setdefault("metadata", {}))
    for place in places:
        place["labels"] = place.get("labels", {}) | pairs
    if not label.get("includeSelectors"):
        return
    if document["kind"] == "Service":
        spec["selector"] = spec.get("selector", {}) | pairs
    elif "template" in spec or "selector" in spec:
        selector = spec.setdefault("selector", {})
        selector["matchLabels"] = selector.get("matchLabels", {}) | pairs
