"""What to write: from a model version and the model's `image:` or `storage:` to a pin.

    slipway.yaml             version 7 of fraud-detector            pin
    image: {repository, tag: "v{version}"}                        → ImagePin(repository, "v7", digest?)
    image: {from_tag: image}  tag `image` of the version or run   → ImagePin(all of it)
    storage: "{source}"       the version's source                → text
    value: "{version}"        (of one target)                     → text

Pure: the digest is looked up by the caller, who knows the registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.target import (
    ArgoCd,
    ComposeService,
    ConfigMapKey,
    ContainerEnv,
    FluxSetter,
    ImageSource,
    KServe,
    KustomizeImage,
    Seldon,
    Selector,
)
from bot.domain.template import fill
from bot.domain.traffic import weight_values
from bot.domain.version import ModelVersion
from bot.manifests.errors import BadReference
from bot.manifests.image_reference import ImageReference, check_digest, check_name, check_tag, parse

MODEL_URI = "models:/{model}/{version}"


@dataclass(frozen=True, slots=True)
class ImagePin:
    """What of an image is pinned. A part that is None is unknown: not pinned, or not told.

    `str()` and `ImagePin.parse` are inverse; a pin without repository prints as `:v1`, `@sha256:…` or both.
    """

    repository: str | None = None
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return str(ImageReference(self.repository or "", self.tag, self.digest))

    @classmethod
    def parse(cls, text: str) -> "ImagePin":
        """Read `repository:tag@digest`, each part optional. Raises BadReference."""
        if text.startswith((":", "@")):
            tag, at, digest = text.removeprefix(":").partition("@")
            return cls(
                tag=check_tag(tag) if text.startswith(":") else None,
                digest=check_digest(digest) if at else None,
            )
        reference = parse(text)
        return cls(reference.name, reference.tag, reference.digest)


Pin = ImagePin | str
"""An image, or the text of a scalar."""


def image_of(source: ImageSource, version: ModelVersion) -> ImagePin:
    """The image of a version, before its digest is looked up. Raises BadReference with what is missing."""
    if source.from_tag is not None:
        text = version.tags.get(source.from_tag) or version.run_tags.get(source.from_tag)
        if not text:
            raise BadReference(
                f"version {version.version} of {version.model} has no tag `{source.from_tag}`, and neither "
                "has its run: the image is not known"
            )
        return ImagePin.parse(text.strip())
    assert source.tag is not None
    return ImagePin(
        repository=check_name(source.repository) if source.repository is not None else None,
        tag=check_tag(filled(source.tag, version, None)),
    )


def wants_digest(source: ImageSource, image: ImagePin) -> bool:
    """Whether the registry has to be asked before this image can be pinned."""
    return source.pin == "digest" and image.digest is None


def pin_of(
    selector: Selector,
    version: ModelVersion,
    image: ImagePin | None = None,
    storage: str | None = None,
) -> Pin:
    """What to write at one target.

    `image` is the version's image (with its digest where one is wanted), `storage` the model's template;
    a target's own `value` comes before both. Raises BadReference when what is needed is not known.
    """
    template = getattr(selector, "value", None)
    if template is None and _is_text_only(selector):
        template = storage or MODEL_URI
    if template is None and not _is_image_only(selector) and image is None:
        template = storage
    if template is not None:
        return filled(template, version, image)
    if image is None:
        raise BadReference(
            f"model {version.model} has no `image:`, which says the image that this target pins; add it, "
            "or give the target a `value:`"
        )
    return image


def weight_of(selector: Selector, weight: int) -> str:
    """What to write at a target that holds a share of the traffic, where the candidate gets `weight`
    percent: a whole number. Raises BadReference for a `value` that is none.
    """
    template = getattr(selector, "value", None) or "{weight}"
    try:
        text = fill(template, weight_values(weight))
    except KeyError as unknown:
        raise BadReference(
            f"{{{unknown.args[0]}}} is not known where a share of the traffic is written; "
            "known are {weight}, {rest} and {pause}"
        ) from None
    if not text.isdecimal():
        raise BadReference(f"`{template}` gives {text}, which is no whole number")
    return text


def weight_place(selector: Selector) -> Selector:
    """The selector of a share, so that it is read as one value and never as an image."""
    if "value" in type(selector).model_fields and getattr(selector, "value", None) is None:
        return selector.model_copy(update={"value": "{weight}"})
    return selector


def _is_text_only(selector: Selector) -> bool:
    match selector:
        case ContainerEnv() | ConfigMapKey():
            return True
        case ComposeService():
            return selector.env is not None
        case KServe() | Seldon():
            return selector.field in ("storageUri", "uri", "modelUri")
        case _:
            return False


def _is_image_only(selector: Selector) -> bool:
    match selector:
        case KustomizeImage() | FluxSetter():
            return True
        case ArgoCd():
            return selector.image is not None
        case KServe() | Seldon():
            return selector.field == "image"
        case _:
            return False


def filled(template: str, version: ModelVersion, image: ImagePin | None) -> str:
    """A template with what is known of a version and its image. Raises BadReference naming what is not."""
    values: dict[str, str | None] = {
        "model": version.model,
        "version": version.version,
        "source": version.source,
        "run_id": version.run_id,
        "tag": image.tag if image else None,
        "digest": image.digest if image else None,
        "repository": image.repository if image else None,
        "image": str(image) if image else None,
        **_prefixed("tags.", version.tags),
        **_prefixed("run_tags.", version.run_tags),
    }
    try:
        return fill(template, values)
    except KeyError as missing:
        raise BadReference(
            f"version {version.version} of {version.model} has no {{{missing.args[0]}}}, "
            f"which `{template}` needs"
        ) from None


def _prefixed(prefix: str, tags: Mapping[str, str]) -> dict[str, str]:
    return {prefix + key: value for key, value in tags.items()}
