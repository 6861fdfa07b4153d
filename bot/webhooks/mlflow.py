"""MLflow's webhooks: `X-MLflow-Signature` verified over delivery id, timestamp and body.

MLflow loses deliveries, names no old version when an alias moves, and tells of deleted aliases that never
were. So every event means one thing, "read the registry again"; what it names only says where to look first.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.webhooks import signing
from bot.webhooks.errors import BadSignature
from bot.webhooks.reading import Fields, json_object, lower_case

DELIVERY = "x-mlflow-delivery-id"
TIMESTAMP = "x-mlflow-timestamp"
SIGNATURE = "x-mlflow-signature"
SCHEME = "v1,"
TOLERANCE = timedelta(minutes=5)
"""A retry carries the first attempt's timestamp, and clocks differ."""
MODELS = frozenset({"registered_model", "model_version", "model_version_tag", "model_version_alias"})
PROMPTS = frozenset({"prompt", "prompt_version", "prompt_tag", "prompt_version_tag", "prompt_alias"})
ALIAS_SET = frozenset({"model_version_alias.created", "prompt_alias.created"})
"""The kinds that say that somebody pointed an alias to a version, of a model or of a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryChanged:
    """Something changed in the registry; `kind` is `entity.action`.

    `model` is the name of the model or the prompt. Names are None where they do not apply.
    """

    delivery: str
    kind: str
    model: str
    version: str | None = None
    alias: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Nothing about models or prompts; `reason` says why."""

    delivery: str
    reason: str


MlflowEvent = RegistryChanged | Ignored


def parse(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> MlflowEvent:
    """Verify one delivery with any of the valid secrets and read it.

    Raises BadSignature or BadRequest, and nothing else, for any headers and any body.
    """
    named = lower_case(headers)
    _verify(named, body, secrets)
    _recent(named.get(TIMESTAMP, ""), now, tolerance)
    delivery = Fields(named).name(DELIVERY)
    payload = json_object(body)
    entity, action = payload.name("entity"), payload.name("action")
    if entity not in MODELS | PROMPTS:
        return Ignored(delivery=delivery, reason=f"{entity} is nothing that Slipway promotes")
    return RegistryChanged(
        delivery=delivery,
        kind=f"{entity}.{action}",
        model=payload.name("data", "name"),
        version=payload.optional_name("data", "version"),
        alias=payload.optional_name("data", "alias"),
        tag=payload.optional_name("data", "key"),
    )


def _verify(named: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
    signature = named.get(SIGNATURE, "")
    if not signature.startswith(SCHEME):
        raise BadSignature("the delivery carries no v1 signature")
    prefix = f"{named.get(DELIVERY, '')}.{named.get(TIMESTAMP, '')}.".encode("utf-8", "replace")
    expected = [base64.b64encode(digest) for digest in signing.digests(secrets, prefix + body)]
    signing.verify(signature.removeprefix(SCHEME).encode("utf-8", "replace"), expected)


def _recent(timestamp: str, now: datetime, tolerance: timedelta) -> None:
    """Refuse what was recorded and is played again, or comes from a clock far ahead."""
    try:
        sent = datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadSignature("the timestamp is not a number of seconds") from error
    if abs(now - sent) > tolerance:
        raise BadSignature("the delivery is too old, or the clocks differ too much")
