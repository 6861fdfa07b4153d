"""Images that Slipway builds: one row an image, so that whoever wants it shares one build."""

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import builds, promotions
from bot.domain.build import BuildOrder, BuildStage, ImageBuild
from bot.domain.promotion import Stage
from bot.jobs.tasks import BUILD, BUILDS, RECONCILE

_BUILD = TypeAdapter(ImageBuild)
_OVER = frozenset({BuildStage.DONE, BuildStage.FAILED})


class Builds(Rows):
    """The part of the store about images."""

    def order_build(self, order: BuildOrder) -> None:
        values = {**_columns(ImageBuild(order)), "next_at": func.now()}
        anew = insert(builds).values(values)
        ordered = anew.on_conflict_do_update(
            index_elements=["image"],
            set_={key: anew.excluded[key] for key in values if key != "image"},
            where=builds.c.stage != BuildStage.BUILDING.value,
        ).returning(builds.c.image)
        with self._engine.begin() as connection:
            if connection.execute(ordered).first() is not None:
                self._defer(connection, BUILD, [{"image": order.image}], queue=BUILDS)

    def image_build(self, image: str) -> ImageBuild | None:
        with self._engine.connect() as connection:
            data = connection.scalar(select(builds.c.data).where(builds.c.image == image))
        return None if data is None else _BUILD.validate_python(data)

    def save_build(self, build: ImageBuild) -> None:
        saved = update(builds).where(builds.c.image == build.order.image).values(_columns(build))
        waiting = (
            update(promotions)
            .where(
                promotions.c.model == build.order.model,
                promotions.c.candidate == build.order.version,
                promotions.c.stage == Stage.WAITING.value,
            )
            .values(wakes=promotions.c.wakes + 1, wake_at=func.now())
            .returning(promotions.c.id)
        )
        with self._engine.begin() as connection:
            connection.execute(saved)
            if build.stage in _OVER:
                ids = connection.execute(waiting).scalars().all()
                self._defer(connection, RECONCILE, [{"promotion": promotion} for promotion in ids])

    def claim_builds(self, lease: timedelta, limit: int) -> int:
        due = (
            select(builds.c.image)
            .where(builds.c.next_at <= func.now())
            .order_by(builds.c.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(builds)
            .where(builds.c.image.in_(due.scalar_subquery()))
            .values(next_at=func.now() + lease)
            .returning(builds.c.image)
        )
        with self._engine.begin() as connection:
            images = connection.execute(claimed).scalars().all()
            self._defer(connection, BUILD, [{"image": image} for image in images], queue=BUILDS)
        return len(images)


def _columns(build: ImageBuild) -> dict[str, Any]:
    return {
        "image": build.order.image,
        "model": build.order.model,
        "version": build.order.version,
        "stage": build.stage.value,
        "data": _BUILD.dump_python(build, mode="json"),
        "next_at": build.next_at,
    }
