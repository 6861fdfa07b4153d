"""From a version in a real MLflow to a tag in a real registry, by the job, with nothing played."""

import gzip
import io
import tarfile
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from bot.adapters.mlflow import MlflowFiles, MlflowRegistry
from bot.adapters.oci import LayerBuilder, OciRegistry
from bot.domain.build import Build, BuildOrder, BuildStage
from bot.jobs.build import Builder, Workshop
from bot.ports import Limits
from tests.fakes.base_image import OCI, Pushing

pytestmark = pytest.mark.real("docker-registry")


def test_a_version_becomes_an_image(mlflow_server, trained, start_registry, store, tmp_path):
    """The layer holds exactly the files that MLflow has, and the labels name run and commit."""
    host = start_registry("")
    with httpx.Client(base_url=f"http://{host}", timeout=10) as client:
        Pushing(client, "ml/serving").index(("linux/amd64", "linux/arm64"), OCI, "1")
    version = MlflowRegistry(mlflow_server).version(trained, "2")
    order = BuildOrder(
        image=f"{host}/ml/{trained}:v2",
        model=trained,
        version="2",
        source=version.source,
        created_at=version.created_at,
        build=Build(base=f"{host}/ml/serving:1"),
        run_id=version.run_id,
        commit=version.run_tags["mlflow.source.git.commit"],
    )
    images = OciRegistry()
    outside = SimpleNamespace(
        store=store, images=images, clock=SimpleNamespace(now=lambda: datetime.now(UTC))
    )
    workshop = Workshop(
        MlflowFiles(mlflow_server), {"none": LayerBuilder(images)}, tmp_path / "working", Limits()
    )
    store.order_build(order)
    Builder(outside, workshop).build(order.image)

    assert store.image_build(order.image).stage is BuildStage.DONE
    labels = images.labels(order.image)
    images.close()
    assert labels["slipway.model.run"] == version.run_id
    assert labels["org.opencontainers.image.revision"] == f"{2:040x}"
    again = tmp_path / "again"
    MlflowFiles(mlflow_server).download(trained, "2", again, Limits(), lambda _: None)
    wanted = {str(each.relative_to(again)): each.read_bytes() for each in again.rglob("*") if each.is_file()}
    assert _in_the_layer(host, trained) == wanted
    assert "MLmodel" in wanted


def _in_the_layer(host: str, model: str) -> dict[str, bytes]:
    with httpx.Client(base_url=f"http://{host}/v2/ml/{model}", headers={"Accept": ", ".join(OCI)}) as client:
        index = client.get("/manifests/v2").json()
        manifest = client.get(f"/manifests/{index['manifests'][1]['digest']}").json()
        blob = client.get(f"/blobs/{manifest['layers'][-1]['digest']}").content
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob))) as tar:
        return {
            each.name.removeprefix("opt/ml/model/"): tar.extractfile(each).read()
            for each in tar
            if each.isfile()
        }
