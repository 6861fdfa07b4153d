"""Image references, by the grammar of the OCI distribution project.

    reference  = name [":" tag] ["@" digest]
    name       = [registry "/"] component {"/" component}
    registry   = host [":" port]
    component  = letters and digits (lower case), joined by ".", "_", "__" or any number of "-"
    tag        = a letter, digit or "_", then up to 127 letters, digits, "_", "." and "-"
    digest     = algorithm ":" hex

The first component is a registry only if it is `localhost` or has a `.`, a `:` or an upper-case letter;
otherwise the registry is docker.io, where a single component lives under `library/`.
"""

import re
from dataclasses import dataclass

from bot.manifests.errors import BadReference

DOCKER_HUB = "docker.io"
_OTHER_DOCKER_HUB = "index.docker.io"
MAX_NAME = 255
MAX_REFERENCE = 1024

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}(?::[0-9]+)?/)?{_PATH})(?::(?P<tag>[\w][\w.-]{{0,127}}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image, `name` as it was written. Prints itself exactly as it was parsed."""

    name: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return f"{self.name}{tag}{digest}"

    @property
    def registry(self) -> str:
        """The registry's host, docker.io where none is written."""
        return split_name(self.name)[0]

    @property
    def path(self) -> str:
        """The repository's path in its registry, with `library/` where Docker Hub means it."""
        return split_name(self.name)[1]


def parse(text: str) -> ImageReference:
    """Read a reference. Raises BadReference."""
    found = _REFERENCE.fullmatch(text) if len(text) <= MAX_REFERENCE else None
    if found is None:
        raise BadReference(
            f"{shorten(text)} is not an image reference, such as registry.example.com/team/app:v1"
        )
    name, tag, digest = found["name"], found["tag"], found["digest"]
    if _LOOKS_LIKE_AN_ID.fullmatch(name):
        raise BadReference(f"{shorten(text)} is the id of an image, not its name")
    if digest is not None:
        check_digest(digest)
    # Counted without the registry and without the `library/` that Docker Hub adds.
    if len(split_name(name)[1]) > MAX_NAME:
        raise BadReference(f"the name in {shorten(text)} is longer than {MAX_NAME} characters")
    return ImageReference(name=name, tag=tag, digest=digest)


def split_name(name: str) -> tuple[str, str]:
    """(registry, path) of a name, both as Docker Hub's rules complete them."""
    first, slash, rest = name.partition("/")
    explicit = slash and (first == "localhost" or set(first) & {".", ":"} or first != first.lower())
    registry, path = (first, rest) if explicit else (DOCKER_HUB, name)
    if registry == _OTHER_DOCKER_HUB:
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return registry, path


def same_repository(one: str, other: str) -> bool:
    """Whether two names mean the same repository, however they are written."""
    return split_name(one) == split_name(other)


def check_tag(tag: str) -> str:
    """The tag. Raises BadReference."""
    if not _TAG.fullmatch(tag):
        raise BadReference(
            f"{shorten(tag)} is not an image tag: letters, digits, `_`, `.` and `-`, at most 128, "
            "and no `.` or `-` at the start"
        )
    return tag


def check_digest(digest: str) -> str:
    """The digest. Raises BadReference."""
    if not _DIGEST.fullmatch(digest):
        raise BadReference(f"{shorten(digest)} is not a digest, such as sha256: and 64 hexadecimal digits")
    return digest


def check_name(name: str) -> str:
    """The name, without tag and digest. Raises BadReference."""
    reference = parse(name)
    if reference.tag is not None or reference.digest is not None:
        raise BadReference(f"{shorten(name)} has a tag or digest where only the repository belongs")
    return name


def shorten(text: str) -> str:
    """Hostile text for a message: quoted, escaped, and not long."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")  # noqa: PLR2004 - a line on a screen
