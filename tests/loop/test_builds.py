"""A version without an image is built, once, in sight of everybody, and then goes on."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.build import BuildStage
from bot.domain.hold import Hold
from bot.domain.promotion import Stage
from bot.ports import Forbidden, Refused, Unavailable

IMAGE = "registry.example.com/ml/fraud:v2"
CONFIG = b"""\
version: 1
models:
  fraud:
    image: {repository: registry.example.com/ml/fraud, tag: "v{version}", pin: digest}
    build:
      base: registry.example.com/ml/serving:1
      env: {MODEL_VERSION: "{version}"}
    environments:
      production:
        targets: [{kustomize: prod, image: fraud, insert: true}]
        policy: quick
"""
KUSTOMIZATION = b"""\
images:
  - name: fraud
    newName: registry.example.com/ml/fraud
    newTag: v1
"""


@pytest.fixture
def building(world):
    world.forge.commit("main", {"slipway.yaml": CONFIG, "prod/kustomization.yaml": KUSTOMIZATION})
    world.resync.run()
    world.drain()
    return world


def told(world, state: str = "open") -> str:
    """The one issue of a promotion that waits."""
    (body,) = [issue.body for issue in world.forge.issues.values() if issue.state == state]
    return body


def number(world) -> int:
    (found,) = [issue.number for issue in world.forge.issues.values() if issue.state == "open"]
    return found


def pinned(world) -> str:
    (pull,) = world.open_pulls()
    return world.forge.read("prod/kustomization.yaml", world.forge.pull(pull).head_sha).decode()


def test_a_version_without_image_is_built_and_proposed_with_its_digest(building):
    """Created, built, pull request with tag and digest; the order says what goes in."""
    building.alias("2")

    text = pinned(building)
    (order,) = building.workbench.built
    assert building.images.digests[IMAGE] in text
    assert "newTag: v2" in text
    assert (order.image, order.model, order.version) == (IMAGE, "fraud", "2")
    assert order.env == {"MODEL_VERSION": "2"}
    assert order.labels["slipway.model.uri"] == "models:/fraud/2"
    assert building.forge.issues == {}
    assert list(building.build_dir.iterdir()) == []


def test_a_tag_pin_is_built_too(building):
    """`pin: tag` does not ask for the digest, and the image has to be there all the same."""
    building.configure({"slipway.yaml": CONFIG.replace(b", pin: digest", b"")})
    building.alias("2")

    assert len(building.workbench.built) == 1
    assert "newTag: v2" in pinned(building)
    assert "digest" not in pinned(building)


def test_an_image_that_is_there_is_not_built(building):
    """What a pipeline pushed is taken as it is."""
    building.images.digests[IMAGE] = "sha256:" + "a" * 64
    building.alias("2")

    assert building.workbench.built == []
    assert "a" * 64 in pinned(building)


def test_an_image_of_another_model_under_the_tag_is_not_pinned(building):
    """Labels that name another source stop it, with a sentence that says what to do."""
    building.images.digests[IMAGE] = "sha256:" + "a" * 64
    building.images.labelled[IMAGE] = {"slipway.model.source": "models:/m-other"}
    building.alias("2")
    building.later(60)

    assert building.open_pulls() == []
    assert "holds models:/m-other instead of" in told(building)
    assert "delete that tag" in told(building)
    assert building.workbench.built == []


def test_how_far_it_is_stands_in_the_issue(building):
    """While a build goes on, the reason names since when and how far."""
    seen = []

    def look():
        building.clock.offset += timedelta(seconds=60)
        build = building.store.image_build(IMAGE)
        building.store.save_build(replace(build, told="layer 3 of 5"))
        building.reconciler.reconcile(building.newest().id)
        seen.append(told(building))

    building.workbench.during = look
    building.alias("2")

    (text,) = seen
    assert f"Building the image {IMAGE} since " in text.replace("\\", "")
    assert "layer 3 of 5" in text
    assert told(building, "closed") == text


@pytest.mark.parametrize(
    "trouble",
    [
        Forbidden("registry.example.com", "no right to push to ml/fraud"),
        Refused("the Docker engine", "no space left on device"),
        Unavailable("registry.example.com", "the registry answered 507 Insufficient Storage"),
    ],
)
def test_a_failed_build_says_why_and_is_tried_again(building, trouble):
    """The registry's own sentence stands in the issue, with the next try, which comes by itself."""
    building.workbench.fails = trouble
    building.alias("2")
    building.later(61)
    text = told(building)
    assert trouble.message in text
    assert "(2 times)" in text.replace("\\", "")
    assert "/retry" in text

    building.workbench.fails = None
    building.later(121)
    assert len(building.workbench.built) == 1
    assert building.images.digests[IMAGE] in pinned(building)
    assert told(building, "closed")


