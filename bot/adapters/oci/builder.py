"""A model on a serving image, without an engine: its folder becomes one layer, written to the registry.

What the tag will name is complete before the tag is: first the layers, then the configurations and the
manifests of each platform by their digests, and the tag last. Whatever stops half-way leaves blobs that
no tag names, which registries collect, and the next try finds them there.
"""

from pathlib import Path

from bot.adapters.oci import image as images
from bot.adapters.oci.image import Addition, Entry, Image
from bot.adapters.oci.layer import Layer, write_layer
from bot.adapters.oci.place import Blob, Place
from bot.adapters.oci.registry import MANIFEST_TYPES, OciRegistry
from bot.domain.build import BuildOrder
from bot.manifests.errors import BadReference
from bot.manifests.image_reference import parse
from bot.ports import Refused, Tell

_MEGA = 1_000_000


class LayerBuilder:
    """Implements `bot.ports.ImageBuilder` on any registry."""

    def __init__(self, registry: OciRegistry) -> None:
        self._registry = registry

    def build(self, order: BuildOrder, folder: Path, tell: Tell) -> None:
        """Write `folder`/model on the order's base to the registry, the tag last."""
        try:
            base, wanted = parse(order.build.base), parse(order.image)
        except BadReference as error:
            raise Refused("`build:`", error.message) from None
        source = self._registry.place(base.registry, base.path)
        target = self._registry.place(wanted.registry, wanted.path)
        tell("reading the base image")
        name, media_type = source.manifest(base.digest or base.tag or "latest", MANIFEST_TYPES)
        tell("packing the model")
        layer = write_layer(folder / "model", order.build.folder, folder / "layer.tar.gz", _Packing(tell))
        addition = Addition(
            layer, order.labels, order.env, order.created_at, f"{order.uri} in {order.build.folder}"
        )
        work = _Work(source, target, addition, folder, tell)
        work.write(name, media_type, wanted.tag or "latest", order.build.platforms)


class _Work:
    """One image on its way."""

    def __init__(self, source: Place, target: Place, addition: Addition, folder: Path, tell: Tell) -> None:
        self._source = source
        self._target = target
        self._addition = addition
        self._folder = folder
        self._tell = tell

    def write(self, manifest: bytes, media_type: str, tag: str, platforms: tuple[str, ...]) -> None:
        if media_type in images.INDEX_TYPES:
            self._write_index(manifest, media_type, tag, platforms)
            return
        base = self._image(manifest, media_type)
        images.chosen(platforms, (base.platform,))
        self._send_layers((base,))
        self._tell("writing the manifest")
        self._target.put_manifest(tag, self._send_config(base), media_type)

    def _write_index(self, index: bytes, media_type: str, tag: str, platforms: tuple[str, ...]) -> None:
        there = images.entries(index)
        chosen = images.chosen(platforms, [entry.platform for entry in there])
        found = [(entry, self._read(entry)) for entry in there if entry.platform in chosen]
        self._send_layers([base for _, base in found])
        self._tell("writing the manifests")
        written: list[tuple[Entry, bytes]] = []
        for entry, base in found:
            manifest = self._send_config(base)
            self._target.put_manifest("", manifest, base.media_type)
            written.append((entry, manifest))
        self._target.put_manifest(tag, images.with_images(index, written), media_type)

    def _read(self, entry: Entry) -> Image:
        return self._image(*self._source.manifest(entry.digest, MANIFEST_TYPES))

    def _image(self, manifest: bytes, media_type: str) -> Image:
        config = self._source.small(images.config_of(manifest, media_type))
        return images.image(manifest, media_type, config)

    def _send_layers(self, bases: list[Image] | tuple[Image, ...]) -> None:
        """The base's layers, each once, and the model's."""
        layers = list(dict.fromkeys(layer for base in bases for layer in base.layers))
        count = len(layers) + 1
        for number, layer in enumerate(layers, 1):
            self._tell(f"layer {number} of {count}")
            self._take_over(layer)
        self._send_model(self._addition.layer, f"layer {count} of {count}")

    def _take_over(self, layer: Blob) -> None:
        if self._target.has(layer.digest) or self._target.mount(layer.digest, self._source):
            return
        copy = self._folder / "layer-of-the-base"
        try:
            self._source.fetch(layer, copy)
            self._target.send(copy, layer)
        finally:
            copy.unlink(missing_ok=True)

    def _send_model(self, layer: Layer, which: str) -> None:
        sent = 0

        def told(more: int) -> None:
            nonlocal sent
            sent += more
            self._tell(f"{which}, {sent / _MEGA:.0f} of {layer.size / _MEGA:.0f} MB")

        self._tell(which)
        self._target.send(layer.file, Blob(layer.digest, layer.size), told)

    def _send_config(self, base: Image) -> bytes:
        """Upload the new configuration; returns the new manifest."""
        manifest, config = images.with_layer(base, self._addition)
        self._target.send_small(config)
        return manifest


class _Packing:
    """Tells how much of the model was packed."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._bytes = 0

    def __call__(self, more: int) -> None:
        self._bytes += more
        self._tell(f"packing the model, {self._bytes / _MEGA:.0f} MB")
