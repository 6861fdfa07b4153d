"""The child process: `python -I -m bot.adapters.cel.child LIMIT_MS EXTRA_MB`.

Reads requests (4 bytes of length, then a pickled `(expressions, facts)`) from its parent, writes one
JSON line when it is ready and one for each answer. The kernel ends it when one expression has used up
its processor time (SIGPROF) or when it asks for more memory than it had at the start plus EXTRA_MB.
"""

import json
import pickle
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from bot.domain import expression

_STATM = Path("/proc/self/statm")
"""How much memory this process has, in pages."""


def main() -> None:
    limit, extra = int(sys.argv[1]) / 1000, int(sys.argv[2]) * 1_000_000
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    expression.evaluate(["true"], {})  # everything is loaded before the memory is limited
    _limit_memory(extra)
    _write(answers, "ready")
    while header := requests.read(4):
        (length,) = struct.unpack(">I", header)
        # Written by our own parent: nobody else holds the other end of this pipe.
        expressions, facts = pickle.loads(requests.read(length))  # noqa: S301
        context = expression.Context.of(facts)
        _write(answers, "started")
        for text in expressions:
            signal.setitimer(signal.ITIMER_PROF, limit)
            answer = context.evaluate(text)
            signal.setitimer(signal.ITIMER_PROF, 0)
            _write(answers, [answer.holds, answer.error])


def _limit_memory(extra: int) -> None:
    if not _STATM.exists():  # not Linux: the time is limited all the same
        return
    pages = int(_STATM.read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write(answers: BinaryIO, value: object) -> None:
    answers.write(json.dumps(value).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
