"""The edits of a bump and of its revert: which files, which pins, on today's default branch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.config import Environment, Model
from bot.domain.effects import NothingToRevert, RevertImpossible
from bot.domain.promotion import PinChange, Promotion
from bot.domain.situation import BumpPlan, NoPlan
from bot.domain.target import Selector
from bot.domain.version import ModelVersion
from bot.jobs.images import Images
from bot.jobs.outside import Outside
from bot.jobs.pinned import Files, version_in
from bot.manifests.bump import Target, bump_bytes, find_bytes
from bot.manifests.errors import BumpError
from bot.manifests.pin import Pin, pin_of
from bot.ports import Forge, OutsideError, Refused


@dataclass(frozen=True, slots=True)
class RevertPlan:
    """The files that restore the baseline's pins."""

    base_sha: str
    edits: dict[str, bytes]


class Planner:
    """Plans bumps and reverts for one promotion at a time."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._images = Images(outside)

    def bump(
        self,
        promotion: Promotion,
        forge: Forge,
        model: Model,
        environment: Environment,
        now: datetime,
        *,
        retry: bool = False,
    ) -> BumpPlan | NoPlan:
        """What would change on today's default branch, or why nothing can.

        `retry`: a person wants what failed tried again now. Raises OutsideError where the forge is away; a
        registry that is away is a reason to wait.
        """
        try:
            version = self._outside.registry.version(promotion.model, promotion.candidate)
            image = self._images.of(promotion, model, version, now, retry=retry)
        except BumpError as error:
            return NoPlan(error.message)
        except OutsideError as trouble:
            return NoPlan(f"Waiting for {trouble.system}: {trouble.message}")
        if isinstance(image, NoPlan):
            return image
        base = forge.head()
        files = Files(forge, base)
        try:
            changes = tuple(
                change
                for number, selector in enumerate(environment.targets)
                for change in _change(
                    files, number, selector, pin_of(selector, version, image, model.storage)
                )
            )
        except BumpError as error:
            return NoPlan(f"The pin cannot be changed ({error.code}): {error.message}")
        except Refused as refused:
            return NoPlan(refused.message)
        if not changes:
            return NoPlan(f"Version {promotion.candidate} is pinned already.", settled=True)
        baseline = self._baseline(promotion, environment, changes, version, model)
        return BumpPlan(base, files.edits, changes, baseline, image=str(image) if image else None)

    def revert(
        self, promotion: Promotion, forge: Forge, environment: Environment | None
    ) -> RevertPlan | NothingToRevert | RevertImpossible:
        """What restores the baseline's pins, provided that the candidate's are what is pinned."""
        if environment is None:
            return RevertImpossible("The environment is no longer configured: revert the merge by hand.")
        base = forge.head()
        files = Files(forge, base)
        try:
            for change in promotion.changes:
                selector = environment.targets[change.target]
                path, data = files.of(selector)
                target = Target(selector, change.old, expect=change.new)
                files.write(path, bump_bytes(data, target).data)
        except IndexError:
            return RevertImpossible("The targets changed since the merge: revert it by hand.")
        except (BumpError, Refused) as error:
            return RevertImpossible(f"The baseline cannot be restored: {error.message}")
        return RevertPlan(base, files.edits) if files.edits else NothingToRevert(base)

    def _baseline(
        self,
        promotion: Promotion,
        environment: Environment,
        changes: Sequence[PinChange],
        version: ModelVersion,
        model: Model,
    ) -> str | None:
        """Which version the old pins mean: read from the pin itself, else what the rows or the alias say."""
        for change in changes:
            selector = environment.targets[change.target]
            found = version_in(change.old, selector, version, model)
            if found is not None:
                return found
        here = self._outside.store.of_place(promotion.repository, promotion.model, promotion.environment)
        for earlier in reversed(here):
            if any(change.new == before.old for change in earlier.changes for before in changes):
                return earlier.candidate
        if environment.alias is None:
            return None
        try:
            return self._outside.registry.alias(promotion.model, environment.alias)
        except OutsideError:
            return None


def _change(files: Files, number: int, selector: Selector, pin: Pin) -> tuple[PinChange, ...]:
    path, data = files.of(selector)
    before = find_bytes(data, selector).pin
    bumped = bump_bytes(data, Target(selector, pin))
    if not bumped.changes:
        return ()
    files.write(path, bumped.data)
    after = find_bytes(bumped.data, selector).pin
    return (PinChange(number, path, _text(before), _text(after)),)


def _text(pin: Pin | None) -> str:
    return "" if pin is None else str(pin)
