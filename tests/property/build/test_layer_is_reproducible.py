"""The same files always give the same layer, whatever else is true of the folder."""

import gzip
import io
import os
import tarfile
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.oci.layer import write_layer

NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=40
).filter(lambda name: name not in (".", "..") and not name.startswith(".wh.") and len(name.encode()) <= 200)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.binary(max_size=2000), min_size=1, max_size=8
).filter(lambda files: not any(one != other and other[: len(one)] == one for one in files for other in files))


def lay(root: Path, files, order, times) -> Path:
    folder = root / "model"
    folder.mkdir()
    for path, when in zip(order, times, strict=True):
        place = folder.joinpath(*path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(files[path])
        place.chmod(0o600 if when % 2 else 0o755)
        os.utime(place, (when, when))
        if os.geteuid() == 0:
            os.chown(place, when % 1000, when % 500)
    return folder


@settings(max_examples=60, deadline=None)
@given(data=st.data(), files=FILES)
def test_the_same_files_give_the_same_digest(data, files):
    """Any order of writing, any dates, modes and owners: same digest, same diff_id, and the files come out."""
    found = []
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for root in (one, other):
            order = data.draw(st.permutations(sorted(files)))
            times = data.draw(
                st.lists(st.integers(0, 2_000_000_000), min_size=len(files), max_size=len(files))
            )
            folder = lay(Path(root), files, order, times)
            layer = write_layer(folder, "/opt/ml/model", Path(root) / "layer.tar.gz")
            found.append((layer.digest, layer.diff_id, layer.size))
        unpacked = gzip.decompress((Path(one) / "layer.tar.gz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
        inside = {each.name: tar.extractfile(each).read() for each in tar if each.isfile()}

    assert found[0] == found[1]
    assert inside == {"/".join(("opt/ml/model", *path)): content for path, content in files.items()}
