"""Whatever a signed delivery holds, parsing answers with an event, BadRequest or BadSignature."""

import base64
import copy
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.webhooks import alertmanager, argocd, github, mlflow
from bot.webhooks.errors import WebhookError
from bot.webhooks.github_events import GitHubEvent

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([2**63, -1, "", "x" * 70_000, "../..", "\0", "\ud800", [], {}, [None], [[]], [{}]]),
    st.text(max_size=20),
)
JSON = st.recursive(
    HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
READ = {
    *(
        "action",
        "added",
        "after",
        "base",
        "body",
        "check_run",
        "check_suite",
        "comment",
        "commit_id",
        "commits",
    ),
    *("created_at", "default_branch", "deleted", "forced", "full_name", "head", "head_sha", "html_url", "id"),
    *("installation", "issue", "login", "merge_commit_sha", "merged", "modified", "name", "number"),
    *("performed_via_github_app", "pull_request", "ref", "removed", "repo", "repositories"),
    *("repositories_added", "repositories_removed", "repository", "review", "sender", "sha", "state"),
    *("submitted_at", "type", "user", 0),
}
"""The keys that parsing looks at, and the first entry of a list."""
KINDS = sorted({*github._READERS, "team", "unheard_of"})


def github_event(kind: str, body: bytes) -> object:
    headers = {
        "content-type": "application/json",
        "x-github-event": kind,
        "x-github-delivery": "d",
        "x-hub-signature-256": "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest(),
    }
    try:
        return github.parse(headers, body, ["s"])
    except WebhookError as error:
        return error


def mlflow_event(body: bytes) -> object:
    stamp = str(int(NOW.timestamp()))
    mac = hmac.new(b"s", f"d.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "x-mlflow-delivery-id": "d",
        "x-mlflow-timestamp": stamp,
        "x-mlflow-signature": "v1," + base64.b64encode(mac).decode(),
    }
    try:
        return mlflow.parse(headers, body, ["s"], NOW)
    except WebhookError as error:
        return error


def bearer_event(parse, body: bytes) -> object:
    try:
        return parse({"authorization": "Bearer s"}, body, ["s"])
    except WebhookError as error:
        return error


def paths(value: object, path: tuple = ()) -> list[tuple]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found += paths(inner, (*path, index))
    return found


def mutated(payload: object, path: tuple, value: object, *, drop: bool) -> object:
    changed = copy.deepcopy(payload)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


def recorded(folder: str) -> list[tuple[str, object]]:
    default = Path(__file__).parents[3] / "shared" / "data"
    root = Path(os.environ.get("SLIPWAY_SHARED_DATA", default)) / folder
    return [(path.name.split(".")[0], json.loads(path.read_bytes())) for path in sorted(root.glob("*.json"))]


GITHUB = [entry for entry in recorded("github-webhooks") if entry[0] in github._READERS]
MLFLOW = [json.loads(entry.get("raw_body") or entry["body"]) for _, entry in recorded("mlflow-webhooks")]


@given(kind=st.sampled_from(KINDS), body=st.binary(max_size=50) | JSON.map(lambda v: json.dumps(v).encode()))
def test_any_signed_bytes_are_answered(kind, body):
    """Parsing never raises anything but its own errors, for any bytes."""
    assert isinstance(github_event(kind, body), GitHubEvent | WebhookError)
    assert isinstance(mlflow_event(body), mlflow.MlflowEvent | WebhookError)


ALERT = {
    "status": "firing",
    "labels": {"alertname": "Slow"},
    "startsAt": "2026-01-02T00:00:00Z",
    "fingerprint": "f",
}


@given(data=st.data(), value=HOSTILE | JSON, drop=st.booleans(), anything=JSON)
def test_any_hint_is_answered(data, value, drop, anything):
    """Alerts and notifications of any shape never raise anything else."""
    group = {"version": "4", "alerts": [ALERT]}
    path = data.draw(st.sampled_from(paths(group)))
    for payload in (mutated(group, path, value, drop=drop), {"application": value}, anything):
        body = json.dumps(payload).encode()
        alerts = bearer_event(alertmanager.parse, body)
        assert isinstance(alerts, alertmanager.AlertsChanged | WebhookError)
        hint = bearer_event(argocd.parse, body)
        assert isinstance(hint, argocd.ApplicationChanged | WebhookError)


@pytest.mark.skipif(not GITHUB, reason="the shared test data is absent (set SLIPWAY_SHARED_DATA)")
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data(), value=HOSTILE | JSON, drop=st.booleans())
def test_a_mutated_github_payload_is_answered(data, value, drop):
    """A real payload with any field missing, null, huge or of the wrong type never raises anything else."""
    kind, payload = data.draw(st.sampled_from(GITHUB))
    path = data.draw(st.sampled_from(paths(payload)))

    event = github_event(kind, json.dumps(mutated(payload, path, value, drop=drop)).encode())

    assert isinstance(event, GitHubEvent | WebhookError)


@pytest.mark.skipif(not GITHUB, reason="the shared test data is absent (set SLIPWAY_SHARED_DATA)")
@pytest.mark.parametrize("value", [None, {}, "x" * 2000], ids=["null", "object", "long"])
def test_each_field_that_is_read_may_be_anything(value):
    """Every field that parsing looks at, replaced in one payload of each kind, is answered."""
    for kind, payload in dict(GITHUB).items():
        for path in paths(payload):
            if READ.issuperset(path):
                for drop in (False, True):
                    body = json.dumps(mutated(payload, path, value, drop=drop)).encode()
                    assert isinstance(github_event(kind, body), GitHubEvent | WebhookError)


@pytest.mark.skipif(not MLFLOW, reason="the shared test data is absent (set SLIPWAY_SHARED_DATA)")
@given(data=st.data(), value=HOSTILE | JSON, drop=st.booleans())
def test_a_mutated_mlflow_payload_is_answered(data, value, drop):
    """A real payload with any field missing, null, huge or of the wrong type never raises anything else."""
    payload = data.draw(st.sampled_from(MLFLOW))
    path = data.draw(st.sampled_from(paths(payload)))

    event = mlflow_event(json.dumps(mutated(payload, path, value, drop=drop)).encode())

    assert isinstance(event, mlflow.MlflowEvent | WebhookError)
