"""A real engine builds on a base of a real registry, pushes there, and reports its trouble."""

import gc
import json
import os
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import docker
import httpx
import pytest

from bot.adapters.docker import DockerBuilder, dockerfile
from bot.adapters.oci import LayerBuilder, OciRegistry
from bot.domain.build import Build, BuildOrder
from bot.ports import Forbidden, OutsideError, Refused, Stopped, Unavailable
from tests.fakes.base_image import DOCKER, OCI, Pushing

pytestmark = [pytest.mark.real("docker-registry"), pytest.mark.real("podman"), pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def base(open_registry) -> str:
    """A tiny base for this machine's platform, in OCI's form."""
    with httpx.Client(base_url=f"http://{open_registry.host}", timeout=10) as client:
        Pushing(client, "ml/serving").image("linux/amd64", OCI, "1")
        Pushing(client, "ml/docker").image("linux/amd64", DOCKER, "1")
    return f"{open_registry.host}/ml/serving:1"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "model" / "data").mkdir(parents=True)
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    (tmp_path / "model" / "data" / "weights.bin").write_bytes(b"weights" * 100)
    return tmp_path


@pytest.fixture
def images():
    registry = OciRegistry()
    yield registry
    registry.close()


def order(base: str, image: str, **build) -> BuildOrder:
    return BuildOrder(
        image=image,
        model="fraud",
        version="2",
        source="models:/m-0123",
        created_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
        build=Build(base=base, engine="docker", **build),
        env={"MODEL_VERSION": 'quoted " $HOME \\ 2'},
    )


def files_in(engine, image: str) -> dict[str, bytes]:
    """What is in an image, as the engine itself unpacks it."""
    client = docker.APIClient(base_url=engine.host, version="auto", timeout=60)
    try:
        name, tag = image.rsplit(":", 1)
        client.pull(name, tag=tag)
        made = client.create_container(image, command=["none"])
        stream, _ = client.get_archive(made["Id"], "/opt/ml/model")
        client.remove_container(made["Id"])
        data = b"".join(stream)
    finally:
        client.close()
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"slipway-{os.getpid()}.tar"
    path.write_bytes(data)
    try:
        with tarfile.open(path) as tar:
            return {each.name: tar.extractfile(each).read() for each in tar if each.isfile()}
    finally:
        path.unlink()


def test_an_engine_builds_and_pushes(engine, base, folder, open_registry, images):
    """The tag is in the registry with the model's files, the labels and the variables; progress was told."""
    told = []
    wanted = order(base, f"{open_registry.host}/ml/fraud:built")
    DockerBuilder(host=engine.host).build(wanted, folder, told.append)

    assert images.digest(wanted.image)
    assert images.labels(wanted.image).items() >= wanted.labels.items()
    assert files_in(engine, wanted.image) == {
        "model/MLmodel": b"flavors: {}\n",
        "model/data/weights.bin": b"weights" * 100,
    }
    client = docker.APIClient(base_url=engine.host, version="auto")
    env = client.inspect_image(wanted.image)["Config"]["Env"]
    client.close()
    assert 'MODEL_VERSION=quoted " $HOME \\ 2' in env
    assert any(words.startswith("STEP 1/") for words in told)
    assert "pushing the image" in told


@pytest.mark.parametrize("name", ["ml/serving", "ml/docker"])
@pytest.mark.usefixtures("base")
def test_an_engine_can_run_what_the_layer_builder_wrote(name, engine, folder, open_registry, images):
    """Another implementation reads the image: it pulls it and finds the model where it belongs."""
    wanted = order(f"{open_registry.host}/{name}:1", f"{open_registry.host}/ml/layered:{name[3:]}")
    LayerBuilder(images).build(wanted, folder, lambda _: None)

    assert files_in(engine, wanted.image)["model/data/weights.bin"] == b"weights" * 100


def test_a_base_that_is_missing_is_told_in_the_engines_words(engine, base, folder, open_registry, images):
    """The stream's own error, not a silent success."""
    wanted = order(f"{open_registry.host}/ml/absent:9", f"{open_registry.host}/ml/fraud:absent")
    with pytest.raises(OutsideError, match=r"ml/absent.*manifest unknown|manifest unknown.*"):
        DockerBuilder(host=engine.host).build(wanted, folder, lambda _: None)

    assert images.digest(wanted.image) is None


