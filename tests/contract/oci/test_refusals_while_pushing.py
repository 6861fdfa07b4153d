"""What the layer builder makes of a registry that says no, at whatever step: played by respx."""

import hashlib
import json
import re
from datetime import UTC, datetime

import httpx
import pytest
import respx

from bot.adapters.oci import LayerBuilder, OciRegistry
from bot.domain.build import Build, BuildOrder
from bot.ports import Forbidden, Refused, Unavailable

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BASE = "https://registry.example/v2/ml/serving"
TARGET = "https://registry.example/v2/ml/fraud"
STEPS = ("begin", "send", "manifest")

CONFIG = json.dumps(
    {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]},
    }
).encode()
LAYER = b"a layer"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


BASE_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"digest": digest(CONFIG), "size": len(CONFIG)},
        "layers": [{"digest": digest(LAYER), "size": len(LAYER)}],
    }
).encode()


@pytest.fixture
def play():
    """A registry that does what it should; `play(step, answer)` has one step answered otherwise."""
    with respx.mock(assert_all_called=False) as mocked:

        def play(step: str | None = None, answer: httpx.Response | Exception | None = None):
            other = {
                step: {"side_effect": answer} if isinstance(answer, Exception) else {"return_value": answer}
            }

            def at(name: str, usual: httpx.Response) -> dict:
                return other.get(name, {"return_value": usual})

            mocked.get(f"{BASE}/manifests/1").mock(
                **at("base", httpx.Response(200, content=BASE_MANIFEST, headers={"Content-Type": MANIFEST}))
            )
            mocked.get(f"{BASE}/blobs/{digest(CONFIG)}").mock(
                **at("config", httpx.Response(200, content=CONFIG))
            )
            mocked.get(f"{BASE}/blobs/{digest(LAYER)}").mock(
                **at("layer", httpx.Response(200, content=LAYER))
            )
            mocked.head(url__regex=f"{TARGET}/blobs/.*").respond(404)
            mocked.post(url__regex=f"{re.escape(TARGET)}/blobs/uploads/\\?mount=.*").mock(
                **at("mount", httpx.Response(202, headers={"Location": "/v2/ml/fraud/blobs/uploads/m"}))
            )
            mocked.delete(f"{TARGET}/blobs/uploads/m").respond(204)
            mocked.post(f"{TARGET}/blobs/uploads/").mock(
                **at("begin", httpx.Response(202, headers={"Location": "/v2/ml/fraud/blobs/uploads/u?s=1"}))
            )
            mocked.put(url__regex=f"{re.escape(TARGET)}/blobs/uploads/u\\?s=1.*").mock(
                **at("send", httpx.Response(201))
            )
            mocked.put(url__regex=f"{re.escape(TARGET)}/manifests/.*").mock(
                **at("manifest", httpx.Response(201))
            )
            return mocked

        yield play


@pytest.fixture
def build(tmp_path):
    """Build a small model on the base."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("x")
    registry = OciRegistry()
    order = BuildOrder(
        image="registry.example/ml/fraud:v2",
        model="fraud",
        version="2",
        source="models:/m-1",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        build=Build(base="registry.example/ml/serving:1"),
    )
    yield lambda: LayerBuilder(registry).build(order, tmp_path, lambda _: None)
    registry.close()


def written(mocked) -> list[str]:
    return [call.request.url.path for call in mocked.calls if "/manifests/v2" in call.request.url.path]


def test_all_goes_well_when_the_registry_agrees(play, build):
    """What is played here is a push that works: layer copied, since it cannot be taken over, tag last."""
    mocked = play()
    build()

    assert written(mocked) == ["/v2/ml/fraud/manifests/v2"]
    assert mocked.calls.last.request.method == "PUT"
    sent = [call.request for call in mocked.calls if call.request.url.path.endswith("/uploads/u")]
    assert [request.url.params["s"] for request in sent] == ["1"] * 3


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "refusal",
    [
        (401, Forbidden, "none are configured"),
        (403, Forbidden, "no right to push to ml/fraud.*403 Forbidden: quota of the project is used up"),
        (429, Unavailable, "429 Too Many Requests: quota"),
        (507, Unavailable, "507 Insufficient Storage: quota"),
        (400, Refused, "400 Bad Request: quota"),
    ],
)
def test_a_no_at_any_step_is_told_in_the_registrys_words(step, refusal, play, build):
    """The error says what kind of no it is and quotes the registry; the tag is never written before it."""
    status, error, words = refusal
    told = {"errors": [{"code": "DENIED", "message": "quota of the project is used up"}]}
    mocked = play(step, httpx.Response(status, json=told, headers={"Retry-After": "30"}))
    with pytest.raises(error, match=words) as caught:
        build()

    assert len(written(mocked)) == (1 if step == "manifest" else 0)
    if error is Unavailable:
        assert caught.value.retry_after == 30


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_layer_that_cannot_be_taken_over_is_copied(status, play, build):
    """A registry that mounts nothing, or not from there: the layer is fetched and sent instead."""
    mocked = play("mount", httpx.Response(status))
    build()

    assert written(mocked) == ["/v2/ml/fraud/manifests/v2"]


@pytest.mark.parametrize("step", ["mount", *STEPS, "base", "config", "layer"])
def test_a_connection_that_breaks_is_unavailable(step, play, build):
    """Nobody answering in the middle means later; nothing is tagged."""
    mocked = play(step, httpx.ReadError("gone"))
    with pytest.raises(Unavailable, match="does not answer"):
        build()

    assert len(written(mocked)) == (1 if step == "manifest" else 0)


@pytest.mark.parametrize("step", ["config", "layer"])
@pytest.mark.parametrize("content", [b"something else", b"x" * 4_000])
def test_what_is_not_what_the_digest_says_is_refused(step, content, play, build):
    """A layer or a configuration that was swapped on the way never gets into an image."""
    mocked = play(step, httpx.Response(200, content=content))
    with pytest.raises(Refused, match=r"is something else|larger than its manifest says"):
        build()

    assert written(mocked) == []


@pytest.mark.parametrize("location", ["http://elsewhere.example/u", "https://elsewhere.example/u"])
def test_an_upload_never_goes_where_it_could_be_read(location, play, build):
    """A place that is not HTTPS gets nothing; another host over HTTPS gets no credentials."""
    mocked = play("begin", httpx.Response(202, headers={"Location": location}))
    elsewhere = mocked.put(url__regex="https://elsewhere.example.*").respond(201)
    if location.startswith("https"):
        build()
        assert "Authorization" not in elsewhere.calls.last.request.headers
    else:
        with pytest.raises(Refused, match="not HTTPS"):
            build()
        assert not elsewhere.called


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"no json", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'{"mediaType": "application/vnd.docker.distribution.manifest.v1+json"}', "none that a layer"),
        (json.dumps({"mediaType": MANIFEST, "config": {}, "layers": []}).encode(), "none that a layer"),
        (
            json.dumps({"mediaType": MANIFEST, "config": {"digest": "md5:1"}, "layers": [{}]}).encode(),
            "without sha256",
        ),
        (
            json.dumps({"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": 3}).encode(),
            "names no image",
        ),
    ],
)
def test_a_base_that_is_no_image_is_refused(manifest, words, play, build):
    """Every odd manifest is told in a sentence, none is a traceback."""
    mocked = play("base", httpx.Response(200, content=manifest, headers={"Content-Type": MANIFEST}))
    with pytest.raises(Refused, match=words):
        build()

    assert written(mocked) == []
