"""A Docker-compatible engine builds and pushes: `docker`, podman, anything that answers the same API.

The Dockerfile is Slipway's own: `FROM` the team's serving image, the model copied in, and its libraries
installed where that is wanted. The one that MLflow generates starts from a public image, installs a
server without metrics, and could not be watched. Labels go over the API, never into the text.

An engine reports trouble inside its stream: a push that failed ends like one that did not. So every
line is looked at, and the caller asks the registry whether the tag is there.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env

from bot.domain.build import BuildOrder
from bot.manifests.errors import BadReference
from bot.manifests.image_reference import parse
from bot.ports import Forbidden, OutsideError, Refused, Tell, Unavailable

SYSTEM = "the Docker engine"

_TIMEOUT = 600
"""Seconds without a word: an engine says nothing while it pulls a large layer."""

_LONGEST_SENTENCE = 400
_DENIED = re.compile(r"denied|unauthorized|forbidden|authentication required", re.IGNORECASE)
_BUSY = re.compile(r"too ?many ?requests|\b429\b|\b50[0-9]\b|timeout|connection refused|EOF", re.IGNORECASE)
_REQUIREMENTS = "requirements.txt"

Message = Mapping[str, Any]
"""One line of an engine's stream."""


class DockerBuilder:
    """Implements `bot.ports.ImageBuilder`. The engine is found as Docker's own tools find it (`DOCKER_HOST`,
    `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`); `credentials` is a file as `docker login` writes it.
    """

    def __init__(self, credentials: Path | None = None, *, host: str | None = None) -> None:
        self._credentials = credentials
        self._host = host

    def build(self, order: BuildOrder, folder: Path, tell: Tell) -> None:
        """Build `folder`/model on the base and push it; a push writes the tag last."""
        try:
            parse(order.build.base)
            image = parse(order.image)
        except BadReference as error:
            raise Refused("`build:`", error.message) from None
        context = _context(order, folder)
        try:
            with self._engine() as engine:
                _follow(self._build(engine, order, context), tell)
                tell("pushing the image")
                pushed = engine.push(image.name, tag=image.tag, stream=True, decode=True)
                _follow(_lines(pushed), tell)
                _forget(engine, order.image)
        except APIError as error:
            raise _told(str(error.explanation or error), order) from None
        except (
            DockerException,
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            raise Unavailable(SYSTEM, f"it went away in the middle ({type(error).__name__})") from None

    @contextmanager
    def _engine(self) -> Iterator[docker.APIClient]:
        try:
            named = {"base_url": self._host} if self._host is not None else dict(kwargs_from_env())
            settings: dict[str, Any] = {"version": "auto", "timeout": _TIMEOUT, **named}
            engine = docker.APIClient(**settings)
        except DockerException as error:
            raise Unavailable(SYSTEM, f"it does not answer: {_short(str(error))}") from None
        if self._credentials is not None:
            engine.reload_config(dockercfg_path=str(self._credentials))
        answers: list[requests.Response] = []
        engine.hooks["response"].append(lambda answer, **_: answers.append(answer))
        try:
            yield engine
        finally:
            # A stream that nobody read to its end still holds its connection.
            for answer in answers:
                answer.close()
            engine.close()

    @staticmethod
    def _build(engine: docker.APIClient, order: BuildOrder, context: Path) -> Iterator[Message]:
        with context.open("rb") as file:
            yield from _lines(
                engine.build(
                    fileobj=file,
                    custom_context=True,
                    tag=order.image,
                    labels=dict(order.labels),
                    platform=next(iter(order.build.platforms), None),
                    pull=True,
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
            )


def dockerfile(order: BuildOrder, *, requirements: bool) -> str:
    """The recipe of an image; `requirements`: whether the model brings a list of its libraries."""
    folder = order.build.folder
    lines = [f"FROM {order.build.base}"]
    if order.build.install and requirements:
        # Before the model itself: versions with the same libraries share this layer.
        lines += [
            f"COPY {_REQUIREMENTS} /tmp/model-requirements.txt",
            "RUN python -m pip install --no-cache-dir --requirement /tmp/model-requirements.txt",
        ]
    lines += [f"ENV {name}={_quoted(value)}" for name, value in sorted(order.env.items())]
    lines.append(f"COPY model {folder}")
    return "\n".join(lines) + "\n"


def _context(order: BuildOrder, folder: Path) -> Path:
    """What the engine is sent, as a tar: the recipe, the model, and the list of its libraries."""
    listed = folder / "model" / _REQUIREMENTS
    recipe = folder / "Dockerfile"
    recipe.write_text(dockerfile(order, requirements=listed.is_file()))
    context = folder / "context.tar"
    with tarfile.open(context, "w") as tar:
        tar.add(recipe, "Dockerfile", filter=_plain)
        if listed.is_file():
            tar.add(listed, _REQUIREMENTS, filter=_plain)
        tar.add(folder / "model", "model", filter=_plain)
    return context


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without dates and owners, so that engines find in their cache what they had."""
    if not member.isfile() and not member.isdir():
        raise Refused("the model's folder", f"{member.name!r} is neither a file nor a folder")
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    return member


def _quoted(value: str) -> str:
    if not value.isprintable():
        raise Refused("`build:`", f"an environment variable holds a control character: {value!r}")
    return '"' + re.sub(r'([\\"$])', r"\\\1", value) + '"'


def _lines(stream: Any) -> Iterator[Message]:
    """The stream's messages. The SDK's decoder hands on text that is no JSON as it is."""
    for line in stream:
        told = line if isinstance(line, dict) else json.loads(line)
        yield told if isinstance(told, dict) else {}


def _follow(stream: Iterator[Message], tell: Tell) -> None:
    """Tell how far it is. Raises what the engine reports inside its stream."""
    for message in stream:
        detail = message.get("errorDetail")
        trouble = (detail.get("message") if isinstance(detail, dict) else None) or message.get("error")
        if trouble:
            raise _told(str(trouble), None)
        words = message.get("stream") or message.get("status") or ""
        if said := _short(" ".join((str(words), str(message.get("progress") or "")))):
            tell(said)


def _told(sentence: str, order: BuildOrder | None) -> OutsideError:
    """The engine's own sentence, as the error that it is: a missing right, a moment's trouble, a no."""
    said = _short(sentence)
    if _DENIED.search(said):
        return Forbidden(SYSTEM, f"{said} (credentials: SLIPWAY_REGISTRY_AUTH_FILE)")
    if _BUSY.search(said):
        return Unavailable(SYSTEM, said)
    return Refused(SYSTEM, said if order is None else f"{order.image}: {said}")


def _forget(engine: docker.APIClient, image: str) -> None:
    """Let the engine drop the image; its layers stay in the cache until the engine cleans up."""
    try:
        engine.remove_image(image)
    except (DockerException, requests.RequestException):
        # The image is in its registry: nothing else counts.
        return


def _short(sentence: str) -> str:
    line = " ".join(sentence.split())
    return line if len(line) <= _LONGEST_SENTENCE else f"{line[:_LONGEST_SENTENCE]}…"
