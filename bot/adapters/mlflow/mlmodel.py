"""The `MLmodel` file: text → signature, flavors, versions, size.

The file is written by whoever logged the model. Only plain scalars are taken from it, each checked
for its type, so that neither a YAML alias bomb nor a surprising shape does harm.
"""

import json
from dataclasses import dataclass, field

import yaml

from bot.domain.evidence import Column, Signature

LARGEST = 1_000_000
"""Characters read of the file; a signature of 5,000 columns has about 400,000."""

# What a flavor calls its library, where `<flavor>_version` is not the name that people install.
_LIBRARIES = {
    "sklearn": "scikit-learn",
    "pytorch": "torch",
    "tf": "tensorflow",
    "transformers": "transformers",
    "lgb": "lightgbm",
    "xgb": "xgboost",
}


class NotAModelFile(ValueError):
    """The text is no `MLmodel` file; the message says why."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What the file says; None and empty mean that it does not say."""

    signature: Signature | None = None
    flavors: tuple[str, ...] = ()
    python_version: str | None = None
    libraries: dict[str, str] = field(default_factory=dict)
    size_bytes: int | None = None
    input_example: bool = False
    prompts: tuple[str, ...] = ()


def parse(text: str) -> ModelFile:
    """Read an `MLmodel` file. Raises NotAModelFile."""
    try:
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotAModelFile("the MLmodel file is not YAML") from error
    if not isinstance(document, dict):
        raise NotAModelFile("the MLmodel file is not a YAML mapping")
    flavors = document.get("flavors")
    flavors = flavors if isinstance(flavors, dict) else {}
    size = document.get("model_size_bytes")
    return ModelFile(
        signature=_signature(document.get("signature")),
        flavors=tuple(str(name) for name in flavors if isinstance(name, str)),
        python_version=_python_version(flavors),
        libraries=_libraries(flavors, document.get("mlflow_version")),
        size_bytes=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        input_example=isinstance(document.get("saved_input_example_info"), dict),
        prompts=_prompts(document.get("prompts")),
    )


def _python_version(flavors: dict[object, object]) -> str | None:
    function = flavors.get("python_function")
    version = function.get("python_version") if isinstance(function, dict) else None
    return version if isinstance(version, str) else None


def _libraries(flavors: dict[object, object], mlflow_version: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for flavor, settings in flavors.items():
        if flavor == "python_function" or not isinstance(settings, dict):
            continue
        for key, value in settings.items():
            if isinstance(key, str) and key.endswith("_version") and isinstance(value, str):
                name = key.removesuffix("_version")
                found[_LIBRARIES.get(name, name)] = value
    if isinstance(mlflow_version, str):
        found["mlflow"] = mlflow_version
    return found


def _prompts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(item.removeprefix("prompts:/") for item in value if isinstance(item, str))


def _signature(value: object) -> Signature | None:
    if not isinstance(value, dict):
        return None
    inputs, outputs, params = (_columns(value.get(part)) for part in ("inputs", "outputs", "params"))
    if inputs is None and outputs is None and params is None:
        return None
    return Signature(inputs or (), outputs or (), params or ())


def _columns(value: object) -> tuple[Column, ...] | None:
    if not isinstance(value, str):
        return None
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(items, list):
        return None
    return tuple(_column(item, index) for index, item in enumerate(items) if isinstance(item, dict))


def _column(item: dict[str, object], index: int) -> Column:
    name = item.get("name")
    return Column(
        name=name if isinstance(name, str) and name else f"#{index}",
        type=_type(item),
        required=item.get("required", item.get("optional") is not True) is not False,
    )


def _type(item: dict[str, object]) -> str:
    tensor = item.get("tensor-spec")
    if isinstance(tensor, dict):
        return f"tensor({tensor.get('dtype')}, {json.dumps(tensor.get('shape'))})"
    kind = item.get("type", item.get("dtype"))
    nested = item.get("properties", item.get("items", item.get("values")))
    if nested is not None:
        return f"{kind}{json.dumps(nested, sort_keys=True, separators=(',', ':'))}"
    return kind if isinstance(kind, str) else "unknown"
