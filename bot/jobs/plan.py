"""The edits of a bump and of its revert: which files, which pins, on today's default branch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.config import Environment, Model
from bot.domain.effects import NothingToRevert, RevertImpossible, StepImpossible, StepMade
from bot.domain.promotion import PinChange, Promotion
from bot.domain.situation import BumpPlan, NoPlan
from bot.domain.target import Selector
from bot.domain.traffic import WHOLE
from bot.domain.version import ModelVersion
from bot.jobs.images import Images
from bot.jobs.outside import Outside
from bot.jobs.pinned import Files, version_in
from bot.manifests.bump import Target, bump_bytes, find_bytes
from bot.manifests.errors import BumpError
from bot.manifests.pin import ImagePin, Pin, pin_of, weight_of, weight_place
from bot.ports import Forge, OutsideError, Refused


@dataclass(frozen=True, slots=True)
class RevertPlan:
    """The files that restore the baseline's pins."""

    base_sha: str
    edits: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The files that give the candidate another share of the traffic."""

    base_sha: str
    edits: dict[str, bytes]
    changes: tuple[PinChange, ...]


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
        traffic = environment.traffic

        def pinned(selector: Selector) -> Pin:
            return pin_of(selector, version, image, model.storage)

        try:
            targets = Files(forge, base) if traffic is not None and traffic.candidate else files
            final = tuple(_changes(targets, 0, [(each, pinned(each)) for each in environment.targets]))
            now_written = final if targets is files else ()
            if final and traffic is not None:
                beside = [(each, pinned(each)) for each in traffic.candidate]
                candidate = tuple(_changes(files, len(environment.targets), beside))
                now_written = (*now_written, *candidate, *_weigh(files, environment, traffic.steps[0]))
        except BumpError as error:
            return NoPlan(f"The pin cannot be changed ({error.code}): {error.message}")
        except Refused as refused:
            return NoPlan(refused.message)
        if not final:
            return NoPlan(f"Version {promotion.candidate} is pinned already.", settled=True)
        return BumpPlan(
            base,
            files.edits,
            now_written,
            self._baseline(promotion, environment, final, version, model),
            image=str(image) if image else None,
            steps=traffic.steps if traffic is not None else (),
        )

    def step(
        self,
        promotion: Promotion,
        forge: Forge,
        model: Model | None,
        environment: Environment | None,
        weight: int,
    ) -> StepPlan | StepMade | StepImpossible:
        """What gives the candidate this share of the traffic on today's default branch.

        Raises OutsideError where the forge or, for the last step, the registry is away.
        """
        if model is None or environment is None or environment.traffic is None:
            return StepImpossible("The steps are no longer configured.", weight)
        base = forge.head()
        files = Files(forge, base)
        try:
            changes = tuple(_weigh(files, environment, weight))
            if weight == WHOLE and environment.traffic.candidate:
                version = self._outside.registry.version(promotion.model, promotion.candidate)
                image = ImagePin.parse(promotion.image) if promotion.image is not None else None
                final = [(each, pin_of(each, version, image, model.storage)) for each in environment.targets]
                changes = (*_changes(files, 0, final), *changes)
        except (BumpError, Refused) as error:
            return StepImpossible(error.message, weight)
        if not files.edits:
            return StepMade(base, weight, changes)
        return StepPlan(base, files.edits, changes)

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
                selector = environment.pins[change.target]
                number = change.target >= environment.first_weight
                selector = weight_place(selector) if number else selector
                path, data = files.of(selector)
                target = Target(selector, change.old, expect=change.new, number=number)
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


def _weigh(files: Files, environment: Environment, weight: int) -> Iterator[PinChange]:
    assert environment.traffic is not None, "only what has steps is weighed"
    shares = [(weight_place(each), weight_of(each, weight)) for each in environment.traffic.weights]
    yield from _changes(files, environment.first_weight, shares, number=True)


def _changes(
    files: Files, first: int, wanted: Sequence[tuple[Selector, Pin]], *, number: bool = False
) -> Iterator[PinChange]:
    """Writes pins; tells what each was. `first` is the place of the first among the environment's `pins`."""
    for place, (selector, pin) in enumerate(wanted, start=first):
        target = Target(selector, pin, number=number)
        path, data = files.of(selector)
        before = find_bytes(data, target).pin
        bumped = bump_bytes(data, target)
        if bumped.changes:
            files.write(path, bumped.data)
            after = find_bytes(bumped.data, target).pin
            yield PinChange(place, path, _text(before), _text(after))


def _text(pin: Pin | None) -> str:
    return "" if pin is None else str(pin)
