"""`slipway.yaml`: what it means, and how its mistakes are told."""

import time
from typing import Any

import pytest

from bot.domain.config import Config, Model, WhenAlias, WhenTag, WhenVersion
from bot.domain.loading import load, load_partly
from bot.domain.mistake import MOST, ConfigError

GOOD = """\
version: 1
models:
  fraud-detector:
    when: {alias: candidate}
    image: {repository: registry.example.com/ml/fraud-detector, tag: "v{version}", pin: digest}
    environments:
      staging:
        targets: [{kustomize: models/fraud-detector/overlays/staging, image: fraud-detector}]
        argocd: fraud-detector-staging
        policy: staging
      production:
        after: staging
        targets: [{kustomize: models/fraud-detector/overlays/production, image: fraud-detector}]
        argocd: fraud-detector-production
        policy: production
        alias: champion
"""


def mistakes(text: str) -> list[tuple[int, int, str, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [(m.line, m.column, m.key, m.message, m.hint) for m in caught.value.mistakes]


def environment(entry: str, more: str = "") -> str:
    """A file with one model and one environment; the entry stands on line 6, column 9."""
    return (
        "models:\n  m:\n    environments:\n      staging:\n"
        f"        targets: [{{kustomize: a, image: b}}]\n        {entry}\n{more}"
    )


def test_the_sketch_of_the_design_is_a_configuration() -> None:
    """Everything that the file says stands in the types."""
    config = load(GOOD)

    model = config.models["fraud-detector"]
    assert model.when == WhenAlias(alias="candidate")
    assert model.image is not None
    assert model.image.pin == "digest"
    assert model.order == ("staging", "production")
    assert model.environments["production"].argocd == "fraud-detector-production"
    assert model.environments["production"].alias == "champion"


def test_what_is_left_out_has_a_sensible_value() -> None:
    """The smallest file promotes what is called a candidate under the baseline policy."""
    config = load("models: {m: {environments: {staging: {targets: [{kustomize: a, image: b}]}}}}")

    model = config.models["m"]
    assert model.when == WhenAlias(alias="candidate")
    assert model.environments["staging"].policy == "baseline"
    assert model.environments["staging"].slo is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{alias: candidate}", {"alias": "candidate"}),
        ("{version: created}", {"version": "created"}),
        ('{tag: {key: ready, value: "true"}}', {"tag": {"key": "ready", "value": "true"}}),
    ],
)
def test_a_candidate_comes_from_an_alias_a_version_or_a_tag(written: str, meant: dict[str, Any]) -> None:
    """`when` is one of three."""
    model = load(environment("policy: p", f"    when: {written}\n")).models["m"]

    kinds = {"alias": WhenAlias, "version": WhenVersion, "tag": WhenTag}
    assert kinds[next(iter(meant))].model_validate(meant) == model.when


