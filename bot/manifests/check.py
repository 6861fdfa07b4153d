"""Everything that is wrong with `slipway.yaml` and with what it names, told at once.

Pure: files are read by the function that is handed in, so the same check runs on a local checkout, on
the commit of a pull request and in tests.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime

from bot.domain.annotations import did_you_mean
from bot.domain.config import FILE, Config, Model, load_partly
from bot.domain.document import Document
from bot.domain.mistake import ConfigError, Mistake, Path
from bot.domain.target import Selector
from bot.domain.template import placeholders
from bot.domain.version import ModelVersion
from bot.manifests.errors import BadReference
from bot.manifests.pin import ImagePin, pin_of

Read = Callable[[str], bytes | None]
"""A file's bytes by its path from the repository's root; None where no plain file under 1 MB is there."""

POLICIES = "policies"


def check(read: Read, policies: Collection[str] = (), path: str = FILE) -> tuple[Mistake, ...]:
    """All mistakes of the configuration at `path`, in the order of the file; empty when all is well.

    `policies` are the names that there are: of the files in `policies/` and of those that Slipway ships.
    """
    content = read(path)
    if content is None:
        return (Mistake(path, 1, 1, "", "there is no such file, or it is no plain file under 1 MB"),)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return (Mistake(path, line, 1, "", "this is not UTF-8", "save the file as UTF-8"),)
    try:
        reading = load_partly(text, path)
    except ConfigError as error:
        return error.mistakes
    further = _Check(read, policies, reading.document)
    found = further.of(reading.config) if reading.config else ()
    return tuple(sorted({*reading.mistakes, *found}))


class _Check:
    """What can only be told with the other files at hand."""

    def __init__(self, read: Read, policies: Collection[str], document: Document) -> None:
        self._read = read
        self._policies = policies
        self._document = document

    def of(self, config: Config) -> Iterator[Mistake]:
        for name, model in config.models.items():
            for environment, place in model.environments.items():
                path: Path = ("models", name, "environments", environment)
                if place.policy not in self._policies:
                    yield self._no_policy((*path, "policy"), place.policy)
                for index, selector in enumerate(place.targets):
                    target = (*path, "targets", index)
                    yield from self._without_value(target, model, selector)
                    yield from self._without_pin(target, selector)

    def _no_policy(self, path: Path, name: str) -> Mistake:
        hint = did_you_mean(name, self._policies)
        message = f"there is no policy `{name}`"
        return self._document.mistake(path, message, hint or f"add `{POLICIES}/{name}.yaml`", value=True)

    def _without_value(self, path: Path, model: Model, selector: Selector) -> Iterator[Mistake]:
        """Whether the model says what to write at this target."""
        image = ImagePin("example/image", "v1", "sha256:" + "0" * 64) if model.image else None
        try:
            pin_of(selector, _sample(model, selector), image, model.storage)
        except BadReference as error:
            yield self._document.mistake(path, error.message, value=True)

    def _without_pin(self, path: Path, selector: Selector) -> Iterator[Mistake]:
        """Whether the target finds its pin."""
        candidates = selector.candidate_files()
        found = [file for file in candidates if self._read(file) is not None]
        if not found:
            told = " or ".join(f"`{file}`" for file in candidates)
            yield self._document.mistake(path, f"there is no file {told}", value=True)


def _sample(model: Model, selector: Selector) -> ModelVersion:
    """A version that has all tags anybody asks for: what is missing then is missing in the configuration."""
    templates = (model.storage, getattr(selector, "value", None))
    asked = [name for template in templates if template for name in placeholders(template)]
    return ModelVersion(
        model="model",
        version="1",
        source="models:/model/1",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        run_id="0" * 32,
        tags={name.removeprefix("tags."): "1" for name in asked if name.startswith("tags.")},
        run_tags={name.removeprefix("run_tags."): "1" for name in asked if name.startswith("run_tags.")},
    )
