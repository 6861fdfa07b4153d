"""What every model registry promises; MLflow itself and the fake are asked the same questions."""

import json

import pytest

from bot.domain import parity
from bot.domain.comparison import compare
from bot.ports import NotFound, Refused


def test_aliases_of_all_models_come_in_one_listing(world):
    """Each registered model is listed with its aliases, empty where it has none."""
    name = world.another()
    aliases = world.registry.aliases()

    assert aliases[world.model]["champion"] == "1"
    assert aliases[name] == {}


def test_an_alias_names_a_version_or_nothing(world):
    """An alias that was never set is None, not an error."""
    assert world.registry.alias(world.model, "champion") == "1"
    assert world.registry.alias(world.model, "never-set") is None


def test_setting_an_alias_moves_it_and_deleting_it_twice_is_deleting_it_once(world):
    """Writes may be repeated."""
    name = world.another()
    for _ in range(2):
        world.registry.set_alias(name, "candidate", "1")

    assert world.registry.alias(name, "candidate") == "1"

    for _ in range(2):
        world.registry.delete_alias(name, "candidate")

    assert world.registry.alias(name, "candidate") is None


def test_the_latest_version_is_the_newest_by_number(world):
    """A model that does not exist has no latest version."""
    assert world.registry.latest_version(world.model) == "2"
    assert world.registry.latest_version("it's not there") is None


def test_a_version_tells_its_tags_aliases_and_the_tags_of_its_run(world):
    """What `slipway.yaml` may refer to is in the version."""
    version = world.registry.version(world.model, "1")

    assert (version.model, version.version) == (world.model, "1")
    assert "champion" in version.aliases
    assert version.run_tags["mlflow.source.git.commit"] == f"{1:040x}"
    assert version.created_at.tzinfo is not None
    assert world.registry.version(world.model, "2").tags["license"] == "Apache-2.0"


def test_a_tag_is_written_to_the_version(world):
    """A tag set twice holds the last value."""
    name = world.another()
    world.registry.tag(name, "1", "slipway.production.verdict", "failed")
    world.registry.tag(name, "1", "slipway.production.verdict", "passed")

    assert world.registry.version(name, "1").tags == {"slipway.production.verdict": "passed"}


def test_evidence_carries_what_a_reviewer_asks(world):
    """Metrics with their data set, parameters, signature, code, versions, size, licence."""
    evidence = world.registry.evidence(world.model, "2")
    metrics = {metric.name: metric for metric in evidence.metrics}

    assert metrics["accuracy"].value == pytest.approx(0.92)
    assert metrics["accuracy"].dataset == "transactions"
    assert metrics["accuracy"].dataset_digest
    assert metrics["duration_s"].value == 12.0
    assert evidence.parameters == {"threshold": "1.5"}
    assert [(c.name, c.type, c.required) for c in evidence.signature.inputs] == [
        ("amount", "double", True),
        ("country", "string", False),
    ]
    assert evidence.signature.outputs[0].type == "tensor(int64, [-1])"
    assert [(d.name, d.context) for d in evidence.datasets] == [("transactions", "training")]
    assert (evidence.git_commit, evidence.git_branch) == (f"{2:040x}", "main")
    assert evidence.flavors == ("python_function",)
    assert evidence.python_version.startswith("3.")
    assert "mlflow" in evidence.libraries
    assert evidence.size_bytes > 0
    assert evidence.licence == "Apache-2.0"
    assert evidence.input_example is True
    assert evidence.trained_at is not None
    assert evidence.creator == "maria"
    assert evidence.tools == {"search": "1.5"}
    assert world.registry.evidence(world.model, "1").tools == {"search": "1.4"}
    assert "/runs/" in evidence.run_url
    assert evidence.url == world.registry.version_url(world.model, "2")
    assert evidence.unreadable == ()


def test_both_versions_were_measured_on_the_same_data(world):
    """Equal digests are how a comparison knows that two numbers may be compared."""
    digests = {
        metric.dataset_digest
        for version in ("1", "2")
        for metric in world.registry.evidence(world.model, version).metrics
        if metric.name == "accuracy"
    }

    assert len(digests) == 1


