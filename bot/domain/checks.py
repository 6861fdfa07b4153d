"""Checks of a candidate that is live, before and beside its canary: as `slipway.yaml` states them, and how
they went.

A check is one of three: a `probe` (one HTTP request with its expected answer), `parity` (the model's own
input example, answered as the logged model answered it) and a `workflow` (GitHub Actions decides).
Addresses come from the configuration only, never from the registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bot.domain.template import fill, placeholders
from bot.domain.units import Duration, Fraction

FROZEN = ConfigDict(frozen=True, extra="forbid")
NAMES = ("model", "version", "baseline", "environment")


def _known(text: str) -> str:
    for name in placeholders(text):
        if name not in NAMES:
            known = ", ".join(f"{{{each}}}" for each in NAMES)
            context = {"name": f"{{{name}}}", "hint": f"known are {known}"}
            raise PydanticCustomError("address", "{name} is not known", context)
    return text


Address = Annotated[
    str,
    Field(
        pattern=r"^https?://[^\s/?#@]+(?:[/?][^\s#]*)?$",
        max_length=2000,
        examples=["http://{model}.{environment}.svc/healthz"],
    ),
    AfterValidator(_known),
]
Pointer = Annotated[str, Field(pattern=r"^(?:/[^\s]*)?$", max_length=200, examples=["/predictions/0"])]


class Check(BaseModel):
    """What all checks share."""

    model_config = FROZEN

    on_failure: Literal["revert", "hold", "report"] | None = Field(
        default=None,
        description="`revert` takes the candidate back, `hold` leaves it to a person, `report` only shows "
        "it. Without it, as the policy says.",
    )


class Asked(Check):
    """What checks that ask over HTTP share."""

    within: Duration = Field(
        default=timedelta(seconds=5),
        gt=timedelta(0),
        le=timedelta(seconds=30),
        description="How long one answer may take.",
    )
    patience: Duration = Field(
        default=timedelta(minutes=1),
        le=timedelta(hours=1),
        description="How long it is asked again before a wrong answer counts: a route may need a moment.",
    )


class Probe(Asked):
    """One HTTP request and its expected answer."""

    probe: Address = Field(
        description="Where to ask; may hold {model}, {version}, {baseline}, {environment}."
    )
    method: Literal["GET", "POST", "PUT", "HEAD"] = Field(default="GET", description="The method.")
    body: Any = Field(default=None, description="What is sent, as JSON.")
    status: int = Field(default=200, ge=100, le=599, description="The status that must be answered.")
    answer: Mapping[Pointer, Any] = Field(
        default={},
        description="What must stand where in the JSON of the answer: JSON Pointers and their values.",
    )


class Parity(Asked):
    """The live model answers the model's own input example as the logged model did."""

    parity: Address = Field(description="Where the model predicts.")
    sends: Literal["mlflow", "records", "instances"] = Field(
        default="mlflow",
        description="How the example is sent: as MLflow's scoring server takes it, as "
        "`dataframe_records`, or as `instances`.",
    )
    answer: Pointer = Field(default="/predictions", description="Where the predictions are in the answer.")
    tolerance: Fraction = Field(
        default=0.0001,
        description="How far a number that is no whole number may be off, in parts of it. Everything else "
        "must be equal.",
    )


class Workflow(Check):
    """A GitHub Actions workflow of the GitOps repository, whose conclusion counts."""

    workflow: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.ya?ml$",
        description="Name of its file in `.github/workflows`. It is dispatched with the inputs `model`, "
        "`version`, `environment`, `address` and `slipway`, the last of which must be in its `run-name`.",
        examples=["integration.yml"],
    )
    address: Address | None = Field(default=None, description="Handed to it as the input `address`.")
    within: Duration = Field(
        default=timedelta(minutes=30), description="Without a conclusion by then it has failed."
    )


AnyCheck = Probe | Parity | Workflow


class CheckState(StrEnum):
    PENDING = "pending"
    """Asked and not settled, or asked again."""
    PASSED = "passed"
    FAILED = "failed"
    """The candidate answered wrongly."""
    UNASKED = "unasked"
    """It cannot be asked (a missing example, a missing right): says nothing of the candidate."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check went; `sent` and `answered` are shown to people, shortened."""

    name: str
    state: CheckState
    reason: str
    since: datetime
    asked_at: datetime
    sent: str = ""
    answered: str = ""
    url: str | None = None


def filled(address: str, names: Mapping[str, str]) -> str:
    """An address with its names in it, escaped so that none leads elsewhere. Raises KeyError."""
    return fill(address, {name: quote(value, safe="") for name, value in names.items()})
