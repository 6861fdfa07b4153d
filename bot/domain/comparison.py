"""Candidate against baseline: two versions' evidence → what is better, worse, changed, missing.

A metric is compared with its namesake on the same data set where there is one. Which way is better
follows from its name unless the policy says otherwise; where nobody says, it is shown and not judged.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.evidence import Column, Metric, Signature, VersionEvidence


class Direction(StrEnum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"
    UNKNOWN = "unknown"


# fmt: off
_LOWER = frozenset({
    "loss", "logloss", "error", "err", "mae", "mse", "rmse", "mape", "smape", "msle", "brier", "ece",
    "perplexity", "wer", "cer", "fpr", "fnr", "latency", "toxicity", "hallucination", "hallucinations",
    "cost", "regret", "violations",
})
_HIGHER = frozenset({
    "accuracy", "acc", "auc", "auroc", "auprc", "f1", "f2", "precision", "recall", "score", "r2", "ndcg",
    "map", "mrr", "bleu", "rouge", "rouge1", "rouge2", "rougel", "gini", "kappa", "mcc", "tpr", "tnr",
    "sensitivity", "specificity", "correctness", "faithfulness", "relevance", "relevancy",
    "groundedness", "coherence", "fluency", "similarity", "iou", "dice", "hit", "lift", "coverage",
    "pass", "ks",
})
# fmt: on


def direction(name: str, overrides: Mapping[str, Direction] | None = None) -> Direction:
    """Which way a metric is better, by the words in its name: `val_log_loss` → lower.

    A word for "lower" wins over one for "higher" (`error_score`); times and sizes of training are
    nobody's quality and stay unknown.
    """
    if overrides and name in overrides:
        return overrides[name]
    words = set(re.findall(r"[a-z]+[0-9]*|[0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()))
    if words & _LOWER:
        return Direction.LOWER
    return Direction.HIGHER if words & _HIGHER else Direction.UNKNOWN


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric of both versions; None is "not recorded".

    `worse_by` is how much worse the candidate is, as a fraction of the baseline's size: 0 when it is
    as good or better, infinite where the baseline was 0, None where it cannot be judged.
    """

    name: str
    dataset: str | None
    candidate: float | None
    baseline: float | None
    direction: Direction
    same_dataset: bool | None
    """None where the registry does not know the data set of both."""

    @property
    def delta(self) -> float | None:
        if self.candidate is None or self.baseline is None:
            return None
        difference = self.candidate - self.baseline
        return None if math.isnan(difference) else difference

    @property
    def better(self) -> bool | None:
        """None where it cannot be judged, or did not change."""
        if not self.delta or self.direction is Direction.UNKNOWN:
            return None
        return (self.delta > 0) is (self.direction is Direction.HIGHER)

    @property
    def worse_by(self) -> float | None:
        if self.delta is None or self.direction is Direction.UNKNOWN:
            return None
        if self.better is not False:
            return 0.0
        return abs(self.delta / self.baseline) if self.baseline else math.inf


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A parameter, tag or library version that differs; None is "not recorded"."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class SignatureChange:
    """How the signature changed; `breaks` says in sentences what callers of the baseline would notice."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[ValueChange, ...] = ()
    breaks: tuple[str, ...] = ()

    @property
    def breaking(self) -> bool:
        return bool(self.breaks)

    @property
    def unchanged(self) -> bool:
        return not (self.added or self.removed or self.retyped or self.breaks)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside its baseline; `baseline` is None for the first version of an environment."""

    candidate: VersionEvidence
    baseline: VersionEvidence | None
    metrics: tuple[MetricChange, ...] = ()
    parameters: tuple[ValueChange, ...] = ()
    libraries: tuple[ValueChange, ...] = ()
    prompts: tuple[ValueChange, ...] = ()
    """Prompts of the registry that both name, and those of one only: name → version, changed or not."""
    tools: tuple[ValueChange, ...] = ()
    """The same of tools."""
    signature: SignatureChange | None = None
    """None where either version has no signature."""

    @property
    def missing_metrics(self) -> tuple[str, ...]:
        """Metrics that the baseline has and the candidate lacks, of those that can be judged."""
        judged = [metric for metric in self.metrics if metric.direction is not Direction.UNKNOWN]
        return tuple(metric.name for metric in judged if metric.candidate is None)

    @property
    def compare_url(self) -> str | None:
        """The forge's page of what changed in the code between both; None where it cannot be known."""
        new, old = self.candidate, self.baseline
        if old is None or not (new.git_commit and old.git_commit and new.git_repository):
            return None
        if new.git_commit == old.git_commit or old.git_repository not in (None, new.git_repository):
            return None
        if not (_COMMIT.fullmatch(new.git_commit) and _COMMIT.fullmatch(old.git_commit)):
            return None
        repository = web_address(new.git_repository)
        return f"{repository}/compare/{old.git_commit}...{new.git_commit}" if repository else None


_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_SSH = re.compile(r"(?:ssh://)?git@([\w.-]+)[:/]([\w./-]+)", re.ASCII)
_HTTPS = re.compile(r"https?://(?:[^/@\s]*@)?[\w.:-]+/[\w./-]+", re.ASCII)


