"""The image of a version: there already, or why not yet, and what has to be built first."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.build import Build, BuildOrder, BuildStage, foreign
from bot.domain.config import Model
from bot.domain.promotion import Promotion
from bot.domain.situation import NoPlan
from bot.domain.version import ModelVersion
from bot.jobs.outside import Outside
from bot.manifests.pin import ImagePin, filled, image_of, wants_digest

GIVE_UP = timedelta(days=1)
"""How long an image that does not exist yet is waited for."""

_COMMIT = "mlflow.source.git.commit"


class Images:
    """Looks for images in their registries, and knows the orders of those that Slipway builds."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def of(
        self, promotion: Promotion, model: Model, version: ModelVersion, now: datetime, *, retry: bool
    ) -> ImagePin | NoPlan | None:
        """The image to pin, with its digest where one is wanted; None where the model has none.

        `retry`: a person wants a build that failed tried again now. Raises BadReference and OutsideError.
        """
        if model.image is None:
            return None
        image = image_of(model.image, version)
        pinned = wants_digest(model.image, image)
        if not pinned and model.build is None:
            return image
        digest = self._outside.images.digest(str(image))
        if model.build is not None:
            order = _order(model.build, image, version)
            if digest is None:
                return self._unbuilt(promotion, order, now, retry=retry)
            if theirs := foreign(order, self._outside.images.labels(str(image))):
                return NoPlan(theirs)
        elif digest is None:
            return _absent(promotion, str(image), now)
        return replace(image, digest=digest) if pinned else image

    def _unbuilt(self, promotion: Promotion, order: BuildOrder, now: datetime, *, retry: bool) -> NoPlan:
        build = self._outside.store.image_build(order.image)
        if build is None or build.needs(order, retry=retry):
            return NoPlan(f"The build of the image {order.image} waits for its turn.", build=order)
        absent = _absent(promotion, order.image, now)
        if absent.gave_up and build.stage is BuildStage.FAILED:
            return replace(absent, reason=f"{absent.reason} The last build: {build.told}")
        return NoPlan(build.sentence())


def _absent(promotion: Promotion, image: str, now: datetime) -> NoPlan:
    what = f"The image {image} is not in its registry"
    if now - promotion.created_at > GIVE_UP:
        return NoPlan(f"{what} after {GIVE_UP.days} day; gave up.", gave_up=True)
    return NoPlan(f"{what} yet.")


def _order(build: Build, image: ImagePin, version: ModelVersion) -> BuildOrder:
    return BuildOrder(
        image=str(image),
        model=version.model,
        version=version.version,
        source=version.source,
        created_at=version.created_at,
        build=build,
        env={name: filled(template, version, image) for name, template in build.env.items()},
        run_id=version.run_id,
        commit=version.run_tags.get(_COMMIT),
    )
