"""What gates judge by: plain values that `reconcile` observed, and what expressions see of them.

`for_expressions` is the documented view (docs/policies.md, kept in step by a test): missing is null or
absent, never zero; a metric that is NaN stays NaN, and a gate that needs it fails.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.comparison import Comparison, Direction, MetricChange, direction
from bot.domain.evidence import Metric, VersionEvidence
from bot.domain.hold import Hold, Quarantine
from bot.domain.policy import Policy
from bot.domain.pull import Permission, Pull
from bot.domain.spans import spoken

_LONGEST_TEXT = 4_000
_MOST_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's last review that says yes; `teams` are those of the policy that the person is in."""

    author: str
    commit: str
    permission: Permission
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EarlierEnvironment:
    """The environment that must have verified the version first; `verified_at` None: it has not."""

    name: str
    verified_at: datetime | None = None
    reason: str = ""
    """Why it has not, where that is known."""
    left_at: datetime | None = None
    """When another version took its place there, which was not taken back."""
    left_for: str = ""
    """That version."""

    def cut_short(self, soak: timedelta) -> str | None:
        """Why it cannot soak there any longer, where another version came too early."""
        if self.verified_at is None or self.left_at is None or self.left_at >= self.verified_at + soak:
            return None
        ran = spoken(max(self.left_at - self.verified_at, timedelta(0)))
        return (
            f"it must run in {self.name} for {spoken(soak)}, and version {self.left_for} took its place"
            f" after {ran}"
        )


@dataclass(frozen=True, slots=True)
class Image:
    """The image that the pin will name. `signed`, `sbom` None: nobody looked, or the registry cannot tell."""

    reference: str
    digest: str | None = None
    signed: bool | None = None
    sbom: bool | None = None
    by_tag: bool = False
    """The pin names it by its tag, as the model's configuration wants it."""


@dataclass(frozen=True, slots=True)
class Override:
    """A person of the policy's override team lets one promotion through a freeze."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """What happened to this model in this environment; `verified` maps environments to when this very
    version passed there.
    """

    verified: Mapping[str, datetime] = field(default_factory=dict)
    last_promotion: datetime | None = None
    last_failure: datetime | None = None
    promotions_24h: int = 0
    failures_7d: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a gate may ask about one promotion, at one moment."""

    model: str
    environment: str
    comparison: Comparison
    now: datetime
    repository: str = ""
    pull: Pull | None = None
    """None: not opened yet; what concerns the pull request is then left out."""
    head_sha: str | None = None
    """The one commit that Slipway made on the branch."""
    holds: tuple[Hold, ...] = ()
    quarantine: Quarantine | None = None
    calendars: Mapping[str, str] = field(default_factory=dict)
    override: Override | None = None
    earlier: EarlierEnvironment | None = None
    """None: this is the first environment."""
    image: Image | None = None
    """None: the pin names no image."""
    approvals: tuple[Approval, ...] = ()
    authors: frozenset[str] = frozenset()
    """Who asked for the promotion, in whatever way."""
    history: History = field(default_factory=History)


def for_expressions(facts: Facts, policy: Policy) -> dict[str, object]:
    """The facts as the names and values that CEL expressions and message templates use."""
    comparison = facts.comparison
    candidate = _version(comparison.candidate, facts.now, policy.metrics.directions)
    image = facts.image
    candidate["image"] = image and {
        "reference": image.reference,
        "digest": image.digest,
        "signed": image.signed,
        "sbom": image.sbom,
    }
    candidate["quarantined"] = facts.quarantine is not None
    history = facts.history
    return {
        "candidate": candidate,
        "baseline": comparison.baseline
        and _version(comparison.baseline, facts.now, policy.metrics.directions),
        "environment": {
            "name": facts.environment,
            "model": facts.model,
            "repository": facts.repository,
            "after": facts.earlier and facts.earlier.name,
        },
        "evidence": _evidence(comparison, policy),
        "now": facts.now,
        "history": {
            "verified": dict(history.verified),
            "last_promotion": history.last_promotion,
            "last_failure": history.last_failure,
            "promotions_24h": history.promotions_24h,
            "failures_7d": history.failures_7d,
        },
    }


