"""Progressive traffic as `slipway.yaml` states it: the weights a candidate is given, and where they stand.

Two ways of platforms to split traffic:

- between revisions of one object (KServe `canaryTrafficPercent`, Argo Rollouts): the environment's
  `targets` and the first weight are one commit, each further weight is one more;
- between two objects or two entries (KServe `spec.canary`, a route with two backends): `candidate` names
  the pins of the second one. They are set with the first weight, and `targets` follow with the last.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bot.domain.target import Selector

WHOLE = 100
_FOR_EVER = 10 * 365 * 24 * 3600


def _rising(steps: tuple[int, ...]) -> tuple[int, ...]:
    if list(steps) != sorted(set(steps)) or steps[-1] != WHOLE:
        raise PydanticCustomError(
            "steps", "steps rise from one to the next and end with 100", {"hint": "like `[10, 50, 100]`"}
        )
    return steps


class Traffic(BaseModel):
    """A candidate gets its traffic in steps; each is judged before the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: Annotated[
        tuple[Annotated[int, Field(ge=1, le=WHOLE)], ...], Field(min_length=1), AfterValidator(_rising)
    ] = Field(
        description="The candidate's share of the traffic, in percent, step by step; the last one is 100.",
        examples=[[10, 50, 100]],
    )
    weights: tuple[Selector, ...] = Field(
        min_length=1,
        description="Where the share stands: targets of whole numbers. Their `value` is `{weight}` unless "
        "it says `{rest}` (100 less the weight, for the baseline's share) or `{pause}` (seconds that an "
        "Argo Rollout pauses after the weight: years before the last step, 0 with it).",
    )
    candidate: tuple[Selector, ...] = Field(
        default=(),
        description="Where the candidate is pinned beside the baseline, where both have an object or an "
        "entry of their own. `targets` then follow with the last step.",
    )


def weight_values(weight: int) -> Mapping[str, str]:
    """What the placeholders of a weight's `value` become."""
    pause = 0 if weight == WHOLE else _FOR_EVER
    return {"weight": str(weight), "rest": str(WHOLE - weight), "pause": str(pause)}
