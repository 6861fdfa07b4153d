"""A model as one layer on a base, against a real docker-registry."""

import gzip
import hashlib
import io
import os
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.oci import Credentials, LayerBuilder, OciRegistry
from bot.adapters.oci.place import Place
from bot.domain.build import Build, BuildOrder, foreign
from bot.ports import Forbidden, NotFound, Refused, Unavailable
from tests.fakes.base_image import DOCKER, OCI, Pushing

pytestmark = pytest.mark.real("docker-registry")

PLATFORMS = ("linux/amd64", "linux/arm64/v8")


@pytest.fixture
def connect():
    """Make adapters for a registry; all are closed after the test."""
    made = []

    def connect(*registries):
        known = {
            each.host: Credentials(each.user, SecretStr(each.password)) for each in registries if each.user
        }
        made.append(OciRegistry(known, timeout=10))
        return made[-1]

    yield connect
    for adapter in made:
        adapter.close()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A working folder with a model in it."""
    model = tmp_path / "model"
    (model / "data").mkdir(parents=True)
    (model / "MLmodel").write_text("flavors: {}\n")
    (model / "data" / "weights.bin").write_bytes(b"weights" * 1000)
    return tmp_path


def order(registry, name="v2", *, base=None, repository="ml/fraud", **build) -> BuildOrder:
    return BuildOrder(
        image=f"{registry.host}/{repository}:{name}",
        model="fraud",
        version="2",
        source="models:/m-0123",
        created_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
        build=Build(base=base or f"{registry.host}/ml/serving:1", **build),
        env={"MODEL_VERSION": "2"},
        run_id="r1",
        commit="c" * 40,
    )


def push_base(registry, platforms=PLATFORMS, types=OCI, *, tag="1", repository="ml/serving", attested=False):
    with httpx.Client(
        base_url=f"http://{registry.host}", headers=registry.headers(repository), timeout=10
    ) as client:
        pushing = Pushing(client, repository)
        if len(platforms) == 1:
            return pushing.image(platforms[0], types, tag)
        return pushing.index(platforms, types, tag, attested=attested)


def get(registry, what, repository="ml/fraud") -> httpx.Response:
    answer = httpx.get(
        f"http://{registry.host}/v2/{repository}/{what}",
        headers={**registry.headers(repository), "Accept": ", ".join([*OCI[:2], *DOCKER[:2]])},
    )
    answer.raise_for_status()
    return answer


def tags(registry, repository="ml/fraud") -> list[str]:
    answer = httpx.get(
        f"http://{registry.host}/v2/{repository}/tags/list", headers=registry.headers(repository)
    )
    return (answer.json().get("tags") or []) if answer.is_success else []


def layer_files(registry, manifest, repository="ml/fraud") -> dict[str, tarfile.TarInfo]:
    blob = get(registry, f"blobs/{manifest['layers'][-1]['digest']}", repository).content
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob))) as tar:
        return {member.name: member for member in tar}


@pytest.mark.parametrize("kind", ["open_registry", "basic_registry", "token_registry"])
@pytest.mark.parametrize("types", [OCI, DOCKER])
def test_every_platform_gets_the_same_layer(kind, types, request, connect, folder):
    """An index stays an index of its media type, and each of its images has the model on top."""
    registry = request.getfixturevalue(kind)
    push_base(registry, types=types)
    adapter = connect(registry)
    LayerBuilder(adapter).build(order(registry), folder, lambda _: None)

    index = get(registry, "manifests/v2")
    told = index.json()
    assert index.headers["Content-Type"] == told["mediaType"] == types[0]
    assert [entry["platform"]["architecture"] for entry in told["manifests"]] == ["amd64", "arm64"]
    images = [get(registry, f"manifests/{entry['digest']}").json() for entry in told["manifests"]]
    (layer,) = {image["layers"][-1]["digest"] for image in images}
    for entry, image in zip(told["manifests"], images, strict=True):
        assert image["mediaType"] == entry["mediaType"] == types[1]
        assert image["layers"][-1]["mediaType"] == types[3]
        assert len(image["layers"]) == 2
        config = get(registry, f"blobs/{image['config']['digest']}").json()
        raw = gzip.decompress(get(registry, f"blobs/{layer}").content)
        assert config["rootfs"]["diff_ids"][-1] == f"sha256:{hashlib.sha256(raw).hexdigest()}"
        assert len(config["rootfs"]["diff_ids"]) == len(config["history"]) == 2
        assert config["config"]["Env"] == ["PATH=/usr/bin", "MODEL_VERSION=2"]
        get(registry, f"blobs/{image['layers'][0]['digest']}")
    assert adapter.digest(f"{registry.host}/ml/fraud:v2") == index.headers["Docker-Content-Digest"]


def test_the_image_tells_where_it_comes_from(open_registry, connect, folder):
    """Model, run, commit and base stand in the labels, beside the base's own."""
    push_base(open_registry, ("linux/amd64",))
    adapter = connect(open_registry)
    wanted = order(open_registry)
    LayerBuilder(adapter).build(wanted, folder, lambda _: None)
    labels = adapter.labels(wanted.image)

    assert labels == {
        "base": "yes",
        "slipway.model.uri": "models:/fraud/2",
        "slipway.model.source": "models:/m-0123",
        "slipway.model.run": "r1",
        "org.opencontainers.image.title": "fraud",
        "org.opencontainers.image.version": "2",
        "org.opencontainers.image.revision": "c" * 40,
        "org.opencontainers.image.created": "2026-11-21T12:00:00Z",
        "org.opencontainers.image.base.name": f"{open_registry.host}/ml/serving:1",
    }
    assert foreign(wanted, labels) is None
    assert "holds models:/m-0123 instead of" in (foreign(replace(wanted, source="models:/m-9"), labels) or "")


