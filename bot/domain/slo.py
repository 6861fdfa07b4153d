"""Service level objectives as `slipway.yaml` states them: what is bad, and how much of it is allowed.

Wherever a query or a selector stands, `{model}`, `{version}`, `{baseline}`, `{environment}` and
`{namespace}` are replaced by what the promotion is about.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.domain.units import Duration, Fraction

FROZEN = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Preset(StrEnum):
    """Servers whose metrics Slipway knows by heart."""

    FASTAPI = "fastapi"
    """prometheus-fastapi-instrumentator."""
    KSERVE = "kserve"
    SELDON = "seldon"
    TRITON = "triton"
    VLLM = "vllm"
    BENTOML = "bentoml"
    MLSERVER = "mlserver"
    ISTIO = "istio"
    LINKERD = "linkerd"
    NGINX_INGRESS = "nginx-ingress"


class OnBreach(StrEnum):
    """What a gauge beyond its limit does."""

    FAIL = "fail"
    WARN = "warn"
    SHOW = "show"


class Errors(BaseModel):
    """The part of requests that must not fail. Without a preset, say where they are counted."""

    model_config = FROZEN

    objective: Fraction = Field(description="The part of requests that must succeed, like `99%`.")
    total: str | None = Field(default=None, description="Selector of the counters of all requests.")
    bad: str | None = Field(default=None, description="Selector of the counters of failed requests.")
    max_regression: float | None = Field(
        default=None,
        gt=0,
        description="How much worse than the baseline is still accepted: `0.5` is half as many again.",
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.total is None) != (self.bad is None):
            raise ValueError("give both `total` and `bad`, or neither")
        return self


class Latency(BaseModel):
    """The part of requests that must be faster than a threshold."""

    model_config = FROZEN

    threshold: Duration = Field(description="Slower than this is bad, like `500ms`.")
    objective: Fraction = Field(description="The part of requests that must be fast enough, like `95%`.")
    histogram: str | None = Field(
        default=None,
        description="Selector of the histogram, without `_bucket`, where no preset names it.",
    )
    milliseconds: bool = Field(default=False, description="The histogram counts milliseconds, not seconds.")
    native: bool = Field(default=False, description="The histogram is a native one.")
    max_regression: float | None = Field(
        default=None, gt=0, description="How much worse than the baseline is still accepted."
    )


class Ratio(BaseModel):
    """Any ratio of two counts: plain counter selectors, or PromQL that counts over `[{window}]`."""

    model_config = FROZEN

    total: str = Field(description="What is counted.")
    bad: str = Field(description="The bad part of it.")
    objective: Fraction = Field(description="The part that must be good, like `99%`.")
    max_regression: float | None = Field(
        default=None, gt=0, description="How much worse than the baseline is still accepted."
    )


class Gauge(BaseModel):
    """Any PromQL value with a limit: drift, score distribution, abstain rate, cost per request."""

    model_config = FROZEN

    query: str = Field(description="PromQL with one value as its result.")
    above: float | None = Field(default=None, description="More than this is a breach.")
    below: float | None = Field(default=None, description="Less than this is a breach.")
    hold: Duration = Field(alias="for", description="How long without a break the breach must last.")
    on_breach: OnBreach = Field(default=OnBreach.WARN, description="Fail the canary, warn, or only show.")

    @model_validator(mode="after")
    def _a_limit(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("a gauge needs a limit: `above`, `below` or both")
        return self


class Slo(BaseModel):
    """The objectives of one environment of one model."""

    model_config = FROZEN

    preset: Preset | None = Field(default=None, description="The server whose metrics these are.")
    selector: str = Field(
        default="",
        description='Label matchers that narrow a preset to this model, like `app="{model}"`.',
    )
    baseline: str | None = Field(
        default=None,
        description="Label matchers of the baseline where it runs beside the candidate.",
    )
    source: str = Field(
        default="default", description="The Prometheus connection, by its name in the settings."
    )
    errors: Errors | None = Field(default=None, description="How many requests may fail.")
    latency: Latency | None = Field(default=None, description="How many requests may be slow.")
    ratios: Mapping[str, Ratio] = Field(default_factory=dict, description="Further ratios by name.")
    gauges: Mapping[str, Gauge] = Field(default_factory=dict, description="Model signals by name.")

    @model_validator(mode="after")
    def _queries_are_known(self) -> Self:
        if self.errors and self.preset is None and self.errors.total is None:
            raise ValueError("`errors` needs a `preset`, or its own `total` and `bad`")
        if self.latency and self.preset is None and self.latency.histogram is None:
            raise ValueError("`latency` needs a `preset`, or its own `histogram`")
        if self.baseline is not None and self.preset is None:
            raise ValueError("`baseline` narrows the queries of a `preset`; there is none")
        return self
