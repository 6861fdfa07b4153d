"""Shares of the traffic in real manifests: one whole number changes, and nothing else."""

from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from bot.domain.target import Selector
from bot.manifests import BadReference, BumpError, Target, bump_bytes, find_bytes, weight_of, weight_place

ADAPTER: TypeAdapter[Selector] = TypeAdapter(Selector)
ROLLOUT = b"""\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: fraud}
spec:
  strategy:
    canary:
      steps:
      - setWeight: 100   # Slipway's
      - pause: {duration: 0}
"""
ROUTE = b"""\
kind: VirtualService
spec:
  http:
  - route:
    - {destination: {host: fraud, subset: stable}, weight: 90}
    - {destination: {host: fraud, subset: canary}, weight: "10"}
"""


def place(**keys: Any) -> Selector:
    return weight_place(ADAPTER.validate_python(keys))


def written(data: bytes, selector: Selector, weight: int) -> bytes:
    return bump_bytes(data, Target(selector, weight_of(selector, weight), number=True)).data


@pytest.mark.parametrize(
    ("repository", "kind", "selector"),
    [
        (
            "kserve__kserve",
            "InferenceService",
            {"kserve": "m", "field": "canaryTrafficPercent", "insert": True},
        ),
        (
            "argoproj__argo-rollouts",
            "Rollout",
            {"file": "m", "pointer": "/spec/strategy/canary/steps/0/setWeight"},
        ),
    ],
)
def test_real_manifests_change_by_one_number(shared_data, repository, kind, selector):
    """Every real KServe service and every real Rollout that begins with a weight, and back again."""
    weight, tried = place(**selector), 0
    for file in sorted((shared_data / "manifests" / repository).glob("*.yaml")):
        data = file.read_bytes()
        try:
            before = find_bytes(data, Target(weight, "0", number=True)).pin
            changed = written(data, weight, 37)
            list(yaml.safe_load_all(data))
        except (BumpError, yaml.YAMLError):
            continue
        old, new = (list(yaml.safe_load_all(each)) for each in (data, changed))
        pin = "" if before is None else str(before)
        restored = bump_bytes(changed, Target(weight, pin, expect="37", number=True)).data
        assert old != new
        assert "37" in str(new)
        assert "'37'" not in str(new)
        assert list(yaml.safe_load_all(restored)) == old
        tried += 1

    assert tried > 2


def test_a_rollout_rests_at_every_share_but_the_last():
    """`{pause}` is years until the candidate has all of the traffic, and then 0."""
    pause = place(file="r.yaml", pointer="/spec/strategy/canary/steps/1/pause/duration", value="{pause}")

    assert b"pause: {duration: 315360000}" in written(ROLLOUT, pause, 10)
    assert written(ROLLOUT, pause, 100) == ROLLOUT


def test_two_backends_share_what_there_is():
    """`{rest}` is the baseline's, and a number in quotes becomes a number."""
    rest = place(file="r.yaml", pointer="/spec/http/0/route/0/weight", value="{rest}")
    weight = place(file="r.yaml", pointer="/spec/http/0/route/1/weight")
    both = written(written(ROUTE, rest, 25), weight, 25)

    routes = yaml.safe_load(both)["spec"]["http"][0]["route"]
    assert [route["weight"] for route in routes] == [75, 25]


@pytest.mark.parametrize("value", ["{version}", "canary-{weight}", "{rest}%"])
def test_a_share_is_a_whole_number(value):
    """Whatever else a value gives is refused with a sentence."""
    with pytest.raises(BadReference, match=r"whole number|not known"):
        weight_of(place(file="r.yaml", pointer="/a", value=value), 10)


def test_an_image_in_parts_is_no_share():
    """A target of another kind is refused before anything is written."""
    data = b"images:\n- {name: fraud, newTag: v1}\n"
    selector = place(kustomize="kustomization.yaml", image="fraud")

    with pytest.raises(BumpError, match="whole number belongs here"):
        written(data, selector, 10)
