"""Any bytes in any file give mistakes or none, and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.manifests.check import check

SLIPWAY = b"""\
models:
  m:
    image: {tag: "v{version}"}
    environments:
      staging:
        targets:
        - {kustomize: k, image: m}
        - {helm: k/kustomization.yaml, path: image}
        - {file: k/kustomization.yaml, container: m}
        - {file: k/kustomization.yaml, pointer: /images/0/newTag, value: "{version}"}
"""
WORDS = [b"images:\n", b"- name: m\n", b"  newTag: v1\n", b"image:\n", b"  tag: v1\n", b"image: m:v1\n", b"kind: Deployment\n", b"&a ", b"*a", b"{{x}}", b"\r\n", b"\xff", b"\xef\xbb\xbf", b"---\n", b"  tag: |\n    x\n", b"\t"]  # fmt: skip
BYTES = st.binary(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=12).map(b"".join)


@given(BYTES, st.none() | BYTES)
@settings(deadline=None)
def test_whatever_stands_in_a_manifest_check_always_answers(manifest: bytes, slipway: bytes | None) -> None:
    """Each mistake has a file, a place and a sentence."""
    files = {"slipway.yaml": SLIPWAY if slipway is None else slipway, "k/kustomization.yaml": manifest}

    for mistake in check(files.get, {}, {"policies/baseline.yaml": "name: baseline"}):
        assert mistake.file == "slipway.yaml"
        assert mistake.message
        assert min(mistake.line, mistake.column) >= 1


@given(st.text(max_size=80))
def test_whatever_stands_in_a_policy_check_always_answers(policy: str) -> None:
    """Its mistakes stand in its own file."""
    files = {
        "slipway.yaml": b"models: {m: {environments: {e: {targets: [{kserve: a.yaml}]}}}}",
        "a.yaml": b"spec: {predictor: {model: {storageUri: x}}}",
    }

    for mistake in check(
        files.get, {"policies/own.yaml": policy}, {"policies/baseline.yaml": "name: baseline"}
    ):
        assert mistake.file in {"slipway.yaml", "policies/own.yaml"}
