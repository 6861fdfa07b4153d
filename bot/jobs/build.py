"""The job that builds one image: the version's files, onto the base, into the registry; told as it goes.

One process at a time has an image's lock, which PostgreSQL frees when that process dies. While it works
it says so every few seconds; when it falls silent the sweep gives the build to somebody else, who finds
in the registry what was sent already. Failures wait longer each time; `/retry` does not wait.
"""

import hashlib
import logging
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from bot.domain.build import BuildOrder, BuildStage, ImageBuild, foreign
from bot.jobs.outside import Outside
from bot.ports import ImageBuilder, Limits, ModelFiles, OutsideError, Refused, Stopped, Unavailable

logger = logging.getLogger(__name__)

SILENCE = timedelta(seconds=90)
"""Longer than any one step says nothing; after this a build's worker is believed dead."""

_PACE = 3.0
"""Seconds between two saves of how far it is."""

_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a build takes: where files come from, who makes the image (by `engine`), and where to work."""

    files: ModelFiles
    builders: Mapping[str, ImageBuilder]
    folder: Path
    limits: Limits


class Builder:
    """Builds images, one at a time an image."""

    def __init__(self, outside: Outside, workshop: Workshop) -> None:
        self._outside = outside
        self._store = outside.store
        self._workshop = workshop
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let builds under way end at their next word; somebody else takes them up."""
        self._stopping.set()

    def build(self, image: str) -> None:
        """Bring one image into its registry, or note why that failed. Never raises for trouble outside."""
        with self._store.exclusive(f"image/{image}") as mine:
            if not mine or self._stopping.is_set():
                return
            found = self._store.image_build(image)
            if found is None or found.stage is BuildStage.DONE:
                return
            now = self._outside.clock.now()
            # A job of an earlier failure that comes late does not shorten the wait.
            if found.stage is BuildStage.FAILED and found.next_at is not None and now < found.next_at:
                return
            self._attempt(replace(found, stage=BuildStage.BUILDING, since=now, told="it begins"))

    def _attempt(self, build: ImageBuild) -> None:
        progress = _Progress(self._outside, build, self._stopping)
        try:
            self._bring(build.order, progress)
        except Stopped:
            now = self._outside.clock.now()
            self._store.save_build(replace(build, stage=BuildStage.QUEUED, since=None, next_at=now))
        except OutsideError as trouble:
            self._fail(build, trouble)
        except OSError as trouble:
            self._fail(build, Unavailable("Slipway's own disk", trouble.strerror or type(trouble).__name__))
        except Exception:
            # Whoever waits should not read "building" for ever.
            logger.exception("the build of %s failed", build.order.image)
            self._fail(build, Unavailable("Slipway", "an error of its own, which is in its log"))
        else:
            logger.info("the image %s is in its registry", build.order.image)
            self._store.save_build(
                replace(build, stage=BuildStage.DONE, told="done", next_at=None, failures=0)
            )

    def _bring(self, order: BuildOrder, progress: "_Progress") -> None:
        """Raises OutsideError, OSError, and Stopped."""
        progress("asking the registry")
        images = self._outside.images
        if images.digest(order.image) is None:
            builder = self._workshop.builders.get(order.build.engine)
            if builder is None:
                raise Refused("`build:`", f"no engine {order.build.engine} is set up for this Slipway")
            with self._folder(order) as folder:
                files, limits = self._workshop.files, self._workshop.limits
                files.download(order.model, order.version, folder / "model", limits, progress)
                builder.build(order, folder, progress)
            if images.digest(order.image) is None:
                raise Refused("the registry", f"{order.image} was pushed without an error, and is not there")
        if theirs := foreign(order, images.labels(order.image)):
            raise Refused("the registry", theirs)

    @contextmanager
    def _folder(self, order: BuildOrder) -> Iterator[Path]:
        """A folder of this image's own. Named after it, so that what a killed process left is found."""
        name = hashlib.sha256(order.image.encode()).hexdigest()[:16]
        folder = self._workshop.folder / f"slipway-build-{name}"
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def _fail(self, build: ImageBuild, trouble: OutsideError) -> None:
        failures = build.failures + 1
        wait = min(_FIRST_WAIT * 2 ** min(failures - 1, 10), _LONGEST_WAIT)
        if isinstance(trouble, Unavailable) and trouble.retry_after is not None:
            wait = max(wait, timedelta(seconds=trouble.retry_after))
        now = self._outside.clock.now()
        logger.info("the image %s could not be built: %s", build.order.image, trouble)
        self._store.save_build(
            replace(build, stage=BuildStage.FAILED, told=str(trouble), next_at=now + wait, failures=failures)
        )


class _Progress:
    """Keeps the row in step with the work, not more often than anybody looks."""

    def __init__(self, outside: Outside, build: ImageBuild, stopping: threading.Event) -> None:
        self._outside = outside
        self._build = build
        self._stopping = stopping
        self._saved_at: float | None = None

    def __call__(self, told: str) -> None:
        if self._stopping.is_set():
            raise Stopped
        now = time.monotonic()
        if self._saved_at is not None and now - self._saved_at < _PACE:
            return
        self._saved_at = now
        alive = self._outside.clock.now() + SILENCE
        self._outside.store.save_build(replace(self._build, told=told, next_at=alive))
