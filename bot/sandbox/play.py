"""Starts a world, plays the story on it, and keeps it up for whoever wants to play on."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bot.ports import OutsideError
from bot.sandbox.narration import Narration
from bot.sandbox.processes import SandboxError, tail
from bot.sandbox.report import Report
from bot.sandbox.story import Story
from bot.sandbox.world import World


class Stopped(BaseException):
    """Somebody asked the sandbox to end."""


def play(folder: Path, report_file: Path | None, *, once: bool) -> bool:
    """Start everything, play the story, write the report; whether every step was observed.

    Without `once` everything stays up until Ctrl-C or SIGTERM.
    """
    narration, report = Narration(), Report()
    started = time.monotonic()
    with _ending_signals(), World(folder) as world:
        try:
            _start(world, narration)
            report.versions = world.versions()
            Story(world, narration, report).play()
        except (SandboxError, OutsideError) as error:
            report.error = str(error)
            _explain(narration, world, str(error))
        except Stopped:
            report.error = "stopped before the end"
            return False
        finally:
            report.seconds = round(time.monotonic() - started, 3)
            if report_file is not None:
                report.write(report_file)
        _conclude(narration, report)
        if not once:
            _stay(world, narration)
    return report.ok


def _start(world: World, narration: Narration) -> None:
    narration.chapter("Slipway's sandbox: a real MLflow, real Git, real models, on this machine only")
    steps = _Steps(narration)
    try:
        world.start(steps.next)
    finally:
        steps.end()
    narration.note(f"metrics: {world.prometheus.version}; manifests: {world.versions()['rendering']}")
    _addresses(world, narration)


class _Steps:
    """One line of narration after the other."""

    def __init__(self, narration: Narration) -> None:
        self._narration = narration
        self._current = narration.doing("every part starts")
        self._current.__enter__()

    def next(self, what: str) -> None:
        self.end()
        self._current = self._narration.doing(what)
        self._current.__enter__()

    def end(self) -> None:
        self._current.__exit__(None, None, None)


def _addresses(world: World, narration: Narration) -> None:
    addresses = world.addresses()
    narration.link("pull requests", addresses.repository)
    narration.link("MLflow", addresses.mlflow)
    narration.link("Prometheus", addresses.prometheus)
    narration.link("Argo CD", addresses.argocd)
    narration.link("model", f"{addresses.model}/readyz")
    narration.link("Slipway", addresses.slipway)


def _conclude(narration: Narration, report: Report) -> None:
    observed = sum(step.ok for step in report.steps)
    narration.chapter("The end" if report.ok else "The story broke off")
    narration.note(f"{observed} steps observed outside of Slipway in {report.seconds:.0f} s")
    for name, seconds in report.numbers.items():
        narration.note(f"{name}: {seconds:.1f} s")


def _explain(narration: Narration, world: World, error: str) -> None:
    narration.failure(error)
    logs = world.folder / "logs"
    narration.note(f"logs are in {logs}; the end of Slipway's:")
    for line in tail(logs / "slipway.log").splitlines():
        narration.note(f"  {line}")


def _stay(world: World, narration: Narration) -> None:
    narration.chapter("Everything stays up: play with it, and end it with Ctrl-C")
    narration.note(
        "set the alias candidate of fraud-detector in MLflow; comment in the pull request that opens"
    )
    _addresses(world, narration)
    try:
        while True:
            threading.Event().wait(1.0)
            world.check_alive()
    except Stopped:
        narration.note("ending")
    except SandboxError as error:
        narration.failure(str(error))


@contextmanager
def _ending_signals() -> Iterator[None]:
    """SIGINT and SIGTERM raise Stopped, once; while everything is being stopped they are not heard."""

    def stop(*_: int | FrameType | None) -> None:
        for number in handled:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    handled = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in handled]
    try:
        yield
    except Stopped:
        pass
    finally:
        for number, handler in zip(handled, before, strict=True):
            signal.signal(number, handler)
