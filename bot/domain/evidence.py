"""What is known of a version: the material that gates and reviewers judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a version; `dataset` and `dataset_digest` where the registry knows them."""

    name: str
    value: float
    dataset: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a signature."""

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """What goes in and comes out; `params` are the optional settings of a call."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    params: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    name: str
    digest: str
    context: str | None = None


@dataclass(frozen=True, slots=True)
class VersionEvidence:
    """Everything about one version that a reviewer may want; None and empty mean "not recorded"."""

    model: str
    version: str
    url: str
    run_url: str | None = None
    created_at: datetime | None = None
    creator: str | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    signature: Signature | None = None
    datasets: tuple[Dataset, ...] = ()
    git_commit: str | None = None
    git_branch: str | None = None
    git_repository: str | None = None
    flavors: tuple[str, ...] = ()
    python_version: str | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int | None = None
    licence: str | None = None
    input_example: bool | None = None
    prompts: tuple[str, ...] = ()
    """Prompts of the registry that an LLM application names, as `name/version`."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Tools that an LLM application calls, name → version."""
    prompt: str | None = None
    """The text, where the version is one of a prompt and not of a model."""
    trained_at: datetime | None = None
    """When the training run ended."""
    unreadable: tuple[str, ...] = ()
    """Sentences that say which part of the evidence could not be read, and why."""
