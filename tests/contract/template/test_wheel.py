"""What `slipway init` copies is in the wheel, hidden files included, and nothing that a run left behind."""

import subprocess
import sys
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parents[3]
INSIDE = "bot/_data/gitops-repo-template/"


def test_the_wheel_holds_the_template_as_it_is_in_git(tmp_path):
    """The same files as in the repository, byte for byte."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    listed = ["git", "ls-files", "-z", "gitops-repo-template"]
    done = subprocess.run(listed, cwd=PROJECT, check=True, capture_output=True, text=True)
    tracked = {name for name in done.stdout.split("\0") if name and (PROJECT / name).is_file()}

    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith(INSIDE)}
        assert {name.removeprefix("bot/_data/") for name in packed} == tracked
        for name in packed:
            assert archive.read(name) == (PROJECT / name.removeprefix("bot/_data/")).read_bytes(), name
