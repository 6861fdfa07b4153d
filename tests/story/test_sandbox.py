"""The whole story, as `slipway sandbox --once` plays it."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SLIPWAY = Path(sys.executable).with_name("slipway")
ABSENT = {"prometheus", "promtool", "kubectl"}


@pytest.fixture
def bare_path(tmp_path) -> str:
    """A PATH with every program of this machine but those that the sandbox can do without."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in [str(SLIPWAY.parent), *os.environ["PATH"].split(os.pathsep)]:
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            link = folder / program.name
            if program.name not in ABSENT and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


def sandbox(directory: Path, path: str, *options: str) -> subprocess.Popen:
    command = [str(SLIPWAY), "sandbox", "--directory", str(directory), *options]
    return subprocess.Popen(
        command,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_in(directory: Path) -> list[str]:
    """The command lines of processes that work in this folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in words and "sandbox --directory" not in words:
            found.append(words)
    return found


@pytest.mark.timeout(900)
def test_the_story_is_observed_without_any_real_program_on_path(folder, bare_path):
    """Without Prometheus and kubectl the whole story plays all the same, every step observed outside,
    and nothing is left running.
    """
    directory, report = folder / "world", folder / "report.json"

    played = sandbox(directory, bare_path, "--once", "--report", str(report))
    told, _ = played.communicate()

    written = json.loads(report.read_text())
    assert played.returncode == 0, told
    assert written["ok"] is True
    assert [step["name"] for step in written["steps"] if not step["ok"]] == []
    assert written["versions"]["metrics"].startswith("embedded store")
    assert written["versions"]["rendering"] == "the sandbox's own kustomization reader"
    assert processes_in(directory) == []


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_ended_sandbox_leaves_nothing_running(folder, how):
    """However the sandbox ends while it starts, its processes end too, the daemons among them."""
    directory = folder / "world"
    started = sandbox(directory, os.environ["PATH"], "--once")
    pid_file = directory / "slipway" / "postgres" / "postmaster.pid"
    deadline = time.monotonic() + 180
    while not pid_file.exists():
        assert started.poll() is None, started.stdout.read()
        assert time.monotonic() < deadline, "PostgreSQL did not start"
        time.sleep(0.1)
    assert processes_in(directory)

    started.send_signal(how)
    started.wait(120)
    started.stdout.close()

    deadline = time.monotonic() + 60
    while left := processes_in(directory):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    shutil.rmtree(directory)


def test_one_folder_has_one_sandbox(tmp_path):
    """A second sandbox in the same folder is refused with a sentence that says what to do."""
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        refused = sandbox(tmp_path, os.environ["PATH"], "--once")
        told, _ = refused.communicate(timeout=150)

    assert refused.returncode == 1
    assert "choose another --directory" in told
