"""One entry point: any selector to what it finds."""

from bot.domain.target import (
    ArgoCd,
    ComposeService,
    ConfigMapKey,
    ContainerEnv,
    ContainerImage,
    FluxHelmRelease,
    FluxSetter,
    HelmValues,
    KServe,
    KustomizeImage,
    Marker,
    Pointer,
    Seldon,
    Selector,
)
from bot.manifests.documents import Documents
from bot.manifests.locate import argocd, comments, kustomize, paths, serving, workloads
from bot.manifests.locate.found import Found


def locate(documents: Documents, selector: Selector) -> Found:  # noqa: C901, PLR0912 - one row for each kind of target
    """Find where a selector's pin is. Raises NotFound, Ambiguous, UnsupportedScalar, BadReference."""
    match selector:
        case KustomizeImage():
            return kustomize.image(documents, selector)
        case HelmValues():
            return paths.helm(documents, selector)
        case ContainerImage():
            return workloads.container_image(documents, selector)
        case ContainerEnv():
            return workloads.container_env(documents, selector)
        case ConfigMapKey():
            return workloads.config_map(documents, selector)
        case KServe():
            return serving.kserve(documents, selector)
        case Seldon():
            return serving.seldon(documents, selector)
        case ArgoCd():
            return argocd.argocd(documents, selector)
        case FluxHelmRelease():
            return paths.flux(documents, selector)
        case FluxSetter():
            return comments.setter(documents, selector)
        case ComposeService():
            return workloads.compose(documents, selector)
        case Pointer():
            return paths.pointer(documents, selector)
        case Marker():
            return comments.marker(documents, selector)
