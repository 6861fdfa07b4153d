"""Everything that is wrong with `slipway.yaml` and with what it names, told at once.

Pure: files are read by the function that is handed in, so the same check runs on a local checkout, on
the commit of a pull request and in tests. What cannot be told from one version to the next is told with
a sample version that has every tag somebody asks for: each target is bumped to it, and the result thrown
away.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain import policies
from bot.domain.annotations import did_you_mean
from bot.domain.config import FILE, Config, Model
from bot.domain.document import Document
from bot.domain.freeze import wrong_with
from bot.domain.loading import load_partly
from bot.domain.mistake import ConfigError, Mistake, Path, written
from bot.domain.target import Selector
from bot.domain.template import placeholders
from bot.domain.traffic import Traffic
from bot.domain.version import ModelVersion
from bot.manifests.bump import Target, bump_bytes, find_bytes
from bot.manifests.errors import BadReference, BumpError
from bot.manifests.image_reference import parse
from bot.manifests.pin import ImagePin, image_of, pin_of, wants_digest, weight_of, weight_place

Read = Callable[[str], bytes | None]
"""A file's bytes by its path from the repository's root; None where no plain file under 1 MB is there."""

# Nobody has this version, so bumping to it always changes something.
_VERSION = "999999999"
_DIGEST = "sha256:" + "0" * 64


def check(
    read: Read, own: Mapping[str, str], shipped: Mapping[str, str], path: str = FILE
) -> tuple[Mistake, ...]:
    """All mistakes of the configuration at `path` and of the policies; empty when all is well.

    `own` are the repository's policy files and `shipped` those that Slipway brings: path → text. Mistakes
    of another file stand where slipway.yaml names it.
    """
    known = policies.resolve(own, shipped)
    of_policies = (*known.mistakes, *_calendar_mistakes(read, own))
    content = read(path)
    if content is None:
        missing = Mistake(path, 1, 1, "", "there is no such file, or it is no plain file under 1 MB")
        return (*of_policies, missing)
    try:
        reading = load_partly(content.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return (*of_policies, Mistake(path, line, 1, "", "this is not UTF-8", "save the file as UTF-8"))
    except ConfigError as error:
        return tuple(sorted({*of_policies, *error.mistakes}))
    further = _Check(read, known.names, reading.document)
    found = further.of(reading.config) if reading.config else ()
    return tuple(sorted({*of_policies, *reading.mistakes, *found}))


def concerns(path: str, config: Config | None = None) -> bool:
    """Whether a change of this file may change what `check` answers: `slipway.yaml`, a policy, a calendar, or
    a file that a target of `config` names.
    """
    if path == FILE or path.startswith("policies/") or path.endswith(".ics"):
        return True
    return config is not None and any(
        path in selector.candidate_files()
        for model in config.promoted.values()
        for place in model.environments.values()
        for selector in place.pins
    )


def _calendar_mistakes(read: Read, own: Mapping[str, str]) -> Iterator[Mistake]:
    """The calendars of freezes that are absent or cannot be read: in force, each would stop every merge."""
    for path in sorted(own):
        for place, freeze in policies.calendars(own[path], path):
            content = read(freeze.ical)
            if content is None:
                yield replace(place, message=f"there is no file `{freeze.ical}`")
            elif wrong := wrong_with(content.decode(errors="replace"), freeze):
                yield replace(place, message=wrong)


class _Check:
    """What can only be told with the other files at hand."""

    def __init__(self, read: Read, policies: tuple[str, ...], document: Document) -> None:
        self._read = read
        self._policies = policies
        self._document = document
        self._claims: dict[tuple[str, int, int], Path] = {}

    def of(self, config: Config) -> Iterator[Mistake]:
        for section, models in config.sections.items():
            for name, model in models.items():
                yield from self._of((section, name), model)

    def _of(self, at: Path, model: Model) -> Iterator[Mistake]:
        image, wrong = self._image((*at, "image"), model)
        yield from wrong
        yield from self._base((*at, "build", "base"), model)
        for environment, place in model.environments.items():
            path: Path = (*at, "environments", environment)
            if place.policy not in self._policies:
                yield self._no_policy((*path, "policy"), place.policy)
            for index, selector in enumerate(place.targets):
                if not wrong:
                    yield from self._target((*path, "targets", index), model, selector, image)
            if place.traffic is not None:
                yield from self._traffic((*path, "traffic"), model, place.traffic, None if wrong else image)

    def _traffic(
        self, path: Path, model: Model, traffic: Traffic, image: ImagePin | None
    ) -> Iterator[Mistake]:
        for index, selector in enumerate(traffic.candidate):
            if image is not None or model.image is None:
                yield from self._target((*path, "candidate", index), model, selector, image)
        for index, selector in enumerate(traffic.weights):
            yield from self._place((*path, "weights", index), selector, _weighed)

    def _no_policy(self, path: Path, name: str) -> Mistake:
        hint = did_you_mean(name, self._policies) or f"add `policies/{name}.yaml`"
        return self._document.mistake(path, f"there is no policy `{name}`", hint, value=True)

    def _image(self, path: Path, model: Model) -> tuple[ImagePin | None, list[Mistake]]:
        """The image of the sample version, or why there is none."""
        if model.image is None:
            return None, []
        if model.image.from_tag is not None:
            # Whatever repository a version names: that its image can be pinned is all there is to tell.
            return ImagePin(tag=_VERSION, digest=_DIGEST if model.image.pin == "digest" else None), []
        try:
            image = image_of(model.image, _sample(model.image.tag))
        except BadReference as error:
            return None, [self._document.mistake(path, error.message, value=True)]
        return replace(image, digest=_DIGEST) if wants_digest(model.image, image) else image, []

    def _base(self, path: Path, model: Model) -> Iterator[Mistake]:
        if model.build is None:
            return
        try:
            parse(model.build.base)
        except BadReference as error:
            yield self._document.mistake(path, error.message, value=True)

    def _target(
        self, path: Path, model: Model, selector: Selector, image: ImagePin | None
    ) -> Iterator[Mistake]:
        """Whether the target finds its pin, can write it, and is alone with it."""

        def target(selector: Selector) -> Target:
            version = _sample(model.storage, getattr(selector, "value", None))
            return Target(selector, pin_of(selector, version, image, model.storage))

        yield from self._place(path, selector, target)

    def _place(
        self, path: Path, selector: Selector, target_of: Callable[[Selector], Target]
    ) -> Iterator[Mistake]:
        candidates = selector.candidate_files()
        found = {file: data for file in candidates if (data := self._read(file)) is not None}
        if len(found) != 1:
            yield self._document.mistake(path, *_not_one(tuple(found), candidates), value=True)
            return
        ((file, content),) = found.items()
        try:
            target = target_of(selector)
            changed = bump_bytes(content, target).changes
            # A key that a bump would add is nobody else's yet.
            old = any(change.old is not None for change in changed)
            sites = find_bytes(content, target).sites if old else ()
        except BumpError as error:
            yield self._document.mistake(path, f"{file}: {error.message}", value=True)
            return
        for site in sites:
            claim = (file, site.start, site.end)
            if claim in self._claims:
                other = written(self._claims[claim])
                message = f"this pin (line {site.line} of {file}) is also that of `{other}`"
                yield self._document.mistake(path, message, "give each target a pin of its own", value=True)
                return
            self._claims[claim] = path


def _weighed(selector: Selector) -> Target:
    """A share that nobody has, so that writing it changes something."""
    weight_of(selector, 0)
    return Target(weight_place(selector), _VERSION, number=True)


def _not_one(found: tuple[str, ...], candidates: tuple[str, ...]) -> tuple[str, str]:
    told = " or ".join(f"`{file}`" for file in found or candidates)
    if found:
        return f"which one is meant, {told}?", "name the file itself"
    return f"there is no file {told}", "symlinks and files over 1 MB are not read"


def _sample(*templates: str | None) -> ModelVersion:
    """A version that has all tags anybody asks for: what is missing then is missing in the configuration."""
    asked = [name for template in templates if template for name in placeholders(template)]
    return ModelVersion(
        model="model",
        version=_VERSION,
        source=f"models:/model/{_VERSION}",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        run_id="0" * 32,
        tags={name.removeprefix("tags."): _VERSION for name in asked if name.startswith("tags.")},
        run_tags={name.removeprefix("run_tags."): _VERSION for name in asked if name.startswith("run_tags.")},
    )