def test_helpers_tell_where_a_version_goes_next() -> None:
    """Several environments may come after one, and the file's order need not be the promotion order."""
    model = Model.model_validate(
        {
            "environments": {
                "eu": {"after": "staging", "targets": [{"kustomize": "a", "image": "b"}]},
                "staging": {"targets": [{"kustomize": "c", "image": "b"}]},
                "us": {"after": "staging", "targets": [{"kustomize": "d", "image": "b"}]},
            }
        }
    )

    assert model.order == ("staging", "eu", "us")
    assert model.first == ("staging",)
    assert model.next_after("staging") == ("eu", "us")
    assert model.next_after("us") == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "key", "message", "hint"),
    [
        (environment("polcy: x"), 6, 9, "models.m.environments.staging.polcy", "unknown key `polcy`", "did you mean `policy`?"),
        (environment("policy:"), 6, 16, "models.m.environments.staging.policy", "this must be text, not nothing", "Policy that applies here"),
        (environment("policy: 1.0"), 6, 17, "models.m.environments.staging.policy", "this must be text, not `1.0`", "put it in quotes"),
        (environment("policy: ../x"), 6, 17, "models.m.environments.staging.policy", "`../x` has not the right form", "write it like `baseline` or `strict`"),
        (environment("argocd: Fraud"), 6, 17, "models.m.environments.staging.argocd", "`Fraud` has not the right form", "write it like"),
        (environment("alias: v12"), 6, 16, "models.m.environments.staging.alias", "MLflow reserves this alias", "choose another name"),
        (environment("alias: Latest"), 6, 16, "models.m.environments.staging.alias", "MLflow reserves this alias", "choose another name"),
        (environment("after: stagin"), 6, 16, "models.m.environments.staging.after", "there is no environment `stagin`", "leave `after` out"),
        (environment("after: staging"), 6, 16, "models.m.environments.staging.after", "these environments wait for each other: `staging` after `staging`", "leave `after` out"),
        (environment("alias: candidate"), 6, 16, "models.m.environments.staging.alias", "Slipway would move the alias `candidate` that makes a version a candidate", "name another alias"),
        ("version: 2\n" + environment("policy: p"), 1, 10, "version", "`2` is not known here", "write `1`"),
        ("version: [\n", 2, 1, "", "this is not YAML", ""),
        ("modles: {}\n", 1, 1, "modles", "unknown key `modles`", "did you mean `models`?"),
        (
            "version: 1\n",
            1,
            1,
            "",
            "`models` is missing, and so is `prompts`",
            "name what Slipway promotes, each under its name in the registry",
        ),
        ("models: {}\n", 1, 9, "models", "this is empty", "The models"),
        ("models: []\n", 1, 9, "models", "this must be a mapping, not a list", "The models"),
        ("- a\n", 1, 1, "", "this must be a mapping, not a list", ""),
        ("just words\n", 1, 1, "", "this must be a mapping, not `just words`", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(
    text: str, *, line: int, column: int, key: str, message: str, hint: str
) -> None:
    """Exactly one mistake for one slip."""
    ((actual_line, actual_column, actual_key, actual_message, actual_hint),) = mistakes(text)

    assert (line, column, key) == (actual_line, actual_column, actual_key)
    assert actual_message.startswith(message)
    assert actual_hint.startswith(hint)


@pytest.mark.parametrize(
    ("written", "key", "message", "hint"),
    [
        ("{alais: x}", "models.m.when.alais", "unknown key `alais`", "did you mean `alias`?"),
        ("{}", "models.m.when", "no key says what this is", "one of `alias`, `version`, `tag`"),
        ("{zzz: 1}", "models.m.when", "no key says what this is", "one of `alias`, `version`, `tag`"),
        ("{version: craeted}", "models.m.when.version", "`craeted` is not known here", "did you mean `created`?"),
        ("{tag: {key: a, value: true}}", "models.m.when.tag.value", "this must be text, not `true`", "put it in quotes"),
        ("{tag: {key: a}}", "models.m.when.tag", "`value` is missing", "Value that the tag must have"),
        ("{alias: a, polcy: b}", "models.m.when.polcy", "unknown key `polcy`", ""),
        ("candidate", "models.m.when", "this must be a mapping, not `candidate`", ""),
    ],
)  # fmt: skip
def test_of_a_choice_only_the_meant_one_is_told(written: str, key: str, message: str, hint: str) -> None:
    """Nobody reads the mistakes of the two kinds of `when` that were not meant."""
    ((_, _, actual_key, actual_message, actual_hint),) = mistakes(
        environment("policy: p", f"    when: {written}\n")
    )

    assert (key, message) == (actual_key, actual_message)
    assert actual_hint.startswith(hint)


@pytest.mark.parametrize(
    ("written", "key", "message"),
    [
        ("{kustomise: a, image: b}", ".kustomise", "unknown key `kustomise`"),
        ("{kserve: a.yaml, field: storagUri}", ".field", "`storagUri` is not known here"),
        ("{file: ../../x, container: b}", ".file", "a path stays inside the repository"),
        ("{helm: a.yaml}", "", "`path` is missing"),
        ("nope", "", "a target is a mapping"),
    ],
)
def test_a_wrong_target_is_told_as_the_kind_it_wants_to_be(written: str, key: str, message: str) -> None:
    """The keys that are there say which kind was meant, and a list whose only entry is wrong is not empty."""
    text = f"models: {{m: {{environments: {{staging: {{targets: [{written}]}}}}}}}}"

    ((_, _, actual_key, actual_message, _),) = mistakes(text)

    assert f"models.m.environments.staging.targets[0]{key}" == actual_key
    assert actual_message.startswith(message)


@pytest.mark.parametrize("name", ["../../x", "a/b:c", "a\\nb", "x" * 256])
def test_names_that_the_registry_refuses_are_refused_here(name: str) -> None:
    """A name never becomes a path, a reference or a line of its own."""
    ((_, _, _, message, hint),) = mistakes(
        f'models: {{"{name}": {{environments: {{staging: {{targets: [{{kustomize: a, image: b}}]}}}}}}}}'
    )

    assert "has not the right form" in message
    assert hint == "write it like `fraud-detector`"


@pytest.mark.parametrize("name", ["a/b", "-a", "a..", "ä", "x" * 64, " "])
def test_an_environment_has_a_plain_name(name: str) -> None:
    """It is part of branches and tags."""
    ((_, _, _, message, _),) = mistakes(
        f'models: {{m: {{environments: {{"{name}": {{targets: [{{kustomize: a, image: b}}]}}}}}}}}'
    )

    assert "has not the right form" in message


def test_two_environments_never_move_the_same_alias() -> None:
    """The alias could not say which of them runs its version."""
    text = GOOD.replace("policy: staging", "policy: staging\n        alias: champion")

    assert [message for _, _, _, message, _ in mistakes(text)] == [
        "the environment `staging` moves the alias `champion` too"
    ]


def test_every_mistake_is_told_at_once_in_the_order_of_the_file() -> None:
    """A wrong model hides neither the others' mistakes nor its own further ones."""
    text = """\
version: 3
models:
  a:
    environments:
      staging: {targets: [{kustomize: a, image: 1}], polcy: x, after: nowhere}
      staging: {}
  b:
    when: {alias: champion}
    environments:
      staging: {targets: [{kustomize: a, image: b}], alias: champion}
"""

    assert [(line, key.rpartition(".")[2], message) for line, _, key, message, _ in mistakes(text)] == [
        (1, "version", "`3` is not known here"),
        (5, "image", "this must be text, not `1`"),
        (5, "polcy", "unknown key `polcy`"),
        (5, "after", "there is no environment `nowhere`"),
        (6, "", "the key `staging` stands here twice"),
        (10, "alias", "Slipway would move the alias `champion` that makes a version a candidate"),
    ]


def test_the_models_that_are_right_are_read_beside_the_wrong_ones() -> None:
    """The checks that need other files go on with them."""
    reading = load_partly(GOOD + "  broken: {}\n")

    assert isinstance(reading.config, Config)
    assert set(reading.config.models) == {"fraud-detector"}
    assert [mistake.key for mistake in reading.mistakes] == ["models.broken"]


def test_an_error_prints_where_and_what() -> None:
    """A log line or a traceback is enough to act on."""
    with pytest.raises(ConfigError, match=r"slipway\.yaml:1:1: unknown key `modles`"):
        load("modles: {}")


@pytest.mark.parametrize(
    "text",
    [
        "models: {m: {" + ", ".join(f"k{i}: 1" for i in range(5000)) + "}}",
        "models: {m: {environments: {" + ", ".join(f"e{i}: {{after: x}}" for i in range(5000)) + "}}}",
        "models: {m: {environments: {e: {targets: [" + ", ".join(["{kustomise: 1}"] * 5000) + "]}}}}",
        "models: {" + ", ".join(["m: {}"] * 5000) + "}",
    ],
)
def test_thousands_of_mistakes_are_not_all_told(text: str) -> None:
    """Telling them would take minutes, in a file that anybody can propose; nobody would read them."""
    begun = time.monotonic()

    told = mistakes(text)

    assert 0 < len(told) <= 2 * MOST + 1
    assert time.monotonic() - begun < 10


def test_what_is_very_long_is_quoted_in_part() -> None:
    """A mistake stays readable, whatever it quotes."""
    name = "x" * 400

    for _, _, key, message, hint in mistakes(f"models: {{{name}: {{when: {name}, {name}: 1}}}}"):
        assert max(len(key), len(message), len(hint)) < 400


PROMPT = """\
prompts:
  greeting:
    environments:
      production: {targets: [{file: prompt.yaml, pointer: /prompt}], alias: champion}
"""


def test_a_prompt_has_the_keys_of_a_model_and_an_address_of_its_own() -> None:
    """A repository may hold nothing but prompts."""
    config = load(PROMPT)

    assert config.prompts["greeting"].when == WhenAlias(alias="candidate")
    assert config.prompts["greeting"].storage == "prompts:/{model}/{version}"
    assert list(config.promoted) == ["greeting"]
    assert list(load(PROMPT + GOOD).promoted) == ["fraud-detector", "greeting"]


def test_a_name_is_a_model_or_a_prompt() -> None:
    """MLflow has one set of names for both."""
    told = mistakes(PROMPT + GOOD.replace("fraud-detector:", "greeting:", 1))

    assert told == [
        (
            2,
            3,
            "prompts.greeting",
            "`greeting` is among the models too",
            "a name is a model's or a prompt's, never both",
        )
    ]


@pytest.mark.parametrize(
    ("wrong", "right", "key", "message", "hint"),
    [
        ("prompts:", "promts:", "promts", "unknown key `promts`", "did you mean `prompts`?"),
        (
            "alias: champion",
            "alais: champion",
            "prompts.greeting.environments.production.alais",
            "unknown key `alais`",
            "did you mean `alias`?",
        ),
        (
            "alias: champion",
            "after: stagging",
            "prompts.greeting.environments.production.after",
            "there is no environment `stagging`",
            "leave `after` out of the first environment",
        ),
    ],
)
def test_a_mistake_in_a_prompt_is_told_like_one_in_a_model(
    wrong: str, right: str, key: str, message: str, hint: str
) -> None:
    """With its place and what would be right."""
    assert [told[2:] for told in mistakes(PROMPT.replace(wrong, right))] == [(key, message, hint)]


def test_a_wrong_prompt_leaves_the_models_as_they_are() -> None:
    """One mistake does not hide what else there is."""
    reading = load_partly(GOOD + PROMPT.replace("alias: champion", "alais: champion"))

    assert reading.config is not None
    assert list(reading.config.promoted) == ["fraud-detector"]
