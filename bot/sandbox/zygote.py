"""Forks Python programs from a process that has the large libraries loaded already.

Loading MLflow, pandas and scikit-learn takes five seconds of a core, every time: a cluster has its
images pulled before a pod starts, this is the sandbox's way to the same. Talks in lines of JSON:

    in   {"start": NAME, "module": M, "arguments": [...], "environment": {...}, "log": PATH}
         {"stop": NAME}
    out  {"ready": true}
         {"exited": NAME, "code": N}

Children stay in the process group; when the input ends, they are ended.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
from typing import Any

PRELOADED = (
    "fastapi",
    "mlflow.pyfunc",
    "mlflow.sklearn",
    "pandas",
    "prometheus_client",
    "skops.io",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "uvicorn",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.lifespan.on",
)


def main() -> None:
    for module in PRELOADED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # keeps the shared pages shared
    _say({"ready": True})
    children: dict[int, str] = {}
    pending = b""
    while True:
        _reap(children)
        readable, _, _ = select.select([0], [], [], 0.1)
        if not readable:
            continue
        read = os.read(0, 65536)
        if not read:
            break
        *lines, pending = (pending + read).split(b"\n")
        for line in lines:
            _obey(json.loads(line), children)
    for pid in children:
        os.kill(pid, signal.SIGTERM)


def _obey(order: dict[str, Any], children: dict[int, str]) -> None:
    if "start" in order:
        pid = os.fork()
        if pid == 0:
            _become(order)
        children[pid] = order["start"]
        return
    for pid, name in children.items():
        if name == order["stop"]:
            os.kill(pid, signal.SIGTERM)


def _become(order: dict[str, Any]) -> None:
    """Run a module as `python -m` would; never returns."""
    code = 1
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for ours, standard in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(ours, standard)
        os.environ.update(order["environment"])
        sys.argv = [order["module"], *order["arguments"]]
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the child must not go on as a second zygote
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(children: dict[int, str]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _say({"exited": children.pop(pid), "code": os.waitstatus_to_exitcode(status)})


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
