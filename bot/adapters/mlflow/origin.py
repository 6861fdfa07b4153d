"""Where a version's files come from: a logged model, or a run, behind as many copies as it takes."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from bot.adapters.mlflow.calls import absent_as_none

LOGGED_MODEL = re.compile(r"models:/(m-[0-9a-f]+)", re.ASCII)
_COPIED_FROM = re.compile(r"models:/([^/:]+)/([0-9]+)", re.ASCII)
_LONGEST_CHAIN = 2
"""Copies of copies that are followed to find the logged model."""


def original(version: Any, find: Callable[[str, str], Any]) -> Any:
    """The version (as MLflow's client has it) that this one was copied from; None where it is gone.

    `find` asks for a version by model and number.
    """
    for _ in range(_LONGEST_CHAIN + 1):
        copied = _COPIED_FROM.fullmatch(version.source or "")
        if copied is None:
            return version
        version = absent_as_none(partial(find, copied[1], copied[2]))
        if version is None:
            return None
    return None