def _version(
    evidence: VersionEvidence, now: datetime, directions: Mapping[str, Direction]
) -> dict[str, object]:
    return {
        "model": evidence.model,
        "version": evidence.version,
        "created": evidence.created_at,
        "age": now - evidence.created_at if evidence.created_at else None,
        "trained": evidence.trained_at,
        "creator": evidence.creator,
        "description": evidence.description[:_LONGEST_TEXT],
        "tags": _texts(evidence.tags),
        "metrics": _values(evidence.metrics[:_MOST_ITEMS], directions),
        "parameters": _texts(evidence.parameters),
        "datasets": [
            {"name": item.name, "digest": item.digest, "context": item.context}
            for item in evidence.datasets[:_MOST_ITEMS]
        ],
        "has_signature": evidence.signature is not None,
        "has_input_example": evidence.input_example,
        "commit": evidence.git_commit,
        "branch": evidence.git_branch,
        "flavors": list(evidence.flavors[:_MOST_ITEMS]),
        "python": evidence.python_version,
        "libraries": _texts(evidence.libraries),
        "size": evidence.size_bytes,
        "licence": evidence.licence,
        "prompt": None if evidence.prompt is None else evidence.prompt[:_LONGEST_TEXT],
        "prompts": list(evidence.prompts[:_MOST_ITEMS]),
        "tools": _texts(evidence.tools),
    }


def _values(metrics: Sequence[Metric], directions: Mapping[str, Direction]) -> dict[str, float]:
    """Values by name, and by `name@dataset`. Of several data sets the name alone means the worst value,
    which is also the one that is NaN.
    """
    values: dict[str, float] = {}
    for metric in metrics:
        if metric.dataset is not None:
            values[f"{metric.name}@{metric.dataset}"] = metric.value
        other = values.get(metric.name, metric.value)
        lower_is_better = direction(metric.name, directions) is Direction.LOWER
        worse = max(other, metric.value) if lower_is_better else min(other, metric.value)
        values[metric.name] = math.nan if math.isnan(other) or math.isnan(metric.value) else worse
    return values


def _changes(metrics: Sequence[MetricChange]) -> dict[str, object]:
    """Changes by name and by `name@dataset`; of several data sets the name alone means the worst change."""
    named: dict[str, MetricChange] = {}
    for metric in metrics:
        if metric.dataset is not None:
            named[f"{metric.name}@{metric.dataset}"] = metric
        other = named.get(metric.name, metric)
        named[metric.name] = max(other, metric, key=lambda change: change.worse_by or 0.0)
    return {name: _metric(metric) for name, metric in named.items()}


def _texts(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name][:_LONGEST_TEXT] for name in list(values)[:_MOST_ITEMS]}


def _evidence(comparison: Comparison, policy: Policy) -> dict[str, object]:
    judged = [metric for metric in comparison.metrics if metric.worse_by is not None]
    worst = max(judged, key=lambda metric: metric.worse_by or 0.0, default=None)
    signature = comparison.signature
    return {
        "complete": not comparison.candidate.unreadable,
        "unreadable": list(comparison.candidate.unreadable),
        "metrics": _changes(comparison.metrics[:_MOST_ITEMS]),
        "missing_metrics": list(comparison.missing_metrics[:_MOST_ITEMS]),
        "not_numbers": [
            m.name for m in comparison.metrics if m.candidate is not None and math.isnan(m.candidate)
        ],
        "compared": len(judged),
        "other_datasets": [metric.name for metric in comparison.metrics if metric.same_dataset is False],
        "worst": worst.worse_by if worst else None,
        "worst_metric": worst.name if worst else None,
        "tolerance": policy.metrics.tolerance,
        "changed_parameters": [change.name for change in comparison.parameters[:_MOST_ITEMS]],
        "signature_known": signature is not None,
        "signature_breaks": _breaks(comparison),
    }


def _breaks(comparison: Comparison) -> list[str]:
    """What callers of the baseline would notice; that nothing is promised to them any more is the worst."""
    baseline = comparison.baseline
    if baseline is not None and baseline.signature is not None and comparison.candidate.signature is None:
        return ["the signature is not recorded any more"]
    return list(comparison.signature.breaks[:_MOST_ITEMS]) if comparison.signature else []


def _metric(metric: MetricChange) -> dict[str, object]:
    return {
        "candidate": metric.candidate,
        "baseline": metric.baseline,
        "delta": metric.delta,
        "worse_by": metric.worse_by,
        "better": metric.better,
        "direction": str(metric.direction),
        "same_dataset": metric.same_dataset,
    }
