"""How long a model takes to become an image without an engine: `make bench-build` (SIZE=50, in MB).

A base of 100 MB for two platforms and the image stand in one registry, Debian's docker-registry on
loopback. The model is random bytes, which no compression helps: the worst case. Told apart are the
first build, one that a dead worker left (everything but the tag is there), and where the time goes. On a
machine with other work the processor time says more than the clock.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bot.adapters.oci import LayerBuilder, OciRegistry
from bot.adapters.oci.layer import write_layer
from bot.domain.build import Build, BuildOrder
from tests.fakes.base_image import OCI, Pushing

ROUNDS = 5
BASE_MB = 100
MEGA = 1_000_000


@contextmanager
def registry() -> Iterator[str]:
    """Its host and port, while it runs."""
    program = shutil.which("docker-registry")
    if program is None:
        raise SystemExit("docker-registry is not on PATH")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        config = Path(folder) / "config.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{host}'}}\n"
        )
        process = subprocess.Popen(
            [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(host)
            yield host
        finally:
            process.terminate()
            process.wait()


def _wait(host: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://{host}/v2/", timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("docker-registry did not start")


def measured(work: Callable[[int], object]) -> str:
    """Best, median and worst of some rounds, and the median of our own processor time, in seconds."""
    taken, own = [], []
    for number in range(ROUNDS):
        begun, busy = time.perf_counter(), time.process_time()
        work(number)
        taken.append(time.perf_counter() - begun)
        own.append(time.process_time() - busy)
    figures = (min(taken), statistics.median(taken), max(taken), statistics.median(own))
    return " ".join(f"{figure:6.2f}" for figure in figures)


def order(host: str, repository: str, tag: str) -> BuildOrder:
    """An order for the model on the base."""
    return BuildOrder(
        image=f"{host}/{repository}:{tag}",
        model="fraud",
        version="2",
        source="models:/m-0123",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        build=Build(base=f"{host}/ml/serving:1"),
    )


def fresh(folder: Path) -> Path:
    """The working folder without what an earlier build left."""
    (folder / "layer.tar.gz").unlink(missing_ok=True)
    return folder


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--megabytes", type=int, default=50)
    megabytes = arguments.parse_args().megabytes
    with registry() as host, tempfile.TemporaryDirectory() as working:
        folder = Path(working)
        (folder / "model" / "data").mkdir(parents=True)
        (folder / "model" / "MLmodel").write_text("flavors: {}\n")
        (folder / "model" / "data" / "model.bin").write_bytes(os.urandom(megabytes * MEGA))
        with httpx.Client(base_url=f"http://{host}", timeout=60) as client:
            Pushing(client, "ml/serving").index(["linux/amd64", "linux/arm64"], OCI, "1", size=BASE_MB * MEGA)
        adapter = OciRegistry()
        builder = LayerBuilder(adapter)

        def first(number: int) -> None:
            wanted = order(host, f"ml/model-{number}", "v2")
            builder.build(wanted, fresh(folder), lambda _: None)
            assert adapter.digest(wanted.image)

        def again(number: int) -> None:
            builder.build(order(host, "ml/model-0", f"again-{number}"), fresh(folder), lambda _: None)

        def pack(_: int) -> None:
            write_layer(fresh(folder) / "model", "/opt/ml/model", folder / "layer.tar.gz")

        print(f"a model of {megabytes} MB on a base of two platforms, {ROUNDS} rounds, in seconds")
        print("                                    best median  worst    cpu")
        print("layer packed                     ", measured(pack))
        print("image built, blobs sent, tagged  ", measured(first))
        print("the same, blobs there already    ", measured(again))
        adapter.close()


if __name__ == "__main__":
    main()
