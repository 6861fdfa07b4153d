"""The template as Argo CD would render it, and the schemas that what comes out must pass."""

import json
import subprocess
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.adapters import shipped
from bot.domain.config import Config
from bot.domain.loading import load

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it announces its own dependencies' changes
    import kubernetes_validate

Document = dict[str, Any]

KUBERNETES = "1.32"
CORE = frozenset({"v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"})
LIGHT = yaml.safe_load((Path(__file__).parent / "light-schemas.yaml").read_text())


def run(*command: str | Path) -> str:
    """What a program prints; fails with what it says when it refuses."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _documents(text: str) -> list[Document]:
    return [document for document in yaml.safe_load_all(text) if document]


@pytest.fixture(scope="session")
def template() -> Path:
    """The folder that a user copies."""
    return shipped.folder("gitops-repo-template")


@pytest.fixture(scope="session")
def config(template: Path) -> Config:
    """The template's slipway.yaml."""
    return load((template / "slipway.yaml").read_text())


@pytest.fixture(scope="session")
def applications(template: Path) -> Mapping[str, Document]:
    """Name → every Application of the template, the root included."""
    files = [template / "argocd" / "root.yaml", *sorted((template / "apps").glob("*.yaml"))]
    found = [document for file in files for document in _documents(file.read_text())]
    return {document["metadata"]["name"]: document for document in found}


@pytest.fixture(scope="session")
def render() -> Callable[[Path, Document], list[Document]]:
    """Render an Application's source of a checkout, as Argo CD does: with Helm, Kustomize, or as it is."""

    def rendered(root: Path, application: Document) -> list[Document]:
        source = application["spec"]["source"]
        folder = root / source["path"]
        if "helm" in source:
            values = [f"--values={(folder / file).resolve()}" for file in source["helm"]["valueFiles"]]
            namespace = application["spec"]["destination"]["namespace"]
            name = application["metadata"]["name"]
            return _documents(run("helm", "template", name, folder, f"--namespace={namespace}", *values))
        if (folder / "kustomization.yaml").is_file():
            return _documents(run("kubectl", "kustomize", folder))
        return [one for file in sorted(folder.glob("*.yaml")) for one in _documents(file.read_text())]

    return rendered


@pytest.fixture(scope="session")
def rendered(template, applications, render) -> Mapping[str, list[Document]]:
    """Application → the documents that reach the cluster; `argocd` is what a person applies."""
    found = {name: render(template, document) for name, document in applications.items()}
    files = sorted((template / "argocd").glob("*.yaml"))
    found["argocd"] = [document for file in files for document in _documents(file.read_text())]
    return found


@pytest.fixture(scope="session")
def validate(shared_data: Path) -> Callable[[Document], None]:
    """Check a document with the schema of its kind: Kubernetes', the CRD's, or our own short one."""

    def check(document: Document) -> None:
        version, kind = document["apiVersion"], document["kind"]
        if version in CORE:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
            return
        file = shared_data / "crd-schemas" / f"{version.replace('/', '_')}_{kind}.json"
        schema = json.loads(file.read_text()) if file.is_file() else LIGHT[f"{version} {kind}"]
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
        assert errors == [], f"{kind} {document['metadata']['name']}"

    return check
