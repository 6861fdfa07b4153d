"""What a manifest, a configuration and an index become when a layer is added. Bytes in, bytes out; no I/O.

OCI's and Docker's second schema are the same but for their media types; the new layer and the new
manifests keep those of the base. What an index holds beside images (attestations that are told about
another image, which is not in the new index any more) is left out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.adapters.oci.layer import Layer
from bot.adapters.oci.place import Blob
from bot.ports import Refused

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})
_LAYER_TYPES = MappingProxyType(
    {
        OCI_MANIFEST: "application/vnd.oci.image.layer.v1.tar+gzip",
        DOCKER_MANIFEST: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    }
)
_LEFT_ELSEWHERE = ("nondistributable", "foreign")
_REFERS = "vnd.docker.reference.type"


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of an index; `platform` as `linux/amd64` or `linux/arm64/v8`."""

    digest: str
    platform: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    """The image of one platform: its manifest and its configuration."""

    media_type: str
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def platform(self) -> str:
        return _platform(self.config)

    @property
    def layers(self) -> tuple[Blob, ...]:
        """The layers that the registry itself holds, the lowest first."""
        return tuple(
            _blob(layer)
            for layer in self.manifest["layers"]
            if not layer.get("urls")
            and not any(word in layer.get("mediaType", "") for word in _LEFT_ELSEWHERE)
        )


@dataclass(frozen=True, slots=True)
class Addition:
    """What is added to every platform's image."""

    layer: Layer
    labels: Mapping[str, str]
    env: Mapping[str, str]
    created: datetime
    told: str
    """What the image's history says of the layer."""


def config_of(manifest: bytes, media_type: str) -> str:
    """The digest of a manifest's configuration. Raises Refused for what is no image's manifest."""
    data = _object(manifest, "manifest")
    config = data.get("config")
    if media_type not in _LAYER_TYPES or not isinstance(config, dict) or not _layers(data):
        raise Refused("the base image", f"its manifest is none that a layer can be added to ({media_type!r})")
    return _blob(config).digest


def image(manifest: bytes, media_type: str, config: bytes) -> Image:
    """The image of a manifest and its configuration."""
    found = Image(media_type, _object(manifest, "manifest"), _object(config, "configuration"))
    rootfs = found.config.get("rootfs")
    diffs = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diffs, list) or len(diffs) != len(found.manifest["layers"]):
        raise Refused("the base image", "its configuration does not tell its layers (`rootfs.diff_ids`)")
    return found


def labels(config: bytes) -> Mapping[str, str]:
    """The labels in a configuration; empty where it is none of an image."""
    try:
        inner = _object(config, "configuration").get("config")
    except Refused:
        return {}
    found = inner.get("Labels") if isinstance(inner, dict) else None
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def entries(index: bytes) -> tuple[Entry, ...]:
    """The images of an index, without what only refers to them."""
    manifests = _object(index, "index").get("manifests")
    found = [each for each in manifests if isinstance(each, dict)] if isinstance(manifests, list) else []
    return tuple(
        Entry(_blob(told).digest, _platform(told.get("platform") or {}), told)
        for told in found
        if _REFERS not in (told.get("annotations") or {})
        and (told.get("platform") or {}).get("os") != "unknown"
    )


def chosen(platforms: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    """The platforms to build for: those that are wanted, or all. Raises Refused naming what is missing."""
    wanted = tuple(platforms) or tuple(there)
    missing = [platform for platform in wanted if platform not in there]
    if missing:
        raise Refused(
            "the base image", f"it is not there for {' and '.join(missing)}: it is for {', '.join(there)}"
        )
    foreign = [platform for platform in wanted if not platform.startswith("linux/")]
    if foreign or not wanted:
        told = f"it is for {', '.join(foreign)}" if foreign else "its index names no image"
        raise Refused(
            "the base image", f"{told}, and Slipway adds layers to Linux images only: name `platforms:`"
        )
    return wanted


def with_layer(base: Image, addition: Addition) -> tuple[bytes, bytes]:
    """(manifest, configuration) of the base with the layer on top."""
    config = _config(base.config, addition)
    layer = addition.layer
    manifest = {
        **base.manifest,
        "config": {**base.manifest["config"], **_descriptor(config)},
        "layers": [
            *base.manifest["layers"],
            {"mediaType": _LAYER_TYPES[base.media_type], "digest": layer.digest, "size": layer.size},
        ],
    }
    return _bytes(manifest), config


def with_images(index: bytes, images: Sequence[tuple[Entry, bytes]]) -> bytes:
    """The index with these images in the place of the base's."""
    return _bytes(
        {
            **_object(index, "index"),
            "manifests": [{**entry.told, **_descriptor(manifest)} for entry, manifest in images],
        }
    )


def _config(base: Mapping[str, Any], addition: Addition) -> bytes:
    created = addition.created.strftime("%Y-%m-%dT%H:%M:%SZ")
    inner = dict(base.get("config") or {})
    inner["Labels"] = {**(inner.get("Labels") or {}), **addition.labels}
    if addition.env:
        kept = [pair for pair in inner.get("Env") or [] if pair.partition("=")[0] not in addition.env]
        inner["Env"] = [*kept, *(f"{name}={value}" for name, value in sorted(addition.env.items()))]
    step = {"created": created, "created_by": "slipway", "comment": addition.told}
    return _bytes(
        {
            **base,
            "created": created,
            "config": inner,
            "rootfs": {
                **base["rootfs"],
                "diff_ids": [*base["rootfs"]["diff_ids"], addition.layer.diff_id],
            },
            "history": [*(base.get("history") or []), step],
        }
    )


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refused("the base image", f"its {what} is no JSON object")
    return told


def _layers(manifest: Mapping[str, Any]) -> bool:
    layers = manifest.get("layers")
    return isinstance(layers, list) and bool(layers) and all(isinstance(each, dict) for each in layers)


def _blob(told: Mapping[str, Any]) -> Blob:
    digest, size = told.get("digest"), told.get("size")
    if not isinstance(digest, str) or not digest.startswith("sha256:") or not isinstance(size, int):
        raise Refused("the base image", "its manifest names a part without sha256 digest and size")
    return Blob(digest, size)


def _platform(told: Mapping[str, Any]) -> str:
    parts = (told.get("os"), told.get("architecture"), told.get("variant"))
    return "/".join(str(part) for part in parts if part)


def _descriptor(data: bytes) -> dict[str, Any]:
    blob = Blob.of(data)
    return {"digest": blob.digest, "size": blob.size}


def _bytes(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
