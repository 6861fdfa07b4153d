"""Cases for policies: facts that a person writes down, and what each gate is expected to answer. Pure.

A file names a policy, what is given in all of its cases, and the cases; what a case gives is laid over
that, key by key. What nobody gives is missing, as in real life: no metrics, no approvals, no signature;
only what stands outside a policy's reach is in order (the branch is ours, no hold, no quarantine).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.domain.comparison import compare
from bot.domain.document import Document, Entry, Node, read
from bot.domain.evidence import Column, Dataset, Metric, Signature, VersionEvidence
from bot.domain.facts import Approval, EarlierEnvironment, Facts, History, Image, Override
from bot.domain.gate import GateResult
from bot.domain.hold import Hold, Quarantine
from bot.domain.mistake import Mistake, Path, written
from bot.domain.policy import FROZEN, Policy, Role
from bot.domain.pull import Permission, Pull, PullState
from bot.domain.units import Duration
from bot.domain.validation import validate, validate_partly

_HEAD, _OLDER = "a" * 40, "b" * 40
_NOW = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)
"""A Wednesday at noon, where a case does not say when it is."""


class Expected(StrEnum):
    """What a gate answers: it holds, blocks, waits for somebody or something, or only warns."""

    HOLDS = "holds"
    FAILS = "fails"
    WAITS = "waits"
    WARNS = "warns"

    @classmethod
    def of(cls, result: GateResult) -> "Expected":
        if result.holds:
            return cls.HOLDS
        if not result.blocks:
            return cls.WARNS
        return cls.WAITS if result.pending else cls.FAILS


class GivenMetric(BaseModel):
    """A metric on a data set."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)

    value: float
    dataset: str


