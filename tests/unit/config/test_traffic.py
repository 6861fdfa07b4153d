"""`traffic:` of an environment: what is right, and every mistake with its line."""

import pytest

from bot.domain.loading import load, load_partly
from bot.manifests.check import check, concerns

SLIPWAY = """\
version: 1
models:
  fraud:
    storage: "models:/{model}/{version}"
    environments:
      production:
        targets: [{kserve: service.yaml}]
        traffic:
          steps: [10, 50, 100]
          weights: [{kserve: service.yaml, field: canaryTrafficPercent, insert: true}]
        slo:
          preset: kserve
          selector: 'version="{version}"'
          baseline: 'version="{baseline}"'
          errors: {objective: 99%}
"""
SERVICE = b"""\
kind: InferenceService
spec:
  predictor:
    model: {storageUri: models:/fraud/1}
    minReplicas: 1
"""
SHIPPED = {"policies/baseline.yaml": "name: baseline\n"}


def found(text: str, service: bytes = SERVICE):
    files = {"slipway.yaml": text.encode(), "service.yaml": service}
    return check(files.get, {}, SHIPPED)


def test_steps_and_their_place_are_a_configuration():
    """And `slipway check` has nothing to say."""
    (place,) = load(SLIPWAY).models["fraud"].environments.values()

    assert place.traffic is not None
    assert place.traffic.steps == (10, 50, 100)
    assert (len(place.pins), place.first_weight) == (2, 1)
    assert found(SLIPWAY) == ()
    assert concerns("service.yaml", load(SLIPWAY))


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        ("steps: [50, 10, 100]", 9, "steps rise from one to the next and end with 100"),
        ("steps: [10, 50]", 9, "steps rise from one to the next and end with 100"),
        ("steps: [10, 10, 100]", 9, "steps rise"),
        ("steps: []", 9, ""),
        ("steps: [0, 100]", 9, ""),
        ("steps: [10%, 100]", 9, "whole number"),
        ("steps: [10, 120]", 9, ""),
        ("step: [10, 100]", 9, "unknown key `step`"),
    ],
)
def test_wrong_steps_are_told_with_their_line(wrong, line, said):
    """Every mistake says where it is."""
    mistakes = load_partly(SLIPWAY.replace("steps: [10, 50, 100]", wrong)).mistakes

    assert any(mistake.line in (line, line - 1) and said in mistake.message for mistake in mistakes)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("          baseline: 'version=\"{baseline}\"'\n", "nothing says which series are the baseline's"),
        (SLIPWAY[SLIPWAY.index("        slo:") :], "nothing judges the steps of `traffic`"),
    ],
)
def test_steps_need_something_that_judges_them(part, said):
    """Side by side means both sides are named."""
    (mistake,) = load_partly(SLIPWAY.replace(part, "")).mistakes

    assert said in mistake.message
    assert mistake.line in (6, 7)
    assert mistake.hint


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("{kserve: service.yaml, field: canaryTrafficPercent}", "canaryTrafficPercent"),
        ("{file: service.yaml, pointer: /spec/predictor/model}", ""),
        ("{file: absent.yaml, pointer: /a}", "there is no file `absent.yaml`"),
        ('{file: service.yaml, pointer: /spec/predictor/minReplicas, value: "{version}"}', "is not known"),
        ("{kserve: service.yaml}", "also that of"),
        ("{kustomize: k, image: i}", "there is no file"),
    ],
)
def test_a_place_that_holds_no_share_is_told(weights, said):
    """`slipway check` writes each share once, on a copy."""
    wrong = SLIPWAY.replace("{kserve: service.yaml, field: canaryTrafficPercent, insert: true}", weights)
    mistakes = found(wrong)

    assert mistakes
    assert all(mistake.line == 10 and said in mistake.message for mistake in mistakes)
