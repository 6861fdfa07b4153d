"""Templates such as "models:/{model}/{version}": text with names in braces, nothing else."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

PLACEHOLDERS = ("model", "version", "source", "run_id", "tag", "digest", "repository", "image")
WEIGHTS = ("weight", "rest", "pause")
"""Known only where a share of the traffic is written."""
_TAG_PREFIXES = ("tags.", "run_tags.")


def check_template(template: str) -> str:
    """The template itself, when its braces hold nothing but known placeholders.

    Known are `{model}`, `{version}`, `{source}`, `{run_id}`, `{tag}`, `{digest}`, `{repository}`,
    `{image}`, `{tags.KEY}` (a tag of the version) and `{run_tags.KEY}` (a tag of its run).
    """
    for placeholder in placeholders(template):
        if placeholder not in (*PLACEHOLDERS, *WEIGHTS) and not placeholder.startswith(_TAG_PREFIXES):
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise ValueError(
                f"{{{placeholder}}} is not known; known are {known}, {{tags.KEY}} and {{run_tags.KEY}}"
            )
    return template


def placeholders(template: str) -> tuple[str, ...]:
    """What stands between the braces of a template. Raises ValueError for a brace without its partner."""
    found = []
    rest = template
    while rest:
        before, opened, rest = rest.partition("{")
        if "}" in before:
            raise ValueError("a `}` without `{`")
        if not opened:
            break
        name, closed, rest = rest.partition("}")
        if not closed or "{" in name:
            raise ValueError("a `{` without `}`")
        found.append(name)
    return tuple(found)


Template = Annotated[str, Field(min_length=1), AfterValidator(check_template)]
"""Checked when the configuration is read; filled by `bot.manifests`."""


def fill(template: str, values: Mapping[str, str | None]) -> str:
    """The template with each `{name}` replaced. Raises KeyError(name) for one that is absent or None.

    What is filled in is never looked at again: braces in a value stay as they are.
    """
    pieces = []
    rest = template
    while rest:
        before, opened, rest = rest.partition("{")
        pieces.append(before)
        if opened:
            name, _, rest = rest.partition("}")
            value = values.get(name)
            if value is None:
                raise KeyError(name)
            pieces.append(value)
    return "".join(pieces)
