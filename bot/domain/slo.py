"""Service level objectives as `slipway.yaml` states them: what is bad, and how much of it is allowed."""

from pydantic import BaseModel, ConfigDict


class Slo(BaseModel):
    """The objectives of one environment of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")
