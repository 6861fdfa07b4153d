"""What has no place in a layer is refused, with the name of what it was."""

import os
import socket

import pytest

from bot.adapters.oci.layer import write_layer
from bot.ports import Refused


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("x")
    return folder


def pack(model):
    return write_layer(model, "/opt/ml/model", model.parent / "layer.tar.gz")


@pytest.mark.parametrize("target", ["/etc/passwd", "MLmodel", "../..", "missing"])
def test_links_are_refused(model, target):
    """Wherever it points: the layer would carry what was not the model's, or point out of the image."""
    (model / "link").symlink_to(target)
    with pytest.raises(Refused, match="'link' is a link"):
        pack(model)


def test_devices_and_pipes_are_refused(model):
    """A pipe would never end."""
    os.mkfifo(model / "pipe")
    with pytest.raises(Refused, match="'pipe' is neither a file nor a folder"):
        pack(model)

    (model / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(model / "s"))
        with pytest.raises(Refused, match="neither"):
            pack(model)


@pytest.mark.parametrize("name", [".wh.MLmodel", ".wh..wh..opq"])
def test_names_that_delete_are_refused(model, name):
    """In a layer these mean that something of the base is gone."""
    (model / name).write_text("")
    with pytest.raises(Refused, match="would delete files of the base image"):
        pack(model)


def test_names_that_are_no_text_are_refused(model):
    """Tar would take them, and nobody could tell what they are."""
    (model / os.fsdecode(b"\xff\xfe")).write_text("")
    with pytest.raises(Refused, match="not UTF-8"):
        pack(model)


def test_two_folders_that_differ_differ(model):
    """One byte of one file changes the digest, and so does one name."""
    first = pack(model).digest
    (model / "MLmodel").write_text("y")
    second = pack(model).digest
    (model / "MLmodel").rename(model / "MLmodel2")

    assert len({first, second, pack(model).digest}) == 3
