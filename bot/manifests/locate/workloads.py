"""Containers of workloads, their environment variables, ConfigMaps, and services of docker-compose."""

from collections.abc import Iterator

from bot.domain.target import ComposeService, ConfigMapKey, ContainerEnv, ContainerImage, Workload
from bot.manifests.documents import Documents
from bot.manifests.errors import NotFound
from bot.manifests.forms import Scalar
from bot.manifests.locate.found import Found, named, one, select
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
    kinds = (selector.kind,) if selector.kind is not None else ()
    seen = [
        (workload, container)
        for workload in select(documents, kinds, selector.name)
        for path in POD_SPECS
        if (pod_spec := try_descend(workload, path)) is not None
        for container in containers(pod_spec)
    ]
    there = ", ".join(f"{container.text('name')} of {named(workload)}" for workload, container in seen[:10])
    return one(
        [container for _, container in seen if container.text("name") == selector.container],
        f"container {selector.container}",
        f"no container {selector.container}; there are {there or 'none'}",
        "tell `kind` and `name`",
    )
