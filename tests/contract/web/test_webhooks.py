"""What reaches the webhooks is verified first, remembered once, and answered in the right words."""

import logging

import pytest

ALIAS = {
    "entity": "model_version_alias",
    "action": "created",
    "timestamp": "2026-11-21T12:00:00+00:00",
    "data": {"name": "fraud", "alias": "candidate", "version": "2"},
}
COMMENT = {
    "action": "created",
    "issue": {"number": 7, "pull_request": {"url": "x"}},
    "comment": {
        "id": 99,
        "body": "/promote",
        "user": {"login": "ada", "type": "User"},
        "created_at": "2026-11-21T12:00:00Z",
        "html_url": "https://github.test/acme/models/pull/7#issuecomment-99",
    },
    "repository": {"full_name": "acme/models", "default_branch": "main"},
    "sender": {"login": "ada", "type": "User"},
    "installation": {"id": 1},
}


def test_a_signed_delivery_is_taken(senders):
    """202, and remembered."""
    assert senders.github(COMMENT).status_code == 202
    assert senders.mlflow(ALIAS).status_code == 202
    assert senders.stored() == 2


@pytest.mark.parametrize("signature", ["", "sha256=" + "0" * 64, "sha1=abc", "sha256=", "nonsense"])
def test_a_wrong_or_missing_signature_of_github_is_401_and_stores_nothing(senders, caplog, signature):
    """Nobody who does not know the secret makes a row, and the log has one line without the body."""
    with caplog.at_level(logging.WARNING):
        answer = senders.github(COMMENT, **{"X-Hub-Signature-256": signature})

    assert answer.status_code == 401
    assert senders.stored() == 0
    assert len(caplog.records) == 1
    assert "/promote" not in caplog.text


@pytest.mark.parametrize("header", ["X-MLflow-Signature", "X-MLflow-Timestamp", "X-MLflow-Delivery-Id"])
def test_a_delivery_of_mlflow_without_its_headers_is_401(senders, header):
    """The signature covers the id and the time too."""
    assert senders.mlflow(ALIAS, **{header: "x"}).status_code == 401
    assert senders.stored() == 0


def test_an_old_delivery_of_mlflow_is_401(senders, caplog):
    """What was recorded an hour ago is not played again."""
    with caplog.at_level(logging.WARNING):
        assert senders.mlflow(ALIAS, at=0).status_code == 401
    assert senders.stored() == 0
    assert len(caplog.records) == 1


def test_a_body_over_its_cap_is_413_before_anything_is_verified(senders):
    """An unbounded body costs no memory and no signature."""
    assert senders.mlflow(b"x" * (1024 * 1024 + 1)).status_code == 413
    assert senders.github(b"x" * (25 * 1024 * 1024 + 1)).status_code == 413
    assert senders.stored() == 0


def test_a_body_that_does_not_announce_its_length_is_capped_all_the_same(senders):
    """Chunked encoding is no way around the cap."""

    def chunks():
        for _ in range(20):
            yield b"x" * 100_000

    answer = senders.client.post("/webhooks/mlflow", content=chunks())

    assert answer.status_code == 413


def test_a_delivery_seen_before_is_202_and_does_nothing_twice(senders):
    """Senders repeat themselves."""
    first = senders.github(COMMENT, **{"X-GitHub-Delivery": "same"})
    again = senders.github(COMMENT, **{"X-GitHub-Delivery": "same"})

    assert (first.status_code, again.status_code) == (202, 202)
    assert senders.stored() == 1


def test_what_concerns_nobody_is_202_and_not_stored(senders):
    """A ping is a ping."""
    assert senders.github({"zen": "x", "hook_id": 1}, event="ping").status_code == 202
    assert senders.github({"action": "starred"}, event="star").status_code == 202
    assert senders.stored() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"action": 1}'])
def test_a_signed_body_that_is_nothing_is_never_a_5xx_and_stores_nothing(senders, body):
    """Whatever is signed may still be rubbish."""
    assert senders.github(body).status_code in (202, 400)
    assert senders.mlflow(body).status_code == 400
    assert senders.stored() == 0


def test_a_database_that_is_away_is_503_so_that_the_sender_tries_again(senders, monkeypatch):
    """MLflow drops a 4xx for ever; our own trouble is not the sender's fault."""
    monkeypatch.setattr(type(senders.engine), "begin", _away)

    assert senders.github(COMMENT).status_code == 503
    assert senders.mlflow(ALIAS).status_code == 503


def test_readiness_follows_the_database_and_liveness_does_not(senders, monkeypatch):
    """A restart does not bring a database back."""
    assert senders.client.get("/readyz").status_code == 200
    monkeypatch.setattr(type(senders.engine), "connect", _away)

    assert senders.client.get("/readyz").status_code == 503
    assert senders.client.get("/healthz").status_code == 200


def test_the_metrics_tell_what_waits(senders):
    """A backlog can be alerted on."""
    senders.github(COMMENT)
    text = senders.client.get("/metrics").text

    assert 'slipway_backlog{kind="deliveries"} 1.0' in text
    assert "process_resident_memory_bytes" in text


def test_every_real_payload_goes_through_without_a_5xx(senders, shared_data):
    """107 real payloads of the events that an App meets."""
    folder = shared_data / "github-webhooks"
    for file in sorted(folder.glob("*.json")):
        answer = senders.github(file.read_bytes(), event=file.name.split(".")[0])
        assert answer.status_code in (202, 400), (file.name, answer.text)


def _away(*_args, **_kwargs):
    raise ConnectionError("the database is away")
