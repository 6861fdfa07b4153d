"""`slipway.yaml`: models, their environments in order, targets, policy, SLOs.

The types are the reference: each key's description stands here, and becomes the JSON Schema for
editors (`policies/slipway.schema.json`), the hints of `slipway check` and docs/configuration.md.
`load` is the one way from text to a `Config`; what needs other files is checked by
`bot.manifests.check`. Secrets have no place here: they are settings of the process.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.document import Document, read
from bot.domain.mistake import ConfigError, Mistake
from bot.domain.order import order_mistakes, promotion_order
from bot.domain.slo import Slo
from bot.domain.target import Target
from bot.domain.validation import validate_partly

FILE = "slipway.yaml"

FROZEN = ConfigDict(frozen=True, extra="forbid")

# MLflow's own rules: it refuses `/` and `:` in names of models, and aliases that look like versions.
ModelName = Annotated[str, Field(pattern=r"^[^/:\x00-\x1f\x7f]{1,255}$", examples=["fraud-detector"])]
Alias = Annotated[
    str,
    Field(
        pattern=r"^(?![vV][0-9]+$)(?![lL][aA][tT][eE][sS][tT]$)[A-Za-z0-9_.-]{1,255}$",
        examples=["candidate", "champion"],
    ),
]
# Part of branch names, tags of the registry and check runs.
EnvironmentName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$", examples=["staging", "production"])
]
PolicyName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$", examples=["baseline", "strict"])
]
# A Kubernetes name (RFC 1123).
KubernetesName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", examples=["fraud-detector-production"])
]