def test_a_push_without_credentials_is_forbidden(start_engine, basic_registry, folder):
    """`docker login`'s file has the right; without it the sentence says which setting to look at."""
    engine = start_engine(basic_registry.host)
    headers = basic_registry.headers("ml/serving")
    with httpx.Client(base_url=f"http://{basic_registry.host}", headers=headers, timeout=10) as client:
        Pushing(client, "ml/serving").image("linux/amd64", OCI, "1")
    wanted = order(f"{basic_registry.host}/ml/serving:1", f"{basic_registry.host}/ml/fraud:v2")
    with pytest.raises(Forbidden, match="SLIPWAY_REGISTRY_AUTH_FILE"):
        DockerBuilder(host=engine.host).build(wanted, folder, lambda _: None)

    pair = headers["Authorization"].removeprefix("Basic ")
    login = folder / "config.json"
    login.write_text(json.dumps({"auths": {basic_registry.host: {"auth": pair}}}))
    DockerBuilder(login, host=engine.host).build(wanted, folder, lambda _: None)
    told = httpx.get(f"http://{basic_registry.host}/v2/ml/fraud/tags/list", headers=headers).json()
    assert told["tags"] == ["v2"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the SDK's own sockets
@pytest.mark.parametrize("when", ["STEP", "pushing", "The push refers"])
def test_an_engine_that_dies_in_the_middle_leaves_no_tag(when, start_engine, base, folder, images):
    """Killed while it builds, and while it pushes: unavailable, and the registry has no such tag."""
    registry = base.partition("/")[0]
    engine = start_engine(registry)
    (folder / "model" / "data" / "weights.bin").write_bytes(os.urandom(30_000_000))
    wanted = order(base, f"{registry}/ml/fraud:died-{when.split()[-1].lower()}")

    def kill(words: str) -> None:
        if words.startswith(when):
            engine.kill()

    with pytest.raises(Unavailable, match=r"the Docker engine|went away|does not answer"):
        DockerBuilder(host=engine.host).build(wanted, folder, kill)

    gc.collect()
    assert images.digest(wanted.image) is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the SDK's own socket
def test_an_engine_that_is_away_is_unavailable(folder, tmp_path):
    """Nobody at the socket: told at once, and tried again later."""
    with pytest.raises(Unavailable, match="the Docker engine: it does not answer"):
        wanted = order("base:1", "registry.example/a:1")
        DockerBuilder(host=f"unix://{tmp_path}/none.sock").build(wanted, folder, lambda _: None)
    gc.collect()


def test_a_worker_that_stops_is_not_the_engines_trouble(engine, base, folder, open_registry):
    """`Stopped` goes through as it is: the build is somebody else's then."""

    def stop(_: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        DockerBuilder(host=engine.host).build(
            order(base, f"{open_registry.host}/ml/fraud:stopped"), folder, stop
        )


def test_a_link_in_the_model_never_reaches_the_engine(folder, tmp_path):
    """The context holds files and folders only."""
    (folder / "model" / "link").symlink_to("/etc/passwd")
    with pytest.raises(Refused, match="neither a file nor a folder"):
        DockerBuilder(host=f"unix://{tmp_path}/none.sock").build(
            order("base:1", "registry.example/a:1"), folder, lambda _: None
        )


def test_the_recipe_installs_what_is_wanted():
    """Libraries before the model, so that versions with the same ones share that layer."""
    wanted = order("registry.example/serving:1", "registry.example/a:1", install=True, folder="/m")

    assert dockerfile(wanted, requirements=True).splitlines() == [
        "FROM registry.example/serving:1",
        "COPY requirements.txt /tmp/model-requirements.txt",
        "RUN python -m pip install --no-cache-dir --requirement /tmp/model-requirements.txt",
        'ENV MODEL_VERSION="quoted \\" \\$HOME \\\\ 2"',
        "COPY model /m",
    ]
    assert "pip" not in dockerfile(wanted, requirements=False)


def test_a_variable_with_a_line_break_never_reaches_the_recipe():
    """Text from a tag cannot become an instruction."""
    wanted = replace(order("b:1", "registry.example/a:1"), env={"A": "1\nRUN evil"})
    with pytest.raises(Refused, match="control character"):
        dockerfile(wanted, requirements=False)