def web_address(repository: str) -> str | None:
    """`git@host:owner/name.git` or an https address → the page for a browser; None for anything else."""
    address = repository.strip()
    if ssh := _SSH.fullmatch(address):
        address = f"https://{ssh[1]}/{ssh[2]}"
    if not _HTTPS.fullmatch(address) or ".." in address:
        return None
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}".removesuffix("/").removesuffix(".git")


def compare(
    candidate: VersionEvidence,
    baseline: VersionEvidence | None,
    directions: Mapping[str, Direction] | None = None,
) -> Comparison:
    """Put a candidate beside its baseline."""
    if baseline is None:
        alone = tuple(
            MetricChange(m.name, m.dataset, m.value, None, direction(m.name, directions), None)
            for m in candidate.metrics
        )
        prompts, tools = _all({}, _prompts(candidate)), _all({}, candidate.tools)
        return Comparison(candidate, None, alone, prompts=prompts, tools=tools)
    known = candidate.signature is not None and baseline.signature is not None
    return Comparison(
        candidate,
        baseline,
        metrics=_metrics(candidate.metrics, baseline.metrics, directions),
        parameters=_values(baseline.parameters, candidate.parameters),
        libraries=_values(libraries_of(baseline), libraries_of(candidate)),
        prompts=_all(_prompts(baseline), _prompts(candidate)),
        tools=_all(baseline.tools, candidate.tools),
        signature=_signature(baseline.signature, candidate.signature) if known else None,  # type: ignore[arg-type]
    )


def _metrics(
    candidate: tuple[Metric, ...], baseline: tuple[Metric, ...], directions: Mapping[str, Direction] | None
) -> tuple[MetricChange, ...]:
    left = list(baseline)
    changes = []
    for metric in candidate:
        twin = _twin(metric, left)
        if twin is not None:
            left.remove(twin)
        way = direction(metric.name, directions)
        same = _same_dataset(metric, twin)
        value = None if twin is None else twin.value
        changes.append(MetricChange(metric.name, metric.dataset, metric.value, value, way, same))
    changes += [
        MetricChange(m.name, m.dataset, None, m.value, direction(m.name, directions), None) for m in left
    ]
    return tuple(sorted(changes, key=lambda change: (change.name, change.dataset or "")))


def _twin(metric: Metric, others: list[Metric]) -> Metric | None:
    """The other version's metric of this name: same data, else a data set of the same name, else any."""
    namesakes = [other for other in others if other.name == metric.name]
    if not namesakes:
        return None
    return max(
        namesakes,
        key=lambda o: (
            o.dataset_digest is not None and o.dataset_digest == metric.dataset_digest,
            o.dataset == metric.dataset,
        ),
    )


def _same_dataset(metric: Metric, twin: Metric | None) -> bool | None:
    if twin is None or metric.dataset_digest is None or twin.dataset_digest is None:
        return None
    return metric.dataset_digest == twin.dataset_digest


def _values(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[ValueChange, ...]:
    return tuple(value for value in _all(old, new) if value.old != value.new)


def _all(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[ValueChange, ...]:
    return tuple(ValueChange(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))


def _prompts(evidence: VersionEvidence) -> dict[str, str]:
    named = (prompt.rpartition("/") for prompt in evidence.prompts)
    return {name or version: version if name else "" for name, _, version in named}


def libraries_of(evidence: VersionEvidence) -> dict[str, str]:
    """Name → version of the libraries that are known, Python among them."""
    python = {"python": evidence.python_version} if evidence.python_version else {}
    return {**evidence.libraries, **python}


# A column that grew wider still takes what callers send; the model server converts it.
_WIDENED = frozenset({("integer", "long"), ("integer", "double"), ("float", "double")})


def _signature(old: Signature, new: Signature) -> SignatureChange:
    inputs = _columns(old.inputs, new.inputs, "input")
    outputs = _columns(old.outputs, new.outputs, "output")
    return SignatureChange(
        added=(*inputs.added, *outputs.added),
        removed=(*inputs.removed, *outputs.removed),
        retyped=(*inputs.retyped, *outputs.retyped),
        breaks=(*inputs.breaks, *outputs.breaks),
    )


def _columns(old: tuple[Column, ...], new: tuple[Column, ...], kind: str) -> SignatureChange:
    before, after = {c.name: c for c in old}, {c.name: c for c in new}
    added = tuple(f"{kind} {name}" for name in after if name not in before)
    removed = tuple(f"{kind} {name}" for name in before if name not in after)
    both = [(before[name], after[name]) for name in before if name in after]
    retyped = tuple(ValueChange(f"{kind} {a.name}", a.type, b.type) for a, b in both if a.type != b.type)
    is_input = kind == "input"
    breaks = [f"{kind} `{c.name}` was removed" for c in old if c.name not in after and c.required]
    for a, b in both:
        safe = is_input and (a.type, b.type) in _WIDENED
        if a.type != b.type and not safe and (a.required or b.required):
            breaks.append(f"{kind} `{a.name}` changed its type from {a.type} to {b.type}")
        if is_input and b.required and not a.required:
            breaks.append(f"{kind} `{a.name}` became required")
    if is_input:
        breaks += [f"new input `{c.name}` is required" for c in new if c.name not in before and c.required]
    return SignatureChange(added, removed, retyped, tuple(breaks))
