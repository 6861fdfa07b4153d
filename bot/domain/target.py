"""Where a pin is, and where its value comes from: the entries of `slipway.yaml` about both.

A selector is one entry of an environment's `targets:`. What kind it is shows in the keys it has:

    kustomize + image           an entry of `images:` in a kustomization
    helm + path                 Helm values
    file + container            the image of a container of any workload
    file + container + env      an environment variable of a container
    file + configmap + key      a key of a ConfigMap
    kserve                      InferenceService, LLMInferenceService
    seldon                      SeldonDeployment
    argocd                      Application, ApplicationSet
    flux + path                 values of a HelmRelease
    file + setter               Flux setter comments
    compose + service           docker-compose
    file + pointer              any scalar, by JSON Pointer
    file + marker               any scalar, by a comment on its line

Which version goes there is told once for the model, by `image:` or `storage:`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bot.domain.paths import FilePath, FolderPath
from bot.domain.template import Template

KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

Path = str | tuple[str | int, ...]
"""`image.tag`, `list[0].tag`, `"key.with.dots".tag`, or a list of keys and indexes."""


class Entry(BaseModel):
    """What all selectors share."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file_key: ClassVar[str] = "file"

    def candidate_files(self) -> tuple[str, ...]:
        """The files this entry may mean, best first: exactly one of them should exist."""
        return (getattr(self, self.file_key),)


class FileEntry(Entry):
    """An entry that names its file by `file:`."""

    file: FilePath = Field(description="File with the pin, from the root of the repository.")


INSERT = Field(
    default=False,
    description="Whether a missing key may be added. Otherwise a missing key is a mistake that is reported.",
)
VALUE = Field(
    default=None,
    description=(
        'What to write, for example "models:/{model}/{version}" or "{version}". '
        "Without it, what the model's `image:` or `storage:` says."
    ),
)


class KustomizeImage(Entry):
    """An entry of `images:` in a kustomization, found by literal equality of its name."""

    kustomize: FolderPath = Field(description="Folder with a kustomization, or the file itself.")
    image: str = Field(min_length=1, description="`name` of the entry under `images:`.")
    insert: bool = INSERT

    def candidate_files(self) -> tuple[str, ...]:
        if self.kustomize.endswith((".yaml", ".yml")) or self.kustomize.rpartition("/")[2] == "Kustomization":
            return (self.kustomize,)
        folder = f"{self.kustomize}/" if self.kustomize else ""
        return tuple(folder + name for name in KUSTOMIZATION_NAMES)


class HelmValues(Entry):
    """An image or a scalar in a Helm values file.

    A mapping at the path is the dict form (`registry`, `repository`, `tag`, `digest`), a string the
    one-string form; a path that ends in `tag`, `digest` or `repository` means the mapping around it.
    """

    file_key: ClassVar[str] = "helm"

    helm: FilePath = Field(description="Helm values file.")
    path: Path = Field(
        description='Keys down to the image, "image", "servers[0].image" or [servers, 0, image]; '
        "a key with dots stands in double quotes or in a list."
    )
    document: int | None = Field(default=None, ge=0, description="Which document of the file, from 0.")
    value: Template | None = VALUE
    insert: bool = INSERT


class Workload(FileEntry):
    """A container of a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod, Rollout or
    Knative Service.
    """

    container: str = Field(
        min_length=1,
        description="Name of the container or init container; user-container where Knative's has none.",
    )
    kind: str | None = Field(default=None, description="Kind of the workload, where the file has several.")
    name: str | None = Field(default=None, description="Name of the workload, where the file has several.")


class ContainerImage(Workload):
    """The image of a container."""


class ContainerEnv(Workload):
    """The value of an environment variable of a container, for services that load the model at start."""

    env: str = Field(min_length=1, description="Name of the environment variable.")
    value: Template | None = VALUE


class ConfigMapKey(FileEntry):
    """A key under `data:` of a ConfigMap."""

    configmap: str = Field(min_length=1, description="Name of the ConfigMap.")
    key: str = Field(min_length=1, description="Key under `data:`.")
    value: Template | None = VALUE
    insert: bool = INSERT