def test_each_failure_waits_longer(building):
    """1, 2, 4 minutes, and as long as the registry asks for."""
    building.workbench.fails = Unavailable("registry.example.com", "429", retry_after=600)
    building.alias("2")
    waits = []
    for _ in range(5):
        build = building.store.image_build(IMAGE)
        waits.append((build.next_at - building.clock.now()).total_seconds())
        building.workbench.fails = Refused("registry.example.com", "no")
        building.later(waits[-1] + 1)

    assert waits == pytest.approx([600, 120, 240, 480, 960], abs=5)
    assert building.store.image_build(IMAGE).failures == 6


def test_retry_in_the_issue_tries_now(building):
    """A person who repaired something does not wait; whoever may not is told so."""
    building.workbench.fails = Refused("registry.example.com", "the base is not there")
    building.alias("2")
    building.later(61)
    issue = number(building)
    building.workbench.fails = None
    building.say("eve", "/retry", issue)
    assert building.workbench.built == []

    building.say("ada", "/retry", issue)
    answers = [said.body for said in building.forge.said.values() if said.pull == issue and said.from_bot]
    assert "needs the right to write" in answers[0]
    assert f"The image {IMAGE} is built now." in answers[1].replace("\\", "")
    assert len(building.workbench.built) == 1
    assert len(building.open_pulls()) == 1


def test_a_repaired_configuration_is_tried_at_once(building):
    """Another base is another order: it does not wait for the old one's next try."""
    building.workbench.fails = Refused("registry.example.com", "there is no image ml/serving:1")
    building.alias("2")
    building.workbench.fails = None
    building.configure({"slipway.yaml": CONFIG.replace(b"serving:1", b"serving:2")})
    building.later(60)

    (order,) = building.workbench.built
    assert order.build.base == "registry.example.com/ml/serving:2"


def test_two_replicas_build_once(building):
    """While one builds, the other's job finds the lock taken and does nothing."""
    begun, go = threading.Event(), threading.Event()

    def wait():
        begun.set()
        assert go.wait(60)

    building.workbench.during = wait
    order = _ordered(building)
    first = threading.Thread(target=building.builder.build, args=(order,))
    first.start()
    assert begun.wait(60)
    building.another_builder().build(order)
    go.set()
    first.join()
    building.another_builder().build(order)

    assert len(building.workbench.built) == 1
    assert building.files.asked == ["fraud/2"]


def test_a_dead_workers_build_is_taken_up_again(building):
    """Its row says that it is being built and nobody says anything: the sweep gives it to somebody else."""
    order = _ordered(building)
    dead = building.store.image_build(order)
    building.store.save_build(
        replace(dead, stage=BuildStage.BUILDING, told="layer 1 of 2", next_at=datetime.now(UTC))
    )
    left = building.build_dir / "slipway-build-left"
    left.mkdir()

    assert building.store.claim_builds(timedelta(seconds=90), 10) == 1
    assert building.store.claim_builds(timedelta(seconds=90), 10) == 0
    building.drain()
    assert len(building.open_pulls()) == 1


def test_a_worker_that_stops_leaves_its_build_to_others(building):
    """A process that ends interrupts its builds; the row is queued again and due at once."""
    order = _ordered(building)
    another = building.another_builder()
    fetch = building.files.download

    def interrupted(*asked):
        another.stop()
        fetch(*asked)

    building.files.download = interrupted
    another.build(order)
    build = building.store.image_build(order)
    assert build.stage is BuildStage.QUEUED
    assert build.next_at <= building.clock.now()
    assert building.workbench.built == []


def test_an_image_that_never_comes_is_given_up_with_the_last_reason(building):
    """After a day nothing more is tried, and the reason stands there."""
    building.workbench.fails = Refused("registry.example.com", "the base has no linux/arm64")
    building.alias("2")
    building.later(60)
    building.until(lambda: building.newest().stage is Stage.CLOSED, step=3600, limit=90_000)

    assert "gave up" in told(building, "closed")
    assert "linux/arm64" in told(building, "closed")


def test_no_image_is_built_while_everything_is_on_hold(building):
    """A hold stops builds too: nothing is made that nobody may use."""
    building.store.place_hold(Hold("octo/gitops", "fraud", "production", "ada", "wait", building.clock.now()))
    building.alias("2")
    building.later(120)
    assert building.workbench.built == []


def _ordered(world) -> str:
    """Have the build ordered without doing it; returns the image's name."""
    builder, world.builder = world.builder, _Nobody()
    world.alias("2")
    world.builder = builder
    return IMAGE


class _Nobody:
    def build(self, image: str) -> None:
        """A replica that was killed."""