def test_missing_evidence_is_missing(world):
    """A version without run, metrics or files answers None and empty, never zero."""
    evidence = world.registry.evidence(world.another(), "1")

    assert evidence.metrics == ()
    assert evidence.size_bytes is None
    assert evidence.signature is None
    assert evidence.run_url is None
    assert evidence.input_example is None


@pytest.mark.parametrize("ask", ["version", "evidence"])
def test_what_does_not_exist_is_not_found(world, ask):
    """A version that is not there raises NotFound, which is a refusal."""
    with pytest.raises(NotFound):
        getattr(world.registry, ask)(world.model, "99")
    with pytest.raises(NotFound):
        getattr(world.registry, ask)("no-such-model", "1")


def test_an_alias_cannot_point_to_a_version_that_does_not_exist(world):
    """The registry refuses; nothing is written."""
    with pytest.raises(NotFound):
        world.registry.set_alias(world.model, "candidate", "99")

    assert world.registry.alias(world.model, "candidate") is None


@pytest.mark.parametrize("name", ["../../x", "a/b:c"])
def test_a_name_that_is_a_path_is_refused(world, name):
    """Hostile names reach no other address: the registry says no."""
    with pytest.raises(Refused):
        world.registry.version(name, "1")


def test_a_link_to_a_version_leads_nowhere_else(world):
    """Names are quoted in addresses."""
    url = world.registry.version_url("a b/../c?d#e", "1")

    assert url.endswith("/#/models/a%20b%2F..%2Fc%3Fd%23e/versions/1")


def test_a_prompt_is_told_like_a_model(world):
    """Aliases, versions and tags of MLflow's prompt registry behind the same words."""
    registry = world.registry

    assert registry.aliases()["greeting"]["champion"] == "1"
    assert registry.alias("greeting", "champion") == "1"
    assert registry.alias("greeting", "never-set") is None
    assert registry.latest_version("greeting") == "2"
    assert registry.version("greeting", "1").aliases == ("champion",)
    assert registry.version("greeting", "2").tags["team"] == "support"
    with pytest.raises(NotFound):
        registry.version("greeting", "99")


def test_the_text_of_a_prompt_is_its_evidence_and_its_variables_are_its_signature(world):
    """A chat prompt is told message by message."""
    first, second = (world.registry.evidence("greeting", version) for version in ("1", "2"))

    assert first.prompt == "Hello {{name}}.\nBe kind."
    assert second.prompt == "[system]\nBe kind.\n\n[user]\nI am {{name}}, {{age}}."
    assert [column.name for column in second.signature.inputs] == ["age", "name"]
    assert compare(second, first).signature.breaks == ("new input `age` is required",)


def test_a_prompt_is_written_like_a_model(world):
    """Its alias moves, its version is tagged; a version that does not exist is not found."""
    registry = world.registry
    registry.set_alias("greeting", "candidate", "2")
    registry.tag("greeting", "2", "slipway.production.verdict", "passed")

    assert registry.alias("greeting", "candidate") == "2"
    assert registry.aliases()["greeting"]["candidate"] == "2"
    assert registry.version("greeting", "2").source == "prompts:/greeting/2"
    assert registry.version("greeting", "2").tags["slipway.production.verdict"] == "passed"

    registry.delete_alias("greeting", "candidate")

    assert registry.alias("greeting", "candidate") is None
    with pytest.raises(NotFound):
        registry.set_alias("greeting", "candidate", "99")


def test_a_file_of_the_logged_model_is_handed_out_or_is_none(world):
    """The input example that MLflow wrote, and the answers that whoever trained it logged beside it."""
    example = json.loads(world.registry.artifact(world.model, "2", "serving_input_example.json"))
    logged = json.loads(world.registry.artifact(world.model, "2", "slipway/expected_output.json"))

    assert example["dataframe_split"]["columns"] == ["amount", "country"]
    assert parity.difference([0, 1], parity.predictions(logged), 0.0) is None
    assert world.registry.artifact(world.model, "1", "no/such.json") is None
