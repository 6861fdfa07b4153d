"""Ends the sandbox's processes when the sandbox itself is gone, however it went.

A process of its own that reads its standard input: `+ID` remembers a process group, `-ID` forgets it,
`=FOLDER` names a folder in which a PostgreSQL may be running as a daemon. When the input ends, which it
does even after SIGKILL, everything remembered is asked to end, and made to a little later.
"""

import os
import signal
import sys
import time
from pathlib import Path

GRACE_SECONDS = 5.0
BIRTH_SECONDS = 5.0


def main() -> None:
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.SIG_IGN)
    groups: set[int] = set()
    folders: set[Path] = set()
    for line in sys.stdin:
        kind, value = line[0], line[1:].strip()
        if kind == "+":
            groups.add(int(value))
        elif kind == "-":
            groups.discard(int(value))
        elif kind == "=":
            folders.add(Path(value))
    end({-group for group in groups} | daemons(folders))
    # Whoever was ended may have started a daemon a moment before, which had not yet said so.
    deadline = time.monotonic() + (BIRTH_SECONDS if groups else 0.0)
    while time.monotonic() < deadline:
        time.sleep(0.05)
        end(daemons(folders))


def daemons(folders: set[Path]) -> set[int]:
    """The processes of the PostgreSQLs in these folders."""
    files = [file for folder in folders for file in folder.rglob("postmaster.pid")]
    return {pid for file in files if (pid := _process_in(file))}


def end(targets: set[int]) -> None:
    """SIGTERM, and SIGKILL to what is still there `GRACE_SECONDS` later; a negative number is a group."""
    deadline = time.monotonic() + GRACE_SECONDS
    targets = {target for target in targets if _signal(target, signal.SIGTERM)}
    while targets and time.monotonic() < deadline:
        time.sleep(0.05)
        targets = {target for target in targets if _signal(target, 0)}
    for target in targets:
        _signal(target, signal.SIGKILL)


def _signal(target: int, number: int) -> bool:
    """Whether there was somebody to signal."""
    try:
        os.kill(target, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _process_in(file: Path) -> int | None:
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    main()
