"""Programs are never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.sandbox.processes import Processes, SandboxError, tail, wait_until

SLEEPER = [sys.executable, "-S", "-c", "import time; print('up', flush=True); time.sleep(600)"]
PARENT = """
import subprocess, sys, time
from pathlib import Path
from bot.sandbox.processes import Processes
processes = Processes(Path(sys.argv[1]))
program = processes.start("sleeper", [sys.executable, "-S", "-c", "import time; time.sleep(600)"])
print(program.process.pid, flush=True)
time.sleep(600)
"""

DAEMON = """
import os, sys, time
from pathlib import Path
if os.fork() == 0:
    os.setsid()
    print(os.getpid(), flush=True)
    time.sleep(0.3)
    (Path(sys.argv[1]) / "postmaster.pid").write_text(f"{os.getpid()}\\n")
time.sleep(600)
"""
PARENT_OF_DAEMON = f"""
import sys, time
from pathlib import Path
from bot.sandbox.processes import Processes
folder = Path(sys.argv[1])
processes = Processes(folder)
processes.watch_over(folder)
program = processes.start("database", [sys.executable, "-S", "-c", {DAEMON!r}, folder])
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    """Neither gone nor only waiting to be collected by whoever adopted it."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_killed_sandbox_leaves_nothing(tmp_path):
    """After SIGKILL to the sandbox its programs end too."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    assert is_alive(child)

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    wait_until(lambda: not is_alive(child), 60, "the end of the orphan")


def test_a_daemon_that_is_being_born_is_ended_too(tmp_path):
    """The sandbox is killed before the daemon's file says that there is one."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT_OF_DAEMON, str(tmp_path)])
    wait_until(lambda: tail(tmp_path / "database.log").strip().isdigit(), 60, "the daemon")
    parent.kill()
    parent.wait()
    daemon = int(tail(tmp_path / "database.log"))

    wait_until(lambda: not is_alive(daemon), 60, "the end of the daemon")


def test_stop_ends_a_program_and_what_it_started(tmp_path):
    """Stopping a program ends its whole group, children included."""
    nested = f"import subprocess, sys; subprocess.Popen({SLEEPER!r}); print('x', flush=True); import time; time.sleep(600)"
    with Processes(tmp_path) as processes:
        program = processes.start("nested", [sys.executable, "-S", "-c", nested])
        wait_until(lambda: "up" in program.tail(), 60, "the nested program")
        group = program.process.pid

        processes.stop(program)

        assert not program.running
        wait_until(lambda: not _group_exists(group), 60, "the end of the group")


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_stubborn_program_is_killed(tmp_path):
    """A program that ignores SIGTERM is ended all the same, after its grace."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    with Processes(tmp_path) as processes:
        program = processes.start("stubborn", [sys.executable, "-S", "-c", code])
        wait_until(lambda: "up" in program.tail(), 60, "the stubborn program")
        started = time.monotonic()

        processes.stop(program, grace=0.2)

        assert time.monotonic() - started < 9  # the grace that it was not given is 10
        assert program.process.returncode == -signal.SIGKILL


def test_a_dead_program_is_noticed(tmp_path):
    """A program that ends by itself is found, with its last words."""
    with Processes(tmp_path) as processes:
        program = processes.start("short", [sys.executable, "-S", "-c", "print('my last words')"])
        program.process.wait()

        assert processes.died() is program
        assert program.tail() == "my last words"


def test_waiting_ends_with_the_log(tmp_path):
    """What took too long is told with the end of its log."""
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))

    with pytest.raises(SandboxError, match=r"the start took more than 0 s\n(.*\n)*line 99"):
        wait_until(lambda: False, 0.05, "the start", log=log)
    assert tail(tmp_path / "absent.log") == "(no log)"
