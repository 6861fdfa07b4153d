"""JSON Schemas of the files that people write, for editors.

Generated from the models, and made pleasant: no generated titles, no `null` as a choice, names of models
and environments checked by their pattern. `slipway schema` prints them, a test keeps the files in step.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from bot.domain.config import Config
from bot.domain.policy import PolicyFile

MODELS: Mapping[str, tuple[str, type[BaseModel]]] = {
    "slipway": ("slipway.yaml", Config),
    "policy": ("A policy of Slipway, policies/*.yaml", PolicyFile),
}
"""Schemas by name: `policies/NAME.schema.json`."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _WithoutTitles(GenerateJsonSchema):
    """A key's name is title enough."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # pydantic's signature
        return False


def schema(name: str) -> dict[str, Any]:
    """One of `MODELS` as a JSON Schema (draft 2020-12). Raises KeyError."""
    title, model = MODELS[name]
    generated = model.model_json_schema(schema_generator=_WithoutTitles)
    return {"$schema": _DIALECT, **_tidy(generated), "title": title}


def _tidy(node: Any) -> Any:
    """One node of a schema and everything in it."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(value) for key, value in node.items() if not (key == "default" and value is None)}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].split())
    if "anyOf" in tidy:
        choices = [choice for choice in tidy["anyOf"] if choice != {"type": "null"}]
        # What is said of the key comes before what is said of its type.
        tidy = {**choices[0], **_without(tidy, "anyOf")} if len(choices) == 1 else {**tidy, "anyOf": choices}
    if "patternProperties" in tidy:
        ((pattern, value),) = tidy["patternProperties"].items()
        names = {**tidy.get("propertyNames", {}), "pattern": pattern}
        tidy = {
            **_without(tidy, "patternProperties"),
            "propertyNames": names,
            "additionalProperties": value,
        }
    return tidy


def _without(node: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != key}