class KServe(Entry):
    """A field of a KServe InferenceService or LLMInferenceService."""

    file_key: ClassVar[str] = "kserve"

    kserve: FilePath = Field(description="File with the InferenceService or LLMInferenceService.")
    name: str | None = Field(default=None, description="Name of the service, where the file has several.")
    field: Literal["storageUri", "image", "canaryTrafficPercent", "trafficPercent", "uri", "weight"] = Field(
        default="storageUri",
        description="storageUri, image or canaryTrafficPercent of the component; trafficPercent of an entry "
        "of spec.canary; uri (spec.model.uri) or weight (spec.router.route.weight) of an "
        "LLMInferenceService.",
    )
    component: Literal["predictor", "transformer", "explainer"] = Field(
        default="predictor", description="Which component of the InferenceService."
    )
    canary: int | None = Field(
        default=None, ge=0, description="Which entry of spec.canary, from 0; without it, the service itself."
    )
    container: str | None = Field(
        default=None, description="For `image`: which container, where the component has several."
    )
    value: Template | None = VALUE
    insert: bool = INSERT


class Seldon(Entry):
    """A field of a SeldonDeployment."""

    file_key: ClassVar[str] = "seldon"

    seldon: FilePath = Field(description="File with the SeldonDeployment.")
    name: str | None = Field(default=None, description="Name of the SeldonDeployment.")
    field: Literal["modelUri", "traffic", "image"] = Field(
        default="modelUri",
        description="modelUri of a graph node, traffic of a predictor, image of a container.",
    )
    predictor: str | None = Field(default=None, description="Name of the predictor, where there are several.")
    node: str | None = Field(
        default=None, description="Name of the graph node (or container), where there are several."
    )
    value: Template | None = VALUE
    insert: bool = INSERT


class ArgoCd(Entry):
    """A Helm parameter, a kustomize image or Helm values inside an Argo CD Application or ApplicationSet."""

    file_key: ClassVar[str] = "argocd"

    argocd: FilePath = Field(description="File with the Application or ApplicationSet.")
    name: str | None = Field(default=None, description="Name of the Application, where the file has several.")
    parameter: str | None = Field(default=None, description="Name of a Helm parameter, such as image.tag.")
    image: str | None = Field(default=None, description="Image of an entry of kustomize.images, without tag.")
    path: Path | None = Field(
        default=None, description="Path in helm.valuesObject or helm.values (also as a block of text)."
    )
    source: int | None = Field(default=None, ge=0, description="Which entry of spec.sources, from 0.")
    value: Template | None = VALUE
    insert: bool = INSERT

    @model_validator(mode="after")
    def _one_place(self) -> "ArgoCd":
        given = [key for key in ("parameter", "image", "path") if getattr(self, key) is not None]
        if len(given) != 1:
            told = " and ".join(f"`{key}`" for key in given) or "none of them"
            raise ValueError(
                f"an argocd target has exactly one of `parameter`, `image` and `path`; here: {told}"
            )
        return self


class FluxHelmRelease(Entry):
    """Values of a Flux HelmRelease."""

    file_key: ClassVar[str] = "flux"

    flux: FilePath = Field(description="File with the HelmRelease.")
    name: str | None = Field(default=None, description="Name of the HelmRelease, where the file has several.")
    path: Path = Field(description="Path below spec.values, written as for `helm`.")
    value: Template | None = VALUE
    insert: bool = INSERT


class FluxSetter(FileEntry):
    """Every scalar whose line carries Flux's comment `# {"$imagepolicy": "namespace:policy"}`."""

    setter: str = Field(
        pattern=r"^[^:\s\"]+:[^:\s\"]+$",
        description="namespace:policy. Scalars marked with :tag, :name or :digest get that part.",
    )


class ComposeService(Entry):
    """The image, or an environment variable, of a service in a docker-compose file."""

    file_key: ClassVar[str] = "compose"

    compose: FilePath = Field(description="The docker-compose file.")
    service: str = Field(min_length=1, description="Name of the service.")
    env: str | None = Field(default=None, description="An environment variable instead of the image.")
    value: Template | None = VALUE


