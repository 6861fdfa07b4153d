"""From the text of `slipway.yaml` to a `Config`, with every mistake that the text alone shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.annotations import did_you_mean
from bot.domain.config import FILE, Config, WhenAlias
from bot.domain.document import Document, Plain, read
from bot.domain.mistake import MOST, ConfigError, Mistake, Path, shortened
from bot.domain.order import circle, strays
from bot.domain.validation import validate_partly


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as far as it can be read: every mistake, and what is left without the wrong entries."""

    document: Document
    config: Config | None
    mistakes: tuple[Mistake, ...]


def load(text: str, path: str = FILE) -> Config:
    """The configuration in `text`. Raises ConfigError with every mistake that the text alone shows."""
    reading = load_partly(text, path)
    if reading.config is None or reading.mistakes:
        raise ConfigError(reading.mistakes)
    return reading.config


def load_partly(text: str, path: str = FILE) -> Reading:
    """What can be read of `text`. Raises ConfigError when it is not even YAML."""
    document = read(text, path)
    config, mistakes = validate_partly(document, Config)
    further = [
        *_twice_mistakes(document),
        *_order_mistakes(document),
        *(_alias_mistakes(document, config) if config else ()),
    ]
    return Reading(document, config, tuple(sorted({*mistakes, *further})))


def _twice_mistakes(document: Document) -> Iterator[Mistake]:
    """MLflow keeps models and prompts under one set of names."""
    data = _mapping(document.plain())
    models = _mapping(data.get("models"))
    for name in _mapping(data.get("prompts")):
        if name in models:
            message = f"`{shortened(name, 60)}` is among the models too"
            yield document.mistake(
                ("prompts", name), message, "a name is a model's or a prompt's, never both"
            )


def _order_mistakes(document: Document) -> Iterator[Mistake]:
    """Asked of the plain data, so that a mistake elsewhere in a model does not hide these."""
    for path, after in _afters(document):
        for name in strays(after)[:MOST]:
            hint = did_you_mean(str(after[name]), (other for other in after if other != name))
            yield document.mistake(
                (*path, name, "after"),
                f"there is no environment `{shortened(str(after[name]), 60)}`",
                hint or "leave `after` out of the first environment",
                value=True,
            )
        if way := circle(after):
            yield document.mistake(
                (*path, way[0], "after"),
                "these environments wait for each other: " + " after ".join(f"`{name}`" for name in way),
                "leave `after` out of the first environment",
                value=True,
            )


def _afters(document: Document) -> Iterator[tuple[Path, dict[str, str | None]]]:
    """Where a model's environments stand, and environment → `after` of those that have the right shape."""
    data = _mapping(document.plain())
    for section in ("models", "prompts"):
        for name, model in _mapping(data.get(section)).items():
            yield (
                (section, name, "environments"),
                {
                    key: after if isinstance(after := _mapping(place).get("after"), str) else None
                    for key, place in _mapping(_mapping(model).get("environments")).items()
                },
            )


def _mapping(data: Plain) -> dict[str, Plain]:
    return data if isinstance(data, dict) else {}


def _alias_mistakes(document: Document, config: Config) -> Iterator[Mistake]:
    """An alias that Slipway moves must not be the one that starts a promotion, nor be moved twice."""
    named = [
        (section, name, model)
        for section, models in config.sections.items()
        for name, model in models.items()
    ]
    for section, name, model in named:
        moved: dict[str, str] = {}
        for environment, place in model.environments.items():
            if place.alias is None:
                continue
            path = (section, name, "environments", environment, "alias")
            if isinstance(model.when, WhenAlias) and model.when.alias == place.alias:
                message = f"Slipway would move the alias `{place.alias}` that makes a version a candidate"
                yield document.mistake(path, message, "name another alias, such as `champion`", value=True)
            if place.alias in moved:
                message = f"the environment `{moved[place.alias]}` moves the alias `{place.alias}` too"
                yield document.mistake(path, message, "give each environment an alias of its own", value=True)
            moved[place.alias] = environment
