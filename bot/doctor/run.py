"""Carrying out looks at the same time: none waits for another, and none hides another's answer."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.domain.finding import Finding, problem
from bot.ports import OutsideError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at. `remedy` is what to do where looking itself fails."""

    area: str
    subject: str
    look: Callable[[], Iterable[Finding]]
    remedy: str


def run(looks: Sequence[Look], seconds: float) -> list[Finding]:
    """The findings of all looks, in their order, after `seconds` at the latest."""
    answers: dict[int, list[Finding]] = {}

    def answer(number: int, look: Look) -> None:
        answers[number] = _carried_out(look)

    # Daemons: one that hangs for good does not keep the process from ending.
    threads = [
        threading.Thread(target=answer, args=(number, look), name=f"{look.area} {look.subject}", daemon=True)
        for number, look in enumerate(looks)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [
        finding
        for number, look in enumerate(looks)
        for finding in answers.get(number, [_late(look, seconds)])
    ]


def _carried_out(look: Look) -> list[Finding]:
    try:
        return list(look.look())
    except OutsideError as trouble:
        sentence = trouble.message.rstrip(".")
        return [problem(look.area, look.subject, f"{sentence[:1].upper()}{sentence[1:]}.", look.remedy)]
    except Exception as error:
        # What an unexpected error says may hold an address with a password: only its kind is told.
        logger.debug("looking at %s %s failed", look.area, look.subject, exc_info=True)
        sentence = f"Looking at it failed unexpectedly ({type(error).__name__})."
        return [problem(look.area, look.subject, sentence, look.remedy)]


def _late(look: Look, seconds: float) -> Finding:
    return problem(look.area, look.subject, f"There was no answer within {seconds:g} s.", look.remedy)
