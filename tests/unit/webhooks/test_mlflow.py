"""Deliveries of MLflow say that the registry changed, and only fresh signed ones do."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.webhooks import mlflow
from bot.webhooks.errors import BadRequest, BadSignature

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = "secret of the registry"


def delivery(payload, *, at=NOW, ident="d-1", secret=SECRET):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    stamp = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "X-MLflow-Delivery-Id": ident,
        "X-MLflow-Timestamp": stamp,
        "X-MLflow-Signature": "v1," + base64.b64encode(mac).decode(),
    }, body


ALIAS = {
    "entity": "model_version_alias",
    "action": "created",
    "data": {"name": "fraud", "alias": "candidate", "version": "3"},
}


def test_a_moved_alias_names_model_alias_and_version():
    """The names say where to look first."""
    expected = mlflow.RegistryChanged(
        delivery="d-1", kind="model_version_alias.created", model="fraud", version="3", alias="candidate"
    )

    assert expected == mlflow.parse(*delivery(ALIAS), [SECRET], NOW)


def test_the_alias_of_a_prompt_is_told_like_that_of_a_model():
    """Both say where to look."""
    event = mlflow.parse(*delivery(ALIAS | {"entity": "prompt_alias"}), [SECRET], NOW)

    assert isinstance(event, mlflow.RegistryChanged)
    assert (event.kind, event.model, event.alias) == ("prompt_alias.created", "fraud", "candidate")
    assert event.kind in mlflow.ALIAS_SET


def test_what_is_neither_a_model_nor_a_prompt_is_ignored_with_a_reason():
    """MLflow tells of more than Slipway promotes."""
    event = mlflow.parse(*delivery({"entity": "budget_policy", "action": "exceeded"}), [SECRET], NOW)

    assert event == mlflow.Ignored(delivery="d-1", reason="budget_policy is nothing that Slipway promotes")


@pytest.mark.parametrize("shift", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_what_was_recorded_and_is_played_again_is_refused(shift):
    """Older, or further ahead, than the tolerance: no."""
    with pytest.raises(BadSignature):
        mlflow.parse(*delivery(ALIAS, at=NOW + shift), [SECRET], NOW)

    assert mlflow.parse(*delivery(ALIAS, at=NOW + shift), [SECRET], NOW, timedelta(minutes=7))


@pytest.mark.parametrize("header", ["X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature"])
def test_every_signed_header_counts(header):
    """Change or drop one of the three and the signature is wrong."""
    headers, body = delivery(ALIAS)

    for changed in (
        {**headers, header: "1"},
        {key: value for key, value in headers.items() if key != header},
    ):
        with pytest.raises(BadSignature):
            mlflow.parse(changed, body, [SECRET], NOW)


@pytest.mark.parametrize("stamp", ["", "soon", "9" * 30, "9" * 5000, "-99999999999999"])
def test_a_signed_timestamp_that_is_no_time_is_refused(stamp):
    """Even a right signature does not make a time of anything."""
    body = b"{}"
    mac = hmac.new(SECRET.encode(), f"d.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "x-mlflow-delivery-id": "d",
        "x-mlflow-timestamp": stamp,
        "x-mlflow-signature": "v1," + base64.b64encode(mac).decode(),
    }

    with pytest.raises(BadSignature):
        mlflow.parse(headers, body, [SECRET], NOW)


def test_either_of_two_secrets_is_right_and_an_empty_one_never():
    """Rotation needs two; none at all lets nobody in."""
    assert mlflow.parse(*delivery(ALIAS), ["next", SECRET], NOW)
    with pytest.raises(BadSignature):
        mlflow.parse(*delivery(ALIAS, secret=""), ["", "next"], NOW)


@pytest.mark.parametrize(
    "payload",
    [b"\xff", [], {}, {"entity": "model_version"}, ALIAS | {"data": None}, ALIAS | {"data": {"name": 3}}],
)
def test_a_signed_body_of_another_shape_is_refused(payload):
    """A BadRequest, whatever the shape."""
    with pytest.raises(BadRequest):
        mlflow.parse(*delivery(payload), [SECRET], NOW)


def test_a_delivery_without_an_id_is_refused():
    """It could not be told from its own retry."""
    with pytest.raises(BadRequest):
        mlflow.parse(*delivery(ALIAS, ident=""), [SECRET], NOW)


def test_every_recorded_delivery_is_verified_and_read(shared_data):
    """All deliveries of a real server pass with the secret they were signed with, byte for byte."""
    kinds = set()
    for path in sorted((shared_data / "mlflow-webhooks").glob("*.json")):
        recorded = json.loads(path.read_bytes())
        body = recorded.get("raw_body") or recorded["body"]
        now = datetime.fromtimestamp(int(recorded["headers"]["X-MLflow-Timestamp"]), UTC)
        event = mlflow.parse(recorded["headers"], body.encode(), ["bot-shared-secret"], now)
        kinds.add(getattr(event, "kind", "ignored"))

    assert kinds == {
        "model_version.created",
        "model_version_alias.created",
        "model_version_alias.deleted",
        "model_version_tag.deleted",
        "model_version_tag.set",
        "prompt.created",
        "prompt_alias.created",
        "prompt_alias.deleted",
        "prompt_tag.deleted",
        "prompt_tag.set",
        "prompt_version.created",
        "prompt_version_tag.deleted",
        "prompt_version_tag.set",
        "registered_model.created",
    }