def test_the_layer_holds_the_model_and_nothing_of_this_machine(open_registry, connect, folder):
    """Files below the configured folder; no owner, no date, plain modes."""
    push_base(open_registry, ("linux/amd64",))
    (folder / "model" / "MLmodel").chmod(0o600)
    LayerBuilder(connect(open_registry)).build(
        order(open_registry, folder="/srv/model"), folder, lambda _: None
    )
    files = layer_files(open_registry, get(open_registry, "manifests/v2").json())

    assert list(files) == [
        "srv/model",
        "srv/model/MLmodel",
        "srv/model/data",
        "srv/model/data/weights.bin",
    ]
    assert {(each.uid, each.gid, each.uname, each.mtime) for each in files.values()} == {(0, 0, "", 0)}
    assert {each.mode for each in files.values() if each.isfile()} == {0o644}
    assert {each.mode for each in files.values() if each.isdir()} == {0o755}


def test_the_same_version_on_the_same_base_has_the_same_digest(
    open_registry, connect, folder, tmp_path_factory
):
    """Made again from files of another date and order, under another tag: the same manifest."""
    push_base(open_registry)
    adapter = connect(open_registry)
    LayerBuilder(adapter).build(order(open_registry), folder, lambda _: None)
    again = tmp_path_factory.mktemp("again")
    (again / "model" / "data").mkdir(parents=True)
    (again / "model" / "data" / "weights.bin").write_bytes(b"weights" * 1000)
    (again / "model" / "MLmodel").write_text("flavors: {}\n")
    os.utime(again / "model" / "MLmodel", (1, 1))
    LayerBuilder(adapter).build(order(open_registry, "again"), again, lambda _: None)

    first, second = (adapter.digest(f"{open_registry.host}/ml/fraud:{tag}") for tag in ("v2", "again"))
    assert first == second


def test_attestations_of_the_base_are_left_out(open_registry, connect, folder):
    """They speak of images that are not in the new index."""
    push_base(open_registry, attested=True)
    LayerBuilder(connect(open_registry)).build(order(open_registry), folder, lambda _: None)
    entries = get(open_registry, "manifests/v2").json()["manifests"]

    assert [entry["platform"]["os"] for entry in entries] == ["linux", "linux"]
    assert all("annotations" not in entry for entry in entries)


def test_only_the_named_platforms_are_built(open_registry, connect, folder):
    """`platforms:` keeps those of the index and no other."""
    push_base(open_registry)
    wanted = order(open_registry, platforms=("linux/arm64/v8",))
    LayerBuilder(connect(open_registry)).build(wanted, folder, lambda _: None)
    (entry,) = get(open_registry, "manifests/v2").json()["manifests"]

    assert entry["platform"] == {"os": "linux", "architecture": "arm64", "variant": "v8"}


@pytest.mark.parametrize("platforms", [PLATFORMS, ("linux/amd64",)])
def test_a_base_without_the_platform_is_refused_by_name(platforms, open_registry, connect, folder):
    """The sentence says what is missing and what is there; no tag is left."""
    push_base(open_registry, platforms, repository="ml/few")
    base = f"{open_registry.host}/ml/few:1"
    wanted = order(open_registry, base=base, repository="ml/none", platforms=("linux/s390x",))
    with pytest.raises(Refused, match="not there for linux/s390x: it is for linux/amd64"):
        LayerBuilder(connect(open_registry)).build(wanted, folder, lambda _: None)

    assert tags(open_registry, "ml/none") == []


def test_a_base_for_another_system_is_refused(open_registry, connect, folder):
    """A Windows layer is another thing: the platforms must be named."""
    push_base(open_registry, ("linux/amd64", "windows/amd64"), repository="ml/windows")
    wanted = order(open_registry, base=f"{open_registry.host}/ml/windows:1", repository="ml/w")
    builder = LayerBuilder(connect(open_registry))
    with pytest.raises(Refused, match="name `platforms:`"):
        builder.build(wanted, folder, lambda _: None)

    named = replace(wanted, build=wanted.build.model_copy(update={"platforms": ("linux/amd64",)}))
    builder.build(named, folder, lambda _: None)
    assert tags(open_registry, "ml/w") == ["v2"]


