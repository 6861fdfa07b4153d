"""MLflow's version, run, logged model and `MLmodel` file → the evidence of one version."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.adapters.mlflow.mlmodel import ModelFile
from bot.domain.evidence import Dataset, Metric, VersionEvidence

_TOOL = "tool."
"""A parameter or a tag `tool.NAME` says which version of a tool an LLM application calls."""
_LICENCE_TAGS = ("license", "licence", "model.license", "slipway.licence")


def evidence(
    version: Any,
    run: Any,
    logged: Any,
    file: ModelFile,
    *,
    url: str,
    run_url: str | None,
    unreadable: tuple[str, ...],
) -> VersionEvidence:
    """Put the parts together; `run` and `logged` may be None."""
    run_tags = dict(run.data.tags) if run else {}
    tags = dict(version.tags)
    return VersionEvidence(
        model=version.name,
        version=str(version.version),
        url=url,
        run_url=run_url,
        created_at=moment(version.creation_timestamp),
        creator=run_tags.get("mlflow.user") or version.user_id or None,
        description=version.description or "",
        tags=tags,
        metrics=_metrics(run, logged),
        parameters=_parameters(run, logged),
        signature=file.signature,
        datasets=_datasets(run),
        git_commit=run_tags.get("mlflow.source.git.commit"),
        git_branch=run_tags.get("mlflow.source.git.branch") or run_tags.get("mlflow.gitBranch"),
        git_repository=run_tags.get("mlflow.source.git.repoURL") or run_tags.get("mlflow.gitRepoURL"),
        flavors=file.flavors,
        python_version=file.python_version,
        libraries=file.libraries,
        size_bytes=file.size_bytes,
        licence=licence(tags),
        input_example=file.input_example if file.flavors else None,
        prompts=tuple(dict.fromkeys((*file.prompts, *_linked_prompts(logged)))),
        tools=_tools(_parameters(run, logged), run_tags, (logged.tags if logged else None) or {}, tags),
        trained_at=moment(run.info.end_time) if run and run.info.end_time else None,
        unreadable=unreadable,
    )


def licence(tags: Mapping[str, str]) -> str | None:
    """What the tags of a version say about its licence."""
    return next((value for key, value in tags.items() if key.lower() in _LICENCE_TAGS), None)


def moment(milliseconds: float | None) -> datetime | None:
    """Unix milliseconds as an aware time."""
    return None if not milliseconds else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _metrics(run: Any, logged: Any) -> tuple[Metric, ...]:
    """The logged model's metrics, newest of each name and data set; then what only the run recorded."""
    newest: dict[tuple[str, str | None], Any] = {}
    for metric in _sorted_by_time((logged.metrics if logged else None) or ()):
        newest[metric.key, metric.dataset_digest] = metric
    found = [Metric(m.key, float(m.value), m.dataset_name, m.dataset_digest) for m in newest.values()]
    known = {metric.name for metric in found}
    of_run = run.data.metrics if run else {}
    found += [Metric(name, float(value)) for name, value in of_run.items() if name not in known]
    return tuple(sorted(found, key=lambda metric: (metric.name, metric.dataset or "")))


def _sorted_by_time(metrics: Iterable[Any]) -> list[Any]:
    return sorted(metrics, key=lambda metric: (metric.timestamp, metric.step))


def _parameters(run: Any, logged: Any) -> dict[str, str]:
    merged = dict(run.data.params) if run else {}
    merged.update((logged.params if logged else None) or {})
    return {name: str(merged[name]) for name in sorted(merged)}


def _datasets(run: Any) -> tuple[Dataset, ...]:
    inputs = run.inputs.dataset_inputs if run and run.inputs else ()
    return tuple(
        Dataset(
            item.dataset.name,
            item.dataset.digest,
            next((tag.value for tag in item.tags if tag.key == "mlflow.data.context"), None),
        )
        for item in inputs
    )


def _tools(*sources: Mapping[str, str]) -> dict[str, str]:
    """Name → version; what was said of the version itself, the last source, counts."""
    said = {key: str(value) for source in sources for key, value in source.items()}
    return {key.removeprefix(_TOOL): said[key] for key in sorted(said) if key.startswith(_TOOL)}


def _linked_prompts(logged: Any) -> list[str]:
    """Prompts that MLflow itself linked to a logged model: a JSON list in one of its tags."""
    text = logged.tags.get("mlflow.linkedPrompts") if logged else None
    try:
        items = json.loads(text) if text else []
    except ValueError:
        return []
    if not isinstance(items, list):
        return []
    return [
        f"{item['name']}/{item['version']}"
        for item in items
        if isinstance(item, dict) and "name" in item and "version" in item
    ]
