"""A team's own names in the files of the template: bytes in, bytes out.

Whatever a team changes stands in the template under a name that means nothing else there, so that one pass
over each file replaces them all, and what is put in is never looked at again:

    your-team/models-gitops                           organisation and repository
    registry.example.com/ml, example.com              registry and domain
    fraud-detector, demand-forecast, …                the model of each serving style
    namespace: staging, namespace="production", …     namespaces, after that word and in addresses only
    namespace: mlflow, namespace: monitoring, …       where MLflow and Prometheus are, as their addresses tell

A serving style that nobody asked for is left out, with its files, its part of slipway.yaml, and the rows and
items of the README that name its model.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from bot.manifests.errors import BadReference
from bot.manifests.image_reference import check_name, split_name
from bot.manifests.scalars import reads_as_string


class Style(StrEnum):
    """How a model is served."""

    DEPLOYMENT = "deployment"
    HELM = "helm"
    KSERVE = "kserve"
    ROLLOUT = "rollout"
    SAGEMAKER = "sagemaker"


EXAMPLES: Mapping[Style, str] = {
    Style.DEPLOYMENT: "fraud-detector",
    Style.HELM: "demand-forecast",
    Style.KSERVE: "churn-risk",
    Style.ROLLOUT: "product-ranking",
    Style.SAGEMAKER: "price-estimate",
}
"""The model of each style in the template."""

ENVIRONMENTS = ("staging", "production")
MLFLOW = "http://mlflow.mlflow.svc:5000"
PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"
AWS_ACCOUNT, AWS_REGION = "123456789012", "eu-west-1"

_ONLY_FOR: Mapping[Style, tuple[str, ...]] = {
    Style.DEPLOYMENT: ("monitoring/prometheus-adapter.values.yaml",),
    Style.HELM: ("charts/",),
    Style.SAGEMAKER: ("argocd/health.yaml", "policies/managed", "monitoring/cloudwatch-exporter.values.yaml"),
}
"""Files, or how their paths begin, that no other style needs; a model's own files come on top."""

# Written by `slipway schema`: what looks like a team's names there are examples.
_GENERATED = ".schema.json"
_MLFLOW_NAMESPACE, _PROMETHEUS_NAMESPACE = "mlflow", "monitoring"
_NAMESPACES = "|".join((*ENVIRONMENTS, _MLFLOW_NAMESPACE, _PROMETHEUS_NAMESPACE))
_BEFORE = r"\bnamespace(?:: |=\\?\"|=)|--namespace |\bkubernetes\.io/metadata\.name: |\.(?=\w+\.svc)"
_NAMESPACE = rf"(?P<before>{_BEFORE})(?P<namespace>{_NAMESPACES})\b"
_IN_CLUSTER = re.compile(r"[^.]+\.(?P<namespace>[a-z0-9-]+)\.svc(?:\..+)?")
_README_PART = re.compile(r"\n(?=\n|\| |- |\d+\. | +- )")

_ORGANIZATION = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Kubernetes and SageMaker make longer names of it: 63 characters are the most they take.
_MODEL = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,34}")
_DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class TeamNames:
    """What a team calls its own. `models` holds the styles that are wanted; `namespaces` one for each
    environment; without a `bucket`, ORGANIZATION-models. The addresses of MLflow and Prometheus tell their
    namespaces where they are in the cluster.
    """

    organization: str
    repository: str
    registry: str
    domain: str
    models: Mapping[Style, str] = field(default_factory=lambda: dict(EXAMPLES))
    namespaces: Mapping[str, str] = field(default_factory=lambda: {name: name for name in ENVIRONMENTS})
    mlflow: str = MLFLOW
    prometheus: str = PROMETHEUS
    bucket: str = ""
    aws_account: str = AWS_ACCOUNT
    aws_region: str = AWS_REGION


def mistakes(names: TeamNames) -> tuple[str, ...]:
    """What keeps these names from being used, each in a sentence; empty when they are good."""
    return tuple(_mistakes(names))


def written(template: Mapping[str, bytes], names: TeamNames) -> dict[str, bytes]:
    """Path → bytes of a team's own repository, from path → bytes of the template.

    `names` must be without mistakes.
    """
    replaced = {
        "your-team-models": _bucket(names),
        "your-team": names.organization,
        "models-gitops": names.repository,
        "registry.example.com/ml": names.registry,
        "example.com": names.domain,
        MLFLOW: names.mlflow,
        PROMETHEUS: names.prometheus,
        AWS_ACCOUNT: names.aws_account,
        AWS_REGION: names.aws_region,
        **{EXAMPLES[style]: name for style, name in names.models.items()},
    }
    literal = "|".join(re.escape(name) for name in sorted(replaced, key=len, reverse=True))
    anything = re.compile(f"{_NAMESPACE}|{literal}")
    namespaces = {**names.namespaces, **_platform(names)}
    unwanted = [name for style, name in EXAMPLES.items() if style not in names.models]

    def own(found: re.Match[str]) -> str:
        namespace = found["namespace"]
        return replaced[found[0]] if namespace is None else found["before"] + namespaces[namespace]

    left_out = _left_out(names)
    made = {}
    for path, content in template.items():
        if path.startswith(left_out):
            continue
        text = content.decode()
        if path == "slipway.yaml":
            text = _without(text, unwanted)
        if path == "README.md":
            parts = _README_PART.split(text)
            text = "\n".join(part for part in parts if not any(f"`{name}`" in part for name in unwanted))
        own_text = text if path.endswith(_GENERATED) else anything.sub(own, text)
        made[anything.sub(own, path)] = own_text.encode()
    return made


