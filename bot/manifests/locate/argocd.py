"""Argo CD Application and ApplicationSet: Helm parameters, kustomize images, Helm values."""

from collections.abc import Iterator

from bot.domain.target import ArgoCd
from bot.manifests.documents import Documents
from bot.manifests.errors import NotFound
from bot.manifests.forms import Marked, Part, Scalar, try_image
from bot.manifests.locate.found import Found, Start, one, select
from bot.manifests.locate.paths import follow, values
from bot.manifests.lookup import Place, parse_path, show, try_descend
from bot.manifests.pin import ImagePin

_SPECS = {"Application": ("spec",), "ApplicationSet": ("spec", "template", "spec")}
_PART_OF: dict[str, Part] = {"tag": "tag", "digest": "digest", "repository": "name"}


def argocd(documents: Documents, selector: ArgoCd) -> Found:
    """What the selector names in the sources of an Application."""
    application = one(
        select(documents, tuple(_SPECS), selector.name),
        "the target",
        "the file holds no Application",
        "tell its `name`",
    )
    sources = list(_sources(application, selector.source))
    if not sources:
        raise NotFound(
            f"{show(application.path)} has no such source (spec.source, or spec.sources by `source`)"
        )
    if selector.parameter is not None:
        return _parameter(documents, sources, selector.parameter, selector.value)
    if selector.image is not None:
        return _image(documents, sources, selector.image)
    return _values(documents, sources, selector)


def _sources(application: Place, index: int | None) -> Iterator[Place]:
    spec = try_descend(application, _SPECS[application.text("kind") or ""])
    if spec is None:
        return
    single, several = spec.child("source"), spec.child("sources")
    if single is not None and index is None:
        yield single
    if several is not None:
        yield from (place for place in several.items() if index in (None, place.path[-1]))


def _parameter(documents: Documents, sources: list[Place], name: str, value: str | None) -> Found:
    found = {
        item.text("name") or "": item
        for source in sources
        if (listed := try_descend(source, ("helm", "parameters"))) is not None
        for item in listed.items()
        if item.child("value") is not None
    }
    places = [
        place
        for source in sources
        if (listed := try_descend(source, ("helm", "parameters"))) is not None
        for item in listed.items()
        if item.text("name") == name and (place := item.child("value")) is not None
    ]
    there = ", ".join(found) or "none"
    place = one(
        places,
        f"the parameter {name}",
        f"no helm parameter {name}; there are {there}",
        "tell which `source`, or leave only one",
    )
    if value is not None:
        return Found(Scalar(documents, place, "text"))
    prefix, _, last = name.rpartition(".")
    if last not in _PART_OF:
        return Found(Scalar(documents, place, "any"))
    marked = [(place, _PART_OF[last])]
    for other, part in _PART_OF.items():
        sibling = found.get(f"{prefix}.{other}" if prefix else other)
        beside = sibling.child("value") if sibling is not None and other != last else None
        if beside is not None:
            marked.append((beside, part))
    return Found(Marked(documents, marked))


def _image(documents: Documents, sources: list[Place], name: str) -> Found:
    """An override `[old=]new[:tag][@digest]`, found by either name."""
    matching = []
    for source in sources:
        listed = try_descend(source, ("kustomize", "images"))
        for item in listed.items() if listed is not None else ():
            old, equals, new = item.node.value.rpartition("=")
            image = try_image(new)
            if name in (old, image.repository if isinstance(image, ImagePin) else new):
                matching.append((item, old + equals))
    place = one(
        [item for item, _ in matching],
        f"the image {name}",
        f"no entry of kustomize.images is for {name}",
        "tell which `source`, or leave only one",
    )
    return Found(Scalar(documents, place, "image", prefix=matching[0][1]))


def _values(documents: Documents, sources: list[Place], selector: ArgoCd) -> Found:
    """`valuesObject`, which Argo CD prefers, or else the text in `values`."""
    assert selector.path is not None
    path = parse_path(selector.path)
    starts = []
    for source in sources:
        place = try_descend(source, ("helm", "valuesObject")) or try_descend(source, ("helm", "values"))
        if place is not None:
            starts.append(place)
    place = one(starts, "the path", "no source has helm.valuesObject or helm.values", "tell which `source`")
    start = Start(documents, place)
    if place.node.kind == "scalar":
        start = follow(start, path[:1])[0]
    return values(start, path, selector.value, insert=selector.insert)
