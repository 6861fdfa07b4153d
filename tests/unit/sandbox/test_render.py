"""The small kustomization reader, measured by the real one."""

import subprocess

import pytest
import yaml

from bot.adapters import shipped
from bot.sandbox import repository
from bot.sandbox.render import RenderError, read_kustomization, render_with_kubectl

TEMPLATE = shipped.folder("gitops-repo-template")
OVERLAYS = sorted((TEMPLATE / "models" / repository.MODEL).glob("overlays/*"))


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def by_identity(documents):
    return {(one["kind"], one["metadata"]["name"]): _sorted(one) for one in documents}


def _sorted(value):
    """Lists of named things in the order of their names: order is no meaning of theirs here."""
    if isinstance(value, dict):
        return {key: _sorted(one) for key, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, dict) and "name" in one for one in value):
        return sorted((_sorted(one) for one in value), key=lambda one: one["name"])
    return value


@pytest.mark.real("kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_the_small_reader_renders_what_kubectl_renders(overlay):
    """For every overlay of the model that the sandbox runs both give the same documents."""
    assert by_identity(read_kustomization(overlay)) == by_identity(render_with_kubectl(overlay))


@pytest.mark.real("kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_the_pin_changes_nothing_else(overlay, tmp_path):
    """Pinning another version changes one value of what is rendered."""
    copied = tmp_path / "models"
    subprocess.run(["cp", "-r", TEMPLATE / "models", copied], check=True)
    there = copied / overlay.relative_to(TEMPLATE / "models")
    before = yaml.safe_dump_all(render_with_kubectl(there)).splitlines()
    pin = there / "model.yaml"
    pin.write_text(pin.read_text().replace("models:/fraud-detector/1", "models:/fraud-detector/2"))

    after = yaml.safe_dump_all(render_with_kubectl(there)).splitlines()

    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [tuple(line.strip() for line in pair) for pair in changed] == [
        ("value: models:/fraud-detector/1", "value: models:/fraud-detector/2")
    ]


def test_an_unknown_key_is_refused(tmp_path):
    """A key that the small reader does not know is refused by name, not ignored."""
    write(tmp_path, kustomization="resources: []\nimages: [{name: a, newTag: b}]\n")

    with pytest.raises(RenderError, match="images: install kubectl"):
        read_kustomization(tmp_path)


@pytest.mark.parametrize(
    "kustomization",
    ["resources: [absent.yaml]\n", "a: [\n", "patches: [{path: patch.yaml}]\n", "resources: 7\n"],
)
def test_what_does_not_render_says_why(tmp_path, kustomization):
    """A missing file, wrong YAML and a patch without its document are errors of rendering."""
    patch = "kind: Deployment\nmetadata: {name: absent}\n"
    write(tmp_path, kustomization=kustomization, patch=patch)

    with pytest.raises(RenderError):
        read_kustomization(tmp_path)


@pytest.mark.real("kubectl")
def test_kubectl_s_reason_is_told(tmp_path):
    """What kubectl says of a folder that does not render is in the error."""
    write(tmp_path, kustomization="resources: [absent.yaml]\n")

    with pytest.raises(RenderError, match="absent"):
        render_with_kubectl(tmp_path)
