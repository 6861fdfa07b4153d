"""Containers of workloads, their environment variables, ConfigMaps, and services of docker-compose."""

from collections.abc import Iterable, Iterator

from bot.domain.target import ComposeService, ConfigMapKey, ContainerEnv, ContainerImage, Workload
from bot.manifests.documents import Documents, Node
from bot.manifests.errors import NotFound
from bot.manifests.forms import Scalar
from bot.manifests.locate.found import Found, name_of, named, one, select
from bot.manifests.lookup import Place, descend, root, show, try_descend

# Pod templates: of Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, Argo Rollout, Knative Service and
# whatever else follows them; of CronJob; of Pod; of PodTemplate; the components of a KServe InferenceService;
# of an LLMInferenceService.
POD_SPECS = (
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
    ("spec",),
    ("template", "spec"),
    ("spec", "predictor"),
    ("spec", "transformer"),
    ("spec", "explainer"),
    ("spec", "template"),
)
KNATIVE_DEFAULT = "user-container"
CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def container_image(documents: Documents, selector: ContainerImage) -> Found:
    """The image of a container."""
    return Found(Scalar(documents, descend(_container(documents, selector), ("image",)), "image"))


def container_env(documents: Documents, selector: ContainerEnv) -> Found:
    """The value of an environment variable of a container."""
    container = _container(documents, selector)
    variables = list(descend(container, ("env",)).items())
    there = ", ".join(variable.text("name") or "one without a name" for variable in variables) or "none"
    variable = one(
        [variable for variable in variables if variable.text("name") == selector.env],
        f"the variable {selector.env}",
        f"container {selector.container} has no variable {selector.env}; it has {there}",
        "leave only one",
    )
    if variable.child("value") is None and variable.child("valueFrom") is not None:
        raise NotFound(
            f"the variable {selector.env} takes its value from elsewhere (`valueFrom`): point there"
        )
    return Found(Scalar(documents, descend(variable, ("value",)), "text"))


def config_map(documents: Documents, selector: ConfigMapKey) -> Found:
    """A key of a ConfigMap."""
    place = one(
        select(documents, ("ConfigMap",), selector.configmap),
        f"ConfigMap {selector.configmap}",
        "the file holds no ConfigMap",
        "leave only one in the file",
    )
    data = descend(place, ("data",))
    if data.child(selector.key) is None and selector.insert:
        return Found(Scalar(documents, data, "text", missing=selector.key, insert=True))
    return Found(Scalar(documents, descend(data, (selector.key,)), "text", insert=selector.insert))


def compose(documents: Documents, selector: ComposeService) -> Found:
    """The image or a variable of a docker-compose service."""
    services = [
        place for document in documents.items if (place := root(document).child("services")) is not None
    ]
    section = one(services, "`services:`", "the file has no `services:`", "leave only one")
    service = descend(section, (selector.service,))
    if selector.env is None:
        return Found(Scalar(documents, descend(service, ("image",)), "text" if selector.value else "image"))
    environment = descend(service, ("environment",))
    if environment.node.kind == "mapping":
        return Found(Scalar(documents, descend(environment, (selector.env,)), "text"))
    prefix = f"{selector.env}="
    variable = one(
        [item for item in environment.items() if item.node.value.startswith(prefix)],
        f"the variable {selector.env}",
        f"{show(environment.path)} has no {prefix}…",
        "leave only one",
    )
    return Found(Scalar(documents, variable, "text", prefix=prefix))


def containers(pod_spec: Place) -> Iterator[Place]:
    """All containers of a pod template, init containers included."""
    for key in CONTAINER_LISTS:
        listed = pod_spec.child(key)
        if listed is not None:
            yield from listed.items()


def _container(documents: Documents, selector: Workload) -> Place:
    """The container in a pod template, or, where none of these has it, anywhere in the objects (jobs inside
    of analysis templates, replicas of training jobs, component specs of Seldon, …).
    """
    kinds = (selector.kind,) if selector.kind is not None else ()
    workloads = select(documents, kinds, selector.name)
    for everywhere in (False, True):
        seen = [pair for workload in workloads for pair in _containers_of(workload, everywhere=everywhere)]
        fitting = [place for workload, place in seen if selector.container in _names(workload, place)]
        if fitting:
            break
    there = ", ".join(f"{_names(workload, place)[0]} of {named(workload)}" for workload, place in seen[:10])
    return one(
        fitting,
        f"container {selector.container}",
        f"no container {selector.container}; there are {there or 'none'}",
        "tell `kind` and `name`",
    )


def _containers_of(workload: Place, *, everywhere: bool) -> Iterator[tuple[Place, Place]]:
    """(workload, container) of each container."""
    if everywhere:
        pod_specs: Iterable[Place | None] = _mappings(workload)
    else:
        pod_specs = (try_descend(workload, path) for path in POD_SPECS)
    for pod_spec in pod_specs:
        if pod_spec is not None:
            yield from ((workload, container) for container in containers(pod_spec))


def _names(workload: Place, container: Place) -> tuple[str, ...]:
    """What a container is called. Knative lets the only one go unnamed and calls it user-container."""
    name = container.text("name")
    if name is not None:
        return (name,)
    return (KNATIVE_DEFAULT, name_of(workload) or KNATIVE_DEFAULT)


def _mappings(place: Place) -> Iterator[Place]:
    """Every mapping of an object that is written there itself, not by an alias."""
    waiting = [place]
    while waiting:
        here = waiting.pop()
        if here.node.kind == "mapping":
            yield here
            children: Iterable[tuple[str | int, Node]] = (
                (key.value, value) for key, value in here.node.pairs()
            )
        else:
            children = enumerate(here.node.children)
        waiting += [
            Place(here.document, (*here.path, segment), (*here.chain, child))
            for segment, child in children
            if child.kind in ("mapping", "sequence")
        ]
