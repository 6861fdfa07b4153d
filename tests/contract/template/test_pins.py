"""A bump of each pin of the template changes, in what reaches the cluster, the version and nothing else."""

import shutil
from datetime import UTC, datetime

import pytest

from bot.adapters import shipped
from bot.domain.loading import load
from bot.domain.version import ModelVersion
from bot.manifests import ImagePin, Target, bump_bytes, pin_of
from bot.manifests.pin import weight_of, weight_place

pytestmark = pytest.mark.real("kubectl", "helm")

CONFIG = load((shipped.folder("gitops-repo-template") / "slipway.yaml").read_text())
PLACES = [
    (model, environment) for model in CONFIG.models for environment in CONFIG.models[model].environments
]
DIGEST = "sha256:" + "2" * 64


EXPECTED = {
    "fraud-detector": [("Deployment", "env.0.value", "models:/fraud-detector/2")],
    "demand-forecast": [
        ("Deployment", "containers.0.image", f"registry.example.com/ml/demand-forecast:v2@{DIGEST}")
    ],
    "churn-risk": [
        ("InferenceService", "predictor.labels.model-version", "2"),
        ("InferenceService", "predictor.model.storageUri", "s3://your-team-models/churn-risk/2"),
    ],
    "product-ranking": [
        ("Rollout", "containers.0.image", f"registry.example.com/ml/product-ranking:v2@{DIGEST}")
    ],
    "price-estimate": [
        ("Endpoint", "spec.endpointConfigName", "price-estimate-ENVIRONMENT-2"),
        ("EndpointConfig", "metadata.name", "price-estimate-ENVIRONMENT-2"),
        ("EndpointConfig", "spec.endpointConfigName", "price-estimate-ENVIRONMENT-2"),
        ("EndpointConfig", "spec.productionVariants.0.modelName", "price-estimate-ENVIRONMENT-2"),
        ("EndpointConfig", "spec.productionVariants.0.variantName", "price-estimate-ENVIRONMENT-2"),
        ("Model", "metadata.name", "price-estimate-ENVIRONMENT-2"),
        ("Model", "spec.modelName", "price-estimate-ENVIRONMENT-2"),
        (
            "Model",
            "spec.primaryContainer.modelDataURL",
            "s3://your-team-models/price-estimate/2/model.tar.gz",
        ),
    ],
}


def leaves(value, path=""):
    """Path → value, for every scalar of a document."""
    if isinstance(value, dict):
        return {k: v for key, one in value.items() for k, v in leaves(one, f"{path}.{key}").items()}
    if isinstance(value, list):
        return {k: v for index, one in enumerate(value) for k, v in leaves(one, f"{path}.{index}").items()}
    return {path.removeprefix("."): value}


def bump(root, model, environment):
    """Write version 2 into every pin of a place, as a promotion does."""
    version = ModelVersion(model, "2", f"models:/{model}/2", datetime(2026, 11, 21, tzinfo=UTC))
    image = CONFIG.models[model].image
    pinned = ImagePin(image.repository, "v2", DIGEST) if image else None
    for selector in CONFIG.models[model].environments[environment].targets:
        (file,) = [root / file for file in selector.candidate_files() if (root / file).is_file()]
        pin = pin_of(selector, version, pinned, CONFIG.models[model].storage)
        file.write_bytes(bump_bytes(file.read_bytes(), Target(selector, pin)).data)


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_a_bump_changes_the_version_and_nothing_else(place, applications, render, validate, tmp_path):
    """Each pin is bumped to version 2 and rendered again: only the version differs, and all is still valid."""
    model, environment = place
    root = tmp_path / "repository"
    shutil.copytree(shipped.folder("gitops-repo-template"), root)
    application = applications[f"{model}-{environment}"]
    before = render(root, application)
    bump(root, model, environment)

    after = render(root, application)

    changed = []
    for old, new in zip(before, after, strict=True):
        validate(new)
        was, now = leaves(old), leaves(new)
        assert was.keys() == now.keys()
        changed += [(new["kind"], path, now[path]) for path in now if now[path] != was[path]]
    expected = [
        (kind, path, value.replace("ENVIRONMENT", environment)) for kind, path, value in EXPECTED[model]
    ]
    assert len(changed) == len(expected)
    for (kind, path, value), (wanted, end, version) in zip(sorted(changed), sorted(expected), strict=True):
        assert (kind, value) == (wanted, version)
        assert path.endswith(end)


@pytest.mark.parametrize(
    "share",
    [
        ("churn-risk", {"spec.predictor.canaryTrafficPercent": 10}),
        (
            "product-ranking",
            {
                "spec.strategy.canary.steps.0.setWeight": 20,
                "spec.strategy.canary.steps.1.pause.duration": 315360000,
            },
        ),
    ],
    ids=lambda share: share[0],
)
def test_a_step_of_the_traffic_changes_the_share_and_nothing_else(
    share, applications, render, validate, tmp_path
):
    """The first share of each style that splits traffic: written, rendered again, and still valid."""
    model, paths = share
    root = tmp_path / "repository"
    shutil.copytree(shipped.folder("gitops-repo-template"), root)
    traffic = CONFIG.models[model].environments["production"].traffic
    before = render(root, applications[f"{model}-production"])
    for selector in traffic.weights:
        (file,) = [root / file for file in selector.candidate_files() if (root / file).is_file()]
        target = Target(weight_place(selector), weight_of(selector, traffic.steps[0]), number=True)
        file.write_bytes(bump_bytes(file.read_bytes(), target).data)

    after = render(root, applications[f"{model}-production"])

    changed = {}
    for old, new in zip(before, after, strict=True):
        validate(new)
        changed |= {path: value for path, value in leaves(new).items() if leaves(old)[path] != value}
    assert changed == paths
