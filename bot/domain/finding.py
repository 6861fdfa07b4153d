"""What `slipway doctor` tells: one sentence about one connection or right, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. Only a problem keeps Slipway from doing its work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`area` is the system, `subject` the part of it; `todo` is empty where nothing is to be done."""

    area: str
    subject: str
    level: Level
    sentence: str
    todo: str = ""


def ok(area: str, subject: str, sentence: str) -> Finding:
    return Finding(area, subject, Level.OK, sentence)


def warning(area: str, subject: str, sentence: str, todo: str) -> Finding:
    return Finding(area, subject, Level.WARNING, sentence, todo)


def problem(area: str, subject: str, sentence: str, todo: str) -> Finding:
    return Finding(area, subject, Level.PROBLEM, sentence, todo)
