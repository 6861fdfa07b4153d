"""docs/configuration.md tells every key, as the schema has it."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from bot.domain.config import Config, Environment, Model
from bot.domain.document import read
from bot.domain.json_schema import schema
from bot.domain.loading import load
from bot.domain.validation import validate

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "configuration.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def keys() -> ModuleType:
    """The script behind `make docs`."""
    spec = importlib.util.spec_from_file_location("keys", DOCS / "keys.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_of_the_schema_has_its_table(keys: ModuleType) -> None:
    """A key without documentation fails the suite."""
    tables = {("slipway", name) for name, node in schema("slipway")["$defs"].items() if "properties" in node}

    assert {("slipway", "slipway"), *tables} == keys.shown(PAGE.read_text())


def test_the_tables_are_in_step_with_the_schema(keys: ModuleType) -> None:
    """`make docs` fills them."""
    text = PAGE.read_text()

    assert text == keys.filled(text)


def test_the_first_example_is_a_configuration() -> None:
    """What people copy first works."""
    assert isinstance(load(EXAMPLES[0]), Config)


@pytest.mark.parametrize("example", [text for text in EXAMPLES if re.match(r"- \{(?!run)", text)])
def test_every_example_of_targets_is_right(example: str) -> None:
    """Each line is one target."""
    targets = "\n".join(f"      {line}" for line in example.splitlines())

    config = load(f"models:\n  m:\n   environments:\n    e:\n     targets:\n{targets}")

    assert len(config.models["m"].environments["e"].targets) == len(example.splitlines())


@pytest.mark.parametrize(
    "line", [line for text in EXAMPLES for line in text.splitlines() if line.startswith(("when:", "image:"))]
)
def test_every_example_of_a_model_is_right(line: str) -> None:
    """Each line is one way to write it."""
    text = f"{line}\nenvironments: {{e: {{targets: [{{kserve: a.yaml}}]}}}}"

    assert isinstance(validate(read(text, "example"), Model), Model)


def test_the_example_of_objectives_is_right() -> None:
    """A preset, both usual objectives and a model signal."""
    (example,) = [text for text in EXAMPLES if text.startswith("slo:")]

    environment = validate(read(f"{example}\ntargets: [{{kserve: a.yaml}}]", "example"), Environment)

    assert environment.slo is not None