def test_a_base_of_another_registry_is_copied(open_registry, basic_registry, connect, folder):
    """Where layers cannot be taken over they are copied, each checked against its digest."""
    push_base(basic_registry, repository="team/base")
    base = f"{basic_registry.host}/team/base:1"
    wanted = order(open_registry, base=base, repository="ml/copied")
    LayerBuilder(connect(open_registry, basic_registry)).build(wanted, folder, lambda _: None)
    index = get(open_registry, "manifests/v2", "ml/copied").json()

    for entry in index["manifests"]:
        manifest = get(open_registry, f"manifests/{entry['digest']}", "ml/copied").json()
        for layer in manifest["layers"]:
            blob = get(open_registry, f"blobs/{layer['digest']}", "ml/copied").content
            assert f"sha256:{hashlib.sha256(blob).hexdigest()}" == layer["digest"]
    assert sorted(path.name for path in folder.iterdir()) == ["layer.tar.gz", "model"]


def test_layers_in_the_same_registry_are_taken_over_unsent(token_registry, connect, folder, monkeypatch):
    """One token with both rights mounts them; nothing of the base goes over the wire."""
    push_base(token_registry, ("linux/amd64",))
    monkeypatch.setattr(Place, "fetch", lambda *_: pytest.fail("a layer was copied"))
    token_registry.tokens.asked.clear()
    told = []
    wanted = order(token_registry, repository="ml/mounted")
    LayerBuilder(connect(token_registry)).build(wanted, folder, told.append)

    scopes = [query["scope"] for query in token_registry.tokens.asked]
    assert "repository:ml/mounted:pull,push" in scopes
    assert tags(token_registry, "ml/mounted") == ["v2"]
    assert [words for words in told if words.startswith("layer")][:2] == ["layer 1 of 2", "layer 2 of 2"]


def test_a_missing_base_is_told_by_name(open_registry, connect, folder):
    """The base that does not exist stands in the sentence; nothing is written."""
    wanted = order(open_registry, base=f"{open_registry.host}/ml/absent:9", repository="ml/nothing")
    with pytest.raises(NotFound, match="no image ml/absent:9"):
        LayerBuilder(connect(open_registry)).build(wanted, folder, lambda _: None)

    assert tags(open_registry, "ml/nothing") == []


def test_a_missing_right_to_push_is_told(token_registry, connect, folder):
    """A token service that gives pull only: the registry's own word stands in the sentence."""
    push_base(token_registry)
    token_registry.tokens.rights = frozenset({"pull"})
    try:
        with pytest.raises(Forbidden, match=r"no right to push to ml/fraud.*credentials"):
            LayerBuilder(connect(token_registry)).build(
                order(token_registry, "denied"), folder, lambda _: None
            )
    finally:
        token_registry.tokens.rights = frozenset({"pull", "push"})

    assert "denied" not in tags(token_registry)


def test_a_registry_that_dies_in_mid_push_leaves_no_tag(tmp_path_factory, connect, folder, start_registry):
    """Killed while the layer is on its way: unavailable now, no tag afterwards, and the next try succeeds."""
    start = start_registry
    host = start("")
    registry = type("Registry", (), {"host": host, "user": None, "tokens": None, "headers": lambda *_: {}})()
    push_base(registry, ("linux/amd64",))
    (folder / "model" / "data" / "weights.bin").write_bytes(os.urandom(5_000_000))

    def kill(words: str) -> None:
        if "MB" in words and words.startswith("layer"):
            start.kill(host)

    with pytest.raises(Unavailable, match="does not answer"):
        LayerBuilder(connect(registry)).build(order(registry), folder, kill)

    start.again(host)
    assert tags(registry) == []
    LayerBuilder(connect(registry)).build(order(registry), folder, lambda _: None)
    assert tags(registry) == ["v2"]


def test_a_large_model_is_sent_in_pieces_that_are_told(open_registry, connect, folder):
    """The last layer counts its megabytes."""
    push_base(open_registry, ("linux/amd64",))
    (folder / "model" / "data" / "weights.bin").write_bytes(os.urandom(3_500_000))
    told = []
    LayerBuilder(connect(open_registry)).build(order(open_registry, "large"), folder, told.append)

    assert told[:2] == ["reading the base image", "packing the model"]
    assert told[-2:] == ["layer 2 of 2, 4 of 4 MB", "writing the manifest"]


def test_an_odd_base_is_refused(open_registry, connect, folder):
    """A manifest that is no image's: the existing tests' artefact has no layers to add to."""
    open_registry.push("ml/odd", "1", content=b"{}")
    wanted = order(open_registry, base=f"{open_registry.host}/ml/odd:1", repository="ml/x")
    with pytest.raises(Refused, match="rootfs"):
        LayerBuilder(connect(open_registry)).build(wanted, folder, lambda _: None)

    assert tags(open_registry, "ml/x") == []