class DocumentName(BaseModel):
    """A document of a file, by what it describes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(description="`kind` of the document.")
    name: str | None = Field(default=None, description="`metadata.name` of the document.")


class Pointer(FileEntry):
    """Any scalar, by JSON Pointer (RFC 6901)."""

    pointer: str | tuple[str | int, ...] = Field(
        description='"/spec/image", or a list of keys and indexes where keys hold slashes.'
    )
    document: int | DocumentName | None = Field(
        default=None,
        description="Number of the document from 0, or {kind, name}; needed where several match.",
    )
    value: Template | None = VALUE
    insert: bool = INSERT


class Marker(FileEntry):
    """The scalar whose line carries the comment `# slipway: NAME`."""

    marker: str = Field(
        pattern=r"^[A-Za-z0-9][\w./-]*$", description="NAME of the comment `# slipway: NAME`."
    )
    value: Template | None = VALUE


# Head key (and what must stand beside it) → kind of entry, in the order in which they are told to people.
_KINDS: Mapping[str, type[Entry]] = {
    "kustomize": KustomizeImage,
    "helm": HelmValues,
    "container": ContainerImage,
    "env": ContainerEnv,
    "configmap": ConfigMapKey,
    "kserve": KServe,
    "seldon": Seldon,
    "argocd": ArgoCd,
    "flux": FluxHelmRelease,
    "setter": FluxSetter,
    "compose": ComposeService,
    "pointer": Pointer,
    "marker": Marker,
}
_HEADS = ("kustomize", "helm", "kserve", "seldon", "argocd", "flux", "compose")
_BESIDE_FILE = ("container", "configmap", "setter", "pointer", "marker")
_FORMS = (
    "kustomize + image, helm + path, file + container (+ env), file + configmap + key, kserve, seldon, "
    "argocd, flux + path, file + setter, compose + service, file + pointer, file + marker"
)


def _check_keys(value: object) -> object:
    """Exactly one kind of target must show; say which ones do otherwise."""
    if not isinstance(value, Mapping):
        return value
    given = [key for key in (*_HEADS, *_BESIDE_FILE) if key in value and not _is_detail(key, value)]
    if not given:
        lead = (
            "`file` needs one more key that says what in it" if "file" in value else "no kind of target shows"
        )
        raise PydanticCustomError(
            "target_kind", "{lead}; a target is one of: {forms}", {"lead": lead, "forms": _FORMS}
        )
    if len(given) > 1:
        told = " and ".join(f"`{key}`" for key in given)
        raise PydanticCustomError(
            "target_kind", "{told} do not go together: write one target for each", {"told": told}
        )
    return value


def _is_detail(key: str, value: Mapping[str, Any]) -> bool:
    """`container` is also a detail of a kserve target."""
    return key == "container" and "kserve" in value


def _kind(value: object) -> str | None:
    if isinstance(value, Entry):
        return next(name for name, kind in _KINDS.items() if kind is type(value))
    if not isinstance(value, Mapping):
        return None
    for key in (*_HEADS, "configmap", "setter", "pointer", "marker"):
        if key in value:
            return key
    return "env" if "env" in value else "container"


Selector = Annotated[
    Annotated[KustomizeImage, Tag("kustomize")]
    | Annotated[HelmValues, Tag("helm")]
    | Annotated[ContainerImage, Tag("container")]
    | Annotated[ContainerEnv, Tag("env")]
    | Annotated[ConfigMapKey, Tag("configmap")]
    | Annotated[KServe, Tag("kserve")]
    | Annotated[Seldon, Tag("seldon")]
    | Annotated[ArgoCd, Tag("argocd")]
    | Annotated[FluxHelmRelease, Tag("flux")]
    | Annotated[FluxSetter, Tag("setter")]
    | Annotated[ComposeService, Tag("compose")]
    | Annotated[Pointer, Tag("pointer")]
    | Annotated[Marker, Tag("marker")],
    Discriminator(
        _kind,
        custom_error_type="target_kind",
        custom_error_message="a target is a mapping, for example {kustomize: FOLDER, image: NAME}",
    ),
    BeforeValidator(_check_keys),
]
"""One entry of `targets:`."""


class ImageSource(BaseModel):
    """`image:` of a model: the container image of a version, told in full or read from a tag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: str | None = Field(
        default=None,
        min_length=1,
        description="Image repository, such as registry.example.com/ml/fraud-detector.",
    )
    tag: Template | None = Field(default=None, description='Image tag of a version, such as "v{version}".')
    from_tag: str | None = Field(
        default=None,
        min_length=1,
        description="Name of a tag of the version (or else of its run) that holds the whole image reference.",
    )
    pin: Literal["digest", "tag"] = Field(
        default="tag",
        description="digest: the registry is asked for the digest of the tag, and both are pinned.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> "ImageSource":
        if self.from_tag is not None and (self.repository is not None or self.tag is not None):
            raise ValueError("`from_tag` holds the whole reference: leave out `repository` and `tag`")
        if self.from_tag is None and self.tag is None:
            raise ValueError('`tag` is missing, for example "v{version}" (or `from_tag`)')
        return self


StorageSource = Template
"""`storage:` of a model: where its files are, such as "{source}" or "models:/{model}/{version}"."""