def _left_out(names: TeamNames) -> tuple[str, ...]:
    """How the paths begin that only unwanted styles need."""
    starts: list[str] = []
    for style, model in EXAMPLES.items():
        if style not in names.models:
            starts += [f"models/{model}/", f"apps/{model}-", *_ONLY_FOR.get(style, ())]
    return tuple(starts)


def _without(configuration: str, models: list[str]) -> str:
    """slipway.yaml without these models. Each model's part begins after an empty line."""
    begins = re.compile(rf"^  (?:{'|'.join(models)}):$", re.MULTILINE)
    kept = [part for part in configuration.split("\n\n") if not begins.search(part)]
    return "\n\n".join(kept).rstrip("\n") + "\n"


def _platform(names: TeamNames) -> dict[str, str]:
    """The template's namespaces of MLflow and Prometheus → the team's. Outside the cluster they have none."""
    addresses = {_MLFLOW_NAMESPACE: names.mlflow, _PROMETHEUS_NAMESPACE: names.prometheus}
    hosts = {
        name: _IN_CLUSTER.fullmatch(urlsplit(address).hostname or "") for name, address in addresses.items()
    }
    return {name: host["namespace"] if host else name for name, host in hosts.items()}


def _bucket(names: TeamNames) -> str:
    return names.bucket or f"{names.organization.lower()}-models"


def _mistakes(names: TeamNames) -> Iterator[str]:
    for value, pattern, what in (
        (names.organization, _ORGANIZATION, "an organisation of GitHub: letters, digits and single dashes"),
        (names.repository, _REPOSITORY, "a repository: letters, digits, `-`, `_` and `.`"),
        (names.domain, _DOMAIN, "a domain such as acme.com"),
        (names.mlflow, _ADDRESS, "an address such as http://mlflow.mlflow.svc:5000"),
        (names.prometheus, _ADDRESS, "an address such as http://prometheus.monitoring.svc:9090"),
        (names.bucket or "models", _BUCKET, "a bucket: 3 to 63 small letters, digits, `-` and `.`"),
        (names.aws_account, _ACCOUNT, "an AWS account: twelve digits"),
        (names.aws_region, _REGION, "an AWS region such as eu-west-1"),
    ):
        if not pattern.fullmatch(value):
            yield f"{_shown(value)} is not {what}"
    if not _is_registry(names.registry):
        yield f"{_shown(names.registry)} is not a place for images such as registry.acme.com/ml"
    yield from _mistakes_in(
        "model", names.models, _MODEL, "small letters, digits and single dashes, at most 35"
    )
    yield from _mistakes_in("namespace", names.namespaces, _DNS_LABEL, "small letters, digits and dashes")
    if not names.models:
        yield "no model is named: name at least one, for example deployment=fraud-detector"
    reserved = {"argocd", "slipway", *_platform(names).values()}
    for environment, namespace in names.namespaces.items():
        if namespace in reserved:
            yield f"the namespace of {environment} cannot be {namespace}: the platform lives there"


def _mistakes_in(
    what: str, names: Mapping[str, str] | Mapping[Style, str], pattern: re.Pattern[str], rule: str
) -> Iterator[str]:
    for name in names.values():
        if not pattern.fullmatch(name):
            yield f"{_shown(name)} is not the name of a {what}: {rule}"
        elif not reads_as_string(name):
            yield f"{_shown(name)} is no good name of a {what}: YAML reads it as something else than text"
    for name in sorted({name for name in names.values() if [*names.values()].count(name) > 1}):
        yield f"{_shown(name)} is the {what} twice"


def _is_registry(registry: str) -> bool:
    """A host and a path below it, as every image reference of the template needs."""
    host, _, path = registry.partition("/")
    try:
        check_name(f"{registry}/model")
        return bool(path) and split_name(registry)[0] == host
    except BadReference:
        return False


def _shown(value: str) -> str:
    """A name in a message: quoted, escaped, and not long."""
    return repr(value if len(value) <= 60 else f"{value[:57]}...")  # noqa: PLR2004  what fits on a line
