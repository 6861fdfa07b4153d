"""JSON Schemas for editors."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from bot.cli import app
from bot.domain.config import Config
from bot.domain.document import read
from bot.domain.json_schema import MODELS, schema
from bot.domain.loading import load
from bot.domain.mistake import ConfigError

PROJECT = Path(__file__).parents[3]
GOOD = """\
version: 1
models:
  fraud-detector:
    when: {alias: candidate}
    image: {repository: registry.example.com/ml/fraud-detector, tag: "v{version}", pin: digest}
    environments:
      staging:
        targets:
        - {kustomize: models/fraud-detector/overlays/staging, image: fraud-detector}
        - {file: a.yaml, container: server, env: MODEL_URI}
        - {helm: values.yaml, path: [servers, 0, image]}
        argocd: fraud-detector-staging
      production:
        after: staging
        targets: [{kserve: a.yaml}]
        policy: strict
        alias: champion
        slo:
          preset: fastapi
          errors: {objective: 99%}
          latency: {threshold: 500ms, objective: 95%}
"""


def accepts(text: str) -> bool:
    return Draft202012Validator(schema("slipway")).is_valid(read(text, "slipway.yaml").plain())


def nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


@pytest.mark.parametrize("folder", ["policies", "gitops-repo-template/policies"])
@pytest.mark.parametrize("name", MODELS)
def test_the_files_are_in_step_with_the_models(name: str, folder: str) -> None:
    """`make schemas` writes them, for the project and for whoever copies the template."""
    file = PROJECT / folder / f"{name}.schema.json"

    assert schema(name) == json.loads(file.read_text())


@pytest.mark.parametrize("name", MODELS)
def test_they_are_json_schemas_that_editors_read(name: str) -> None:
    """Nothing of pydantic's own shows: no `null`, no generated titles of keys."""
    generated = schema(name)
    Draft202012Validator.check_schema(generated)

    properties = [found for node in nodes(generated) for found in node.get("properties", {}).values()]
    assert not [node for node in nodes(generated) if node.get("type") == "null"]
    assert not [found for found in properties if "title" in found]


@pytest.mark.parametrize("name", MODELS)
def test_every_key_says_what_it_is_for(name: str) -> None:
    """An editor shows it, and so does docs/configuration.md."""
    missing = [
        f"{owner}.{key}"
        for owner, definition in {"": schema(name), **schema(name)["$defs"]}.items()
        for key, found in definition.get("properties", {}).items()
        if not found.get("description")
    ]

    assert missing == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("policy:", "polcy:"),
        ("version: 1", "version: 2"),
        ("alias: candidate", "alais: candidate"),
        ("{alias: candidate}", "{}"),
        ("{alias: candidate}", "{alias: a, version: created}"),
        ("image: fraud-detector}", "imag: fraud-detector}"),
        ("{kserve: a.yaml}", "{kserve: a.yaml, field: nothing}"),
        ("fraud-detector:", '"a/b":'),
        ("production:", '"a b":'),
        ("alias: champion", "alias: a.b"),
        ("argocd: fraud", "argocd: Fraud"),
        ("99%", "99"),
        ("500ms", "500"),
    ],
)
def test_an_editor_and_the_loader_see_the_same_mistakes(old: str, new: str) -> None:
    """What is right is right for both, what is wrong for neither."""
    assert accepts(GOOD)
    assert isinstance(load(GOOD), Config)

    wrong = GOOD.replace(old, new)

    assert not accepts(wrong)
    with pytest.raises(ConfigError):
        load(wrong)


def test_the_template_is_right_for_an_editor() -> None:
    """The first file that a new user opens has no wavy lines."""
    assert accepts((PROJECT / "gitops-repo-template" / "slipway.yaml").read_text())


def test_the_verb_prints_what_the_file_holds() -> None:
    """So that a repository can have its own copy."""
    assert schema("policy") == json.loads(CliRunner().invoke(app, ["schema", "policy"]).stdout)
    assert CliRunner().invoke(app, ["schema", "nothing"]).exit_code == 2
