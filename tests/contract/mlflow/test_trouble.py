"""MLflow away, slow, broken or hostile: what the adapter makes of it, and how long that takes."""

import threading
import time
from collections.abc import Callable

import pytest
import requests
from mlflow import MlflowClient

from bot.adapters.mlflow import MlflowRegistry
from bot.ports import Forbidden, NotFound, Refused, Unavailable

Answer = Callable[[str], tuple[int, dict[str, str], bytes]]


def error(status: int, code: str) -> Answer:
    body = f'{{"error_code": "{code}", "message": "{code.lower()} happened"}}'.encode()
    return lambda _: (status, {"Content-Type": "application/json"}, body)


def test_a_server_that_is_away_is_unavailable_at_once():
    """Refused connections are told without the minute of MLflow's own repetitions, and without the address
    and its password.
    """
    registry = MlflowRegistry("http://user:sesame@127.0.0.1:9")
    begin = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        registry.version("fraud-detector", "1")

    assert time.monotonic() - begin < 15
    assert "sesame" not in str(caught.value)
    assert str(caught.value) == "MLflow: no answer when asked for fraud-detector version 1"


def test_a_server_that_hangs_is_unavailable_in_seconds(server):
    """The limit of five seconds that the adapter sets is in force, not the two minutes of MLflow's own."""
    over = threading.Event()
    address, _ = server(lambda _: (over.wait(100), (200, {}, b"{}"))[1])
    begin = time.monotonic()
    with pytest.raises(Unavailable):
        MlflowRegistry(address).alias("fraud-detector", "champion")
    took = time.monotonic() - begin
    over.set()

    assert took < 30


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error(404, "RESOURCE_DOES_NOT_EXIST"), NotFound),
        (error(403, "PERMISSION_DENIED"), Forbidden),
        (error(401, "UNAUTHENTICATED"), Forbidden),
        (error(400, "INVALID_PARAMETER_VALUE"), Refused),
        (error(500, "INTERNAL_ERROR"), Unavailable),
        (error(503, "TEMPORARILY_UNAVAILABLE"), Unavailable),
        (error(429, "REQUEST_LIMIT_EXCEEDED"), Unavailable),
        (lambda _: (502, {}, b"<html>bad gateway</html>"), Unavailable),
        (lambda _: (404, {}, b"<html>this is no MLflow</html>"), Refused),
        (lambda _: (200, {}, b"<html>welcome</html>"), Refused),
        (lambda _: (401, {}, b"who are you"), Forbidden),
    ],
    ids=[
        "not found",
        "forbidden",
        "unauthenticated",
        "invalid",
        "500",
        "503",
        "429",
        "proxy",
        "no MLflow",
        "web page",
        "401",
    ],
)
def test_errors_are_told_in_our_words(server, answer, expected):
    """What waits, what is refused, what does not exist; nothing of MLflow's own exceptions."""
    address, asked = server(answer)
    with pytest.raises(expected) as caught:
        MlflowRegistry(address).version("fraud-detector", "1")

    assert type(caught.value) is expected
    assert len(asked) <= 2  # what is no model may be a prompt


def test_a_server_cannot_send_us_elsewhere(server):
    """A redirect is not followed: its target is never asked."""
    elsewhere, asked = server(lambda _: (200, {}, b"{}"))
    address, _ = server(lambda path: (302, {"Location": f"{elsewhere}{path}"}, b""))
    with pytest.raises((Refused, Unavailable)):
        MlflowRegistry(address).version("fraud-detector", "1")
    with pytest.raises((Refused, Unavailable)):
        MlflowRegistry(address).artifact("fraud-detector", "1", "MLmodel")

    assert asked == []


VERSION = (
    b'{"model_version": {"name": "fraud-detector", "version": "1", "creation_timestamp": 1795229399346,'
    b' "source": "%s", "status": "READY"}}'
)


@pytest.mark.parametrize(
    "source",
    [
        "http://%s/stolen",
        "file:///etc/passwd",
        "s3://bucket/x",
        "models:/fraud-detector/1",
        "models:/m-../../x",
        "",
    ],
)
def test_an_address_in_the_registry_is_never_fetched(server, source):
    """Wherever `source` points, only the tracking server's own interface is asked, at most six times."""
    elsewhere, stolen = server(lambda _: (200, {}, b"flavors: {}"))
    source = source.replace("%s", elsewhere.removeprefix("http://"))

    def answer(path):
        if path.startswith("/model-versions/get-artifact"):
            return 200, {}, b"flavors: {python_function: {python_version: 3.11.7}}"
        return 200, {}, VERSION % source.encode()

    address, asked = server(answer)
    evidence = MlflowRegistry(address).evidence("fraud-detector", "1")

    assert evidence.python_version == "3.11.7"
    assert stolen == []
    assert len(asked) <= 6
    assert all(path.startswith(("/api/2.0/mlflow/", "/model-versions/get-artifact?")) for path in asked)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"x" * 1_100_000, "larger than"),
        (200, b"[not, a, model]", "not a YAML mapping"),
        (500, b"the bucket is gone", "answered 500"),
        (404, b"{}", "does not have it"),
    ],
)
def test_a_model_file_that_cannot_be_read_is_told_as_evidence(server, status, body, said):
    """The rest of the evidence is still there, with a sentence on what is not."""

    def answer(path):
        return (status, {}, body) if "get-artifact" in path else (200, {}, VERSION % b"")

    evidence = MlflowRegistry(server(answer)[0]).evidence("fraud-detector", "1")

    assert evidence.signature is None
    assert said in evidence.unreadable[0]


def test_evidence_takes_four_requests(mlflow_server, trained, monkeypatch):
    """Counted against the real server: version, run, logged model, file."""
    sent = []
    send = requests.Session.send
    monkeypatch.setattr(
        requests.Session,
        "send",
        lambda self, request, **how: sent.append(request.url) or send(self, request, **how),
    )
    MlflowRegistry(mlflow_server).evidence(trained, "2")

    assert len(sent) == 4


def test_a_copied_version_shows_the_evidence_of_its_origin(mlflow_server, trained):
    """Through a copy of a copy, in at most six requests."""
    client = MlflowClient(mlflow_server)
    client.copy_model_version(f"models:/{trained}/2", "copied-once")
    client.copy_model_version("models:/copied-once/1", "copied-twice")
    evidence = MlflowRegistry(mlflow_server).evidence("copied-twice", "1")

    assert {metric.dataset for metric in evidence.metrics if metric.name == "accuracy"} == {"transactions"}
    assert evidence.signature is not None
