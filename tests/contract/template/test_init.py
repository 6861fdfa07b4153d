"""What `slipway init` writes under a team's own names is as good as the template itself."""

import pytest
import yaml
from typer.testing import CliRunner

from bot.cli import app

pytestmark = pytest.mark.real("kubectl", "helm")

OPTIONS = [
    "--organization",
    "acme",
    "--repository",
    "pins",
    "--registry",
    "registry.acme.io/ai",
    "--domain",
    "acme.io",
    "--namespace",
    "staging=ml-test",
    "--namespace",
    "production=ml-live",
    "--mlflow",
    "https://mlflow.acme.io",
    "--prometheus",
    "https://prometheus.acme.io",
    "--bucket",
    "acme-ml",
    "--aws-account",
    "210987654321",
    "--aws-region",
    "us-east-2",
    "--model",
    "deployment=risk",
    "--model",
    "helm=sales",
    "--model",
    "kserve=churn",
    "--model",
    "rollout=ranking",
    "--model",
    "sagemaker=price",
]


def test_every_application_of_the_result_renders_validly(tmp_path, render, validate):
    """All five styles under other names and in other namespaces: every document still passes its schema."""
    repository = tmp_path / "pins"
    result = CliRunner().invoke(app, ["init", str(repository), *OPTIONS])
    assert result.exit_code == 0, result.output

    namespaces = set()
    files = sorted((repository / "apps").glob("*.yaml"))
    for file in files:
        application = yaml.safe_load(file.read_text())
        validate(application)
        assert application["spec"]["source"]["repoURL"] == "https://github.com/acme/pins.git"
        namespaces.add(application["spec"]["destination"]["namespace"])
        for document in render(repository, application):
            validate(document)
            assert document["metadata"].get("namespace", "ml-live") not in {"staging", "production"}

    assert len(files) == 13
    assert namespaces == {"ml-test", "ml-live", "slipway", "mlflow", "monitoring"}
