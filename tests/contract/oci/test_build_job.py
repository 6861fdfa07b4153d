"""The job that builds, with a real registry, a real database, and the process killed in the middle."""

import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest

from bot.adapters.oci import LayerBuilder, OciRegistry
from bot.domain.build import Build, BuildOrder, BuildStage
from bot.jobs.build import SILENCE, Builder, Workshop
from bot.ports import Limits
from tests.fakes.base_image import OCI, Pushing

pytestmark = pytest.mark.real("docker-registry")

PLATFORMS = ("linux/amd64", "linux/arm64")


class Killed(BaseException):
    """What no `except Exception` sees, like a process that is gone."""


class Files:
    """One large file, the same each time; counts how often it was asked for."""

    def __init__(self) -> None:
        self.weights = os.urandom(5_000_000)
        self.asked = 0

    def download(self, model, version, folder, limits, tell) -> None:
        self.asked += 1
        folder.mkdir()
        (folder / "weights.bin").write_bytes(self.weights)


@pytest.fixture
def world(store, open_registry, tmp_path):
    """A store, a registry with a base, and builders that share them."""
    with httpx.Client(base_url=f"http://{open_registry.host}", timeout=10) as client:
        Pushing(client, "ml/serving").index(PLATFORMS, OCI, "1")
    images = OciRegistry()
    clock = SimpleNamespace(now=lambda: datetime.now(UTC))
    outside = SimpleNamespace(store=store, images=images, clock=clock)
    files = Files()

    def builder(engine=None) -> Builder:
        engines = {"none": engine or LayerBuilder(images)}
        return Builder(outside, Workshop(files, engines, tmp_path / "working", Limits()))

    order = BuildOrder(
        image=f"{open_registry.host}/ml/{tmp_path.name}:v2".lower().replace("_", "-"),
        model="fraud",
        version="2",
        source="models:/m-0123",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        build=Build(base=f"{open_registry.host}/ml/serving:1"),
    )
    yield SimpleNamespace(
        store=store, images=images, files=files, builder=builder, order=order, path=tmp_path
    )
    images.close()


def test_an_order_becomes_a_tag_in_the_registry(world):
    """Ordered, built, done; a second job for it does nothing."""
    world.store.order_build(world.order)
    world.builder().build(world.order.image)
    world.builder().build(world.order.image)

    assert world.store.image_build(world.order.image).stage is BuildStage.DONE
    assert world.images.digest(world.order.image)
    assert world.files.asked == 1
    assert list((world.path / "working").iterdir()) == []


def test_what_is_in_the_registry_already_is_not_built(world):
    """Another replica was faster, or the row was lost: the tag with our labels is the answer."""
    world.store.order_build(world.order)
    world.builder().build(world.order.image)
    first = world.images.digest(world.order.image)
    world.store.order_build(world.order)
    world.builder().build(world.order.image)

    assert world.store.image_build(world.order.image).stage is BuildStage.DONE
    assert world.files.asked == 1
    assert world.images.digest(world.order.image) == first


def test_a_build_that_was_killed_in_mid_push_is_finished_by_another(world, tmp_path):
    """No tag while half of it is there; the sweep finds the silent build, and the next one has the same digest."""
    layered = LayerBuilder(world.images)

    class Dying:
        def build(self, order, folder, tell):
            def kill(words):
                tell(words)
                if words.startswith("layer 3 of 3, "):
                    raise Killed

            layered.build(order, folder, kill)

    world.store.order_build(world.order)
    with pytest.raises(Killed):
        world.builder(Dying()).build(world.order.image)
    assert world.store.image_build(world.order.image).stage is BuildStage.BUILDING
    assert world.images.digest(world.order.image) is None

    world.store.recover(timedelta(seconds=30))
    assert world.store.claim_builds(SILENCE, 10) == 1
    world.builder().build(world.order.image)
    assert world.store.image_build(world.order.image).stage is BuildStage.DONE
    assert world.images.digest(world.order.image)


def test_what_a_killed_process_left_on_the_disk_is_cleared(world):
    """The folder is named after the image, so the next try finds it and begins anew."""
    world.store.order_build(world.order)
    name = next(iter(_folders(world)))
    (world.path / "working" / name / "model").mkdir(parents=True)
    (world.path / "working" / name / "model" / "old.bin").write_text("left")
    world.builder().build(world.order.image)

    assert world.store.image_build(world.order.image).stage is BuildStage.DONE
    assert list((world.path / "working").iterdir()) == []


def test_a_disk_that_is_full_is_told(world, monkeypatch):
    """Our own trouble is told as ours, and tried again later."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(world.files, "download", full)
    world.store.order_build(world.order)
    world.builder().build(world.order.image)
    build = world.store.image_build(world.order.image)

    assert (build.stage, build.failures) == (BuildStage.FAILED, 1)
    assert build.told == "Slipway's own disk: No space left on device"


def test_an_error_of_our_own_is_told_and_tried_again(world, monkeypatch):
    """Nobody reads "building" for ever because of a mistake in Slipway."""

    def wrong(*_):
        raise KeyError("layers")

    monkeypatch.setattr(world.files, "download", wrong)
    world.store.order_build(world.order)
    world.builder().build(world.order.image)
    build = world.store.image_build(world.order.image)

    assert (build.stage, build.failures) == (BuildStage.FAILED, 1)
    assert build.told == "Slipway: an error of its own, which is in its log"


def test_an_engine_that_is_not_set_up_is_told(world):
    """A name without a builder is a sentence."""
    world.store.order_build(world.order)
    Builder(world.builder()._outside, Workshop(world.files, {}, world.path / "working", Limits())).build(
        world.order.image
    )

    assert "no engine none is set up" in world.store.image_build(world.order.image).told


def _folders(world) -> list[str]:
    """The names of the folders that a build works in, seen while it works."""
    seen = []

    class Looking:
        def build(self, order, folder, tell):
            seen.append(folder.name)
            raise Killed

    with pytest.raises(Killed):
        world.builder(Looking()).build(world.order.image)
    return seen
