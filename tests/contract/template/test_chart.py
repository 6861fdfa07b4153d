"""The chart of the Helm style refuses what it does not understand, and scales only what it is told to scale."""

import subprocess

import pytest
import yaml

from bot.adapters import shipped

pytestmark = pytest.mark.real("helm")

CHART = shipped.folder("gitops-repo-template") / "charts" / "model-server"
GOOD = {"model": "sales", "image": {"repository": "registry.example.com/ml/sales", "tag": "v1"}}


@pytest.fixture
def render(tmp_path):
    """What helm prints for these values, or why it refuses."""

    def rendered(values):
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        command = ["helm", "template", "sales", str(CHART), f"--values={file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.stderr if done.returncode else [*yaml.safe_load_all(done.stdout)]

    return rendered


def test_without_an_autoscaler_the_replicas_are_told(render):
    """One replica, no ScaledObject, no alert: what the values leave out is not there."""
    documents = {document["kind"]: document for document in render(GOOD)}

    assert documents["Deployment"]["spec"]["replicas"] == 1
    assert documents.keys() == {
        "Deployment",
        "Service",
        "ServiceMonitor",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }


def test_an_image_without_digest_is_pinned_by_its_tag(render):
    """And with one by both."""
    by_tag = {document["kind"]: document for document in render(GOOD)}
    both = {"model": "sales", "image": {**GOOD["image"], "digest": "sha256:" + "2" * 64}}
    by_both = {document["kind"]: document for document in render(both)}

    def image(documents):
        return documents["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"]

    assert image(by_tag) == "registry.example.com/ml/sales:v1"
    assert image(by_both) == "registry.example.com/ml/sales:v1@sha256:" + "2" * 64


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"image": {"repository": "registry.example.com/ml/sales", "tag": ""}}, "tag"),
        ({"image": {**GOOD["image"], "digest": "sha256:short"}}, "digest"),
        ({"replicas": 3}, "replicas"),
        ({"model": "Sales Model"}, "model"),
        ({"autoscaling": {"minReplicas": 0}}, "minReplicas"),
        ({"objectives": {"errors": {"budget": 1}}}, "budget"),
        ({"prometheus": "prometheus:9090"}, "prometheus"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_values_are_refused_with_their_name(render, wrong, told):
    """Helm says which value is wrong, and renders nothing."""
    refused = render(GOOD | wrong)

    assert isinstance(refused, str)
    assert "values don't meet the specifications of the schema" in refused
    assert told in refused