class GivenVersion(BaseModel):
    """One version of the model, as the registry would tell it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)

    version: str = "2"
    age: Duration = timedelta(days=1)
    metrics: Mapping[str, float | GivenMetric] = {}
    parameters: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    description: str = ""
    licence: str | None = None
    commit: str | None = None
    inputs: Mapping[str, str] | None = Field(default=None, description="Name → type, `?` if optional.")
    outputs: Mapping[str, str] = {}
    datasets: Mapping[str, str] = Field(default={}, description="Name → digest.")
    flavors: tuple[str, ...] = ()
    size: int | None = None
    prompts: tuple[str, ...] = ()
    tools: Mapping[str, str] = Field(default={}, description="Name → version.")
    prompt: str | None = Field(default=None, description="The text of a prompt, which has no metrics.")
    input_example: bool | None = None
    unreadable: tuple[str, ...] = ()


class GivenImage(BaseModel):
    model_config = FROZEN

    digest: str | None = None
    signed: bool | None = None
    sbom: bool | None = None
    by_tag: bool = Field(default=False, description="The pin names it by its tag.")


class GivenApproval(BaseModel):
    model_config = FROZEN

    by: str
    role: Role = "write"
    teams: tuple[str, ...] = ()
    older_commit: bool = False


class GivenHistory(BaseModel):
    model_config = FROZEN

    promotions_24h: int = 0
    failures_7d: int = 0
    last_promotion: Duration | None = Field(default=None, description="How long ago.")
    last_failure: Duration | None = Field(default=None, description="How long ago.")


class Given(BaseModel):
    """The facts of a case."""

    model_config = FROZEN

    candidate: GivenVersion = GivenVersion()
    baseline: GivenVersion | None = None
    now: AwareDatetime = _NOW
    verified: Duration | None = Field(
        default=None, description="How long ago the earlier environment verified it."
    )
    replaced: Duration | None = Field(
        default=None, description="How long ago another version took its place there."
    )
    earlier: str | None = Field(default=None, description="The earlier environment, where there is one.")
    image: GivenImage | None = None
    approvals: tuple[GivenApproval, ...] = ()
    asked_by: str = "alias candidate"
    hold: str | None = Field(default=None, description="The reason of a hold.")
    quarantine: str | None = Field(default=None, description="Why this version failed here before.")
    head_moved: bool = False
    override: str | None = Field(default=None, description="The reason of an override of a freeze.")
    calendars: Mapping[str, str] = Field(default={}, description="iCalendar files: path → text.")
    history: GivenHistory = GivenHistory()


class Case(BaseModel):
    """One case: what is given, and what is expected of the gates that matter in it."""

    model_config = FROZEN

    name: str = Field(min_length=1)
    given: Mapping[str, Any] = {}
    expect: Mapping[str, Expected] = {}
    merges: bool | None = Field(default=None, description="Whether nothing stands in the way.")


class CaseFile(BaseModel):
    """A file of cases for one policy."""

    model_config = FROZEN

    policy: str
    given: Mapping[str, Any] = {}
    cases: tuple[Case, ...] = Field(min_length=1)


def load(text: str, path: str) -> CaseFile:
    """Read a file of cases. Raises ConfigError with every mistake."""
    return validate(read(text, path), CaseFile)


def strange_facts(text: str, path: str) -> tuple[Mistake, ...]:
    """What is given in a file of cases and is none of the facts that a case has."""
    found = []
    for way, node in _givens(read(text, path).root):
        told = validate_partly(Document(path, text, _without_nulls(node)), Given)[1]
        found += [replace(mistake, key=f"{written(way)}.{mistake.key}") for mistake in told]
    return tuple(sorted(found))


def _givens(root: Node) -> Iterator[tuple[Path, Node]]:
    """What is given, in all cases and in each, and the way there."""
    for name, entry in _entries(root).items():
        if name == "given":
            yield (name,), entry.node
        elif name == "cases" and isinstance(entry.node.value, list):
            for index, case in enumerate(entry.node.value):
                if "given" in _entries(case):
                    yield (name, index, "given"), _entries(case)["given"].node


def _entries(node: Node) -> dict[str, Entry]:
    return node.value if isinstance(node.value, dict) else {}


def _without_nulls(node: Node) -> Node:
    """A copy without the keys whose value is null: a case takes away so what all were given."""
    if not isinstance(node.value, dict):
        return node
    kept = {key: entry for key, entry in node.value.items() if entry.node.value is not None}
    return replace(
        node, value={key: replace(entry, node=_without_nulls(entry.node)) for key, entry in kept.items()}
    )


def facts(given: Given, policy: Policy) -> Facts:
    """What a person wrote down, as what a policy is asked with."""
    ago = given.history
    baseline = _version(given.baseline, given.now) if given.baseline else None
    return Facts(
        model="model",
        environment="production",
        comparison=compare(_version(given.candidate, given.now), baseline, policy.metrics.directions),
        now=given.now,
        repository="owner/repository",
        pull=_pull(_OLDER if given.head_moved else _HEAD),
        head_sha=_HEAD,
        holds=(Hold("owner/repository", "model", "production", "someone", given.hold, given.now),)
        if given.hold
        else (),
        quarantine=Quarantine(
            "owner/repository", "model", "production", given.candidate.version, given.quarantine, given.now
        )
        if given.quarantine
        else None,
        calendars=given.calendars,
        override=Override("someone", given.override) if given.override else None,
        earlier=_earlier(given),
        image=Image("image", **given.image.model_dump()) if given.image else None,
        approvals=tuple(_approval(approval) for approval in given.approvals),
        authors=frozenset({given.asked_by}),
        history=History(
            last_promotion=given.now - ago.last_promotion if ago.last_promotion else None,
            last_failure=given.now - ago.last_failure if ago.last_failure else None,
            promotions_24h=ago.promotions_24h,
            failures_7d=ago.failures_7d,
        ),
    )


def _earlier(given: Given) -> EarlierEnvironment | None:
    if given.earlier is None:
        return None
    return EarlierEnvironment(
        given.earlier,
        given.now - given.verified if given.verified is not None else None,
        left_at=given.now - given.replaced if given.replaced is not None else None,
        left_for="9",
    )


def _version(given: GivenVersion, now: datetime) -> VersionEvidence:
    signature = None
    if given.inputs is not None:
        signature = Signature(_columns(given.inputs), _columns(given.outputs))
    return VersionEvidence(
        model="model",
        version=given.version,
        url="",
        created_at=now - given.age,
        description=given.description,
        tags=given.tags,
        metrics=tuple(
            Metric(name, value.value, value.dataset, value.dataset)
            if isinstance(value, GivenMetric)
            else Metric(name, value)
            for name, value in given.metrics.items()
        ),
        parameters=given.parameters,
        signature=signature,
        datasets=tuple(Dataset(name, digest) for name, digest in given.datasets.items()),
        git_commit=given.commit,
        flavors=given.flavors,
        size_bytes=given.size,
        licence=given.licence,
        input_example=given.input_example,
        prompts=given.prompts,
        tools=given.tools,
        prompt=given.prompt,
        unreadable=given.unreadable,
    )


def _columns(given: Mapping[str, str]) -> tuple[Column, ...]:
    return tuple(
        Column(name, kind.removesuffix("?"), required=not kind.endswith("?")) for name, kind in given.items()
    )


def _approval(given: GivenApproval) -> Approval:
    commit = _OLDER if given.older_commit else _HEAD
    return Approval(given.by, commit, Permission[given.role.upper()], frozenset(given.teams))


def _pull(head: str) -> Pull:
    return Pull(1, PullState.OPEN, "", "", "slipway/x", head, "main", "slipway[bot]")
