"""What the default branch pins: its files, and which version a pin means."""

import re
from dataclasses import replace

from bot.domain.config import Model
from bot.domain.target import Selector
from bot.domain.version import ModelVersion
from bot.manifests.errors import BumpError
from bot.manifests.pin import image_of, pin_of
from bot.ports import Forge, NotFound

_PROBE = "90071992547409"
"""Stands for the version where a template is turned into a pattern; longer than any version number."""


class Files:
    """The files of one commit as they become, read once each."""

    def __init__(self, forge: Forge, commit: str) -> None:
        self._forge = forge
        self._commit = commit
        self._texts: dict[str, bytes] = {}
        self._changed: dict[str, bytes] = {}

    def of(self, selector: Selector) -> tuple[str, bytes]:
        """The one file that a selector means. Raises NotFound naming what was looked for."""
        candidates = selector.candidate_files()
        for path in candidates:
            if path not in self._texts:
                try:
                    self._texts[path] = self._forge.read(path, self._commit)
                except NotFound:
                    continue
            return path, self._changed.get(path, self._texts[path])
        raise NotFound("the GitOps repository", f"there is no file {' or '.join(candidates)}")

    def write(self, path: str, data: bytes) -> None:
        self._changed[path] = data

    @property
    def edits(self) -> dict[str, bytes]:
        """Path → content, of every file that is not what it was."""
        return {path: data for path, data in self._changed.items() if data != self._texts[path]}


def version_in(pinned: str, selector: Selector, like: ModelVersion, model: Model) -> str | None:
    """The version number in a pin, by comparing it with what this pin looks like for any version.

    `like`: some version of the model. None where the pin does not tell.
    """
    shape = _printed(_PROBE, selector, like, model)
    if shape is None or _PROBE not in shape:
        return None
    pattern = re.escape(shape).replace(_PROBE, r"(?P<version>\d+)", 1).replace(_PROBE, r"(?P=version)")
    found = re.fullmatch(pattern, pinned.partition("@")[0], re.ASCII)
    return found["version"] if found is not None else None


def _printed(number: str, selector: Selector, like: ModelVersion, model: Model) -> str | None:
    version = replace(like, version=number)
    try:
        image = image_of(model.image, version) if model.image is not None else None
        return str(pin_of(selector, version, image, model.storage))
    except BumpError:
        return None
