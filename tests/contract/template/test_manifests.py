"""What a user copies is valid: every overlay renders, and everything in it passes the real schemas."""

import json
import warnings

import jsonschema
import pytest
import yaml

from bot.sandbox import repository
from bot.sandbox.render import render_with_kubectl

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it announces its own dependencies' changes
    import kubernetes_validate

TEMPLATE = repository.template()
OVERLAYS = sorted((TEMPLATE / "models").glob("*/overlays/*"))
KUBERNETES = "1.32"


@pytest.mark.real("kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_every_overlay_renders_valid_manifests(overlay):
    """Each overlay renders with kubectl, and Kubernetes would take every document, unknown keys refused."""
    documents = render_with_kubectl(overlay)

    assert {document["kind"] for document in documents} >= {"Deployment", "Service"}
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.mark.real("kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_what_selects_pods_selects_them(overlay):
    """Services, Deployments and disruption budgets select the pods of the Deployment beside them."""
    documents = {document["kind"]: document for document in render_with_kubectl(overlay)}
    labels = documents["Deployment"]["spec"]["template"]["metadata"]["labels"].items()

    for kind, document in documents.items():
        selector = document["spec"]["selector"]
        selected = selector if kind == "Service" else selector["matchLabels"]
        assert selected.items() <= labels, kind


def test_every_application_is_valid_and_deploys_an_overlay(shared_data):
    """Each Argo CD Application is valid, follows a folder that exists, and is named in slipway.yaml."""
    schema = json.loads((shared_data / "crd-schemas" / "argoproj.io_v1alpha1_Application.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    named = (TEMPLATE / "slipway.yaml").read_text()

    for file in (TEMPLATE / "apps").glob("*.yaml"):
        application = yaml.safe_load(file.read_text())
        assert list(validator.iter_errors(application)) == [], file.name
        assert (TEMPLATE / application["spec"]["source"]["path"]).is_dir()
        assert f"argocd: {application['metadata']['name']}" in named
