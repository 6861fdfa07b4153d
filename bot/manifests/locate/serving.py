"""Model servers: KServe InferenceService and LLMInferenceService, SeldonDeployment."""

from collections.abc import Iterator

from bot.domain.target import KServe, Seldon
from bot.manifests.documents import Documents
from bot.manifests.forms import Holds, Scalar
from bot.manifests.locate.found import Found, one, select
from bot.manifests.locate.workloads import containers
from bot.manifests.lookup import Place, descend, show, try_descend

SERVICE, LLM = "InferenceService", "LLMInferenceService"
MAX_GRAPH = 40


def kserve(documents: Documents, selector: KServe) -> Found:
    """A field of a KServe service."""
    service = one(
        select(documents, (SERVICE, LLM), selector.name),
        "the target",
        "the file holds no InferenceService",
        "tell its `name`",
    )
    spec = descend(service, ("spec",))
    if service.text("kind") == LLM and selector.field in ("storageUri", "uri", "weight"):
        parent = descend(spec, ("router", "route") if selector.field == "weight" else ("model",))
        return _field(
            documents, parent, "weight" if selector.field == "weight" else "uri", insert=selector.insert
        )
    if selector.canary is not None or selector.field == "trafficPercent":
        spec = descend(spec, ("canary", selector.canary or 0))
    if selector.field == "trafficPercent":
        return _field(documents, spec, "trafficPercent", insert=selector.insert)
    # Before v1beta1 the components stood under `default`.
    old = spec.child("default") if spec.child(selector.component) is None else None
    component = descend(
        old or spec, (selector.component,) if service.text("kind") == SERVICE else ("template",)
    )
    if selector.field == "canaryTrafficPercent":
        return _field(documents, component, "canaryTrafficPercent", insert=selector.insert)
    if selector.field == "image":
        return Found(Scalar(documents, _component_image(component, selector.container), "image"))
    return _storage(documents, component, insert=selector.insert)


def seldon(documents: Documents, selector: Seldon) -> Found:
    """A field of a SeldonDeployment."""
    deployment = one(
        select(documents, ("SeldonDeployment",), selector.name),
        "the target",
        "the file holds no SeldonDeployment",
        "tell its `name`",
    )
    predictors = [
        predictor
        for predictor in descend(deployment, ("spec", "predictors")).items()
        if selector.predictor in (None, predictor.text("name"))
    ]
    missing = f"no predictor {selector.predictor or ''} under spec.predictors"
    if selector.field == "traffic":
        predictor = one(predictors, "the target", missing, "tell the `predictor`")
        return _field(documents, predictor, "traffic", insert=selector.insert)
    if selector.field == "image":
        found = [place for predictor in predictors for place in _seldon_containers(predictor)]
        what, key = "container", "image"
    else:
        found = [node for predictor in predictors for node in _graph(predictor)]
        what, key = "graph node", "modelUri"
    if selector.node is not None:
        found = [place for place in found if place.text("name") == selector.node]
    elif len(found) > 1:
        found = [place for place in found if place.child(key) is not None]
    place = one(
        found, "the target", f"no {what} {selector.node or ''} here", "tell the `predictor` and the `node`"
    )
    if key == "image":
        return Found(Scalar(documents, descend(place, ("image",)), "image"))
    return _field(documents, place, "modelUri", insert=selector.insert)


def _field(documents: Documents, parent: Place, key: str, *, insert: bool) -> Found:
    holds: Holds = "text" if key in ("storageUri", "uri", "modelUri") else "number"
    if insert and parent.child(key) is None:
        return Found(Scalar(documents, parent, holds, missing=key, insert=True))
    return Found(Scalar(documents, descend(parent, (key,)), holds, insert=insert))


def _storage(documents: Documents, component: Place, *, insert: bool) -> Found:
    """`storageUri` of `model:`, of a framework's own key in older manifests, or the only `storageUris`."""
    listed = try_descend(component, ("storageUris",))
    if listed is not None:
        uri = one(
            [found for item in listed.items() if (found := item.child("uri")) is not None],
            "storageUri",
            f"{show(listed.path)} holds no uri",
            "point at one by `pointer`",
        )
        return Found(Scalar(documents, uri, "text"))
    model = component.child("model")
    if model is not None and model.child("storageUri") is None and insert:
        return Found(Scalar(documents, model, "text", missing="storageUri", insert=True))
    place = one(
        [found for part in _parts(component) if (found := part.child("storageUri")) is not None],
        "storageUri",
        f"{show(component.path)} (line {component.node.line}) has no storageUri in `model` or a framework",
        "point at one by `pointer`",
    )
    return Found(Scalar(documents, place, "text", insert=insert))


def _component_image(component: Place, container: str | None) -> Place:
    fitting = [place for place in containers(component) if container in (None, place.text("name"))]
    images = [place.child("image") for place in fitting]
    if container is None:
        images += [part.child("image") for part in _parts(component)]
    return one(
        [image for image in images if image is not None],
        "the image",
        f"{show(component.path)} (line {component.node.line}) has no image of {container or 'a container'}",
        "tell the `container`",
    )


def _parts(component: Place) -> Iterator[Place]:
    """`model:`, `sklearn:` and the like: every mapping right under the component."""
    for key, value in component.node.pairs() if component.node.kind == "mapping" else ():
        if key.kind == "scalar" and value.kind != "scalar":
            part = component.child(key.value)
            if part is not None and part.node.kind == "mapping":
                yield part


def _graph(predictor: Place) -> Iterator[Place]:
    """Every node of a predictor's inference graph."""
    waiting = [place for place in (predictor.child("graph"),) if place is not None]
    while waiting:
        place = waiting.pop(0)
        yield place
        # An alias could lead in a circle, so a graph is followed no deeper than anyone writes one.
        children = place.child("children") if len(place.chain) < MAX_GRAPH else None
        waiting += children.items() if children is not None else []


def _seldon_containers(predictor: Place) -> Iterator[Place]:
    specs = predictor.child("componentSpecs")
    for item in specs.items() if specs is not None else ():
        spec = item.child("spec")
        if spec is not None:
            yield from containers(spec)
