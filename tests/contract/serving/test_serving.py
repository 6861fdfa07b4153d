"""The reference serving image's program keeps what it promises to callers, probes and Prometheus."""

import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from prometheus_client.parser import text_string_to_metric_families

from bot.sandbox.processes import wait_until


def test_it_predicts_and_says_which_version_did(served):
    """An answer carries the predictions, the model and its version."""
    answer = served.predict(x=21)

    assert answer.json() == {"predictions": [42.0], "model": "fraud-detector", "version": "3"}


def test_health_and_readiness(served):
    """Alive is not yet ready: readiness names the loaded version."""
    assert served.client.get("/healthz").json() == {"status": "alive"}
    assert served.client.get("/readyz").json() == {"model": "fraud-detector", "version": "3"}


def test_input_that_breaks_the_signature_is_the_caller_s_mistake(served):
    """A missing column is 400, not 500: it must not fail a canary."""
    answer = served.client.post("/predict", json={"dataframe_records": [{"y": 1}]})

    assert answer.status_code == 400


def test_a_model_that_breaks_is_an_error_of_the_server(served):
    """What the model itself cannot do is 500."""
    assert served.predict(x=-1).status_code == 500


def test_too_much_is_refused(served):
    """Too many rows, and too large a body, whether it tells its length or not."""
    rows = [{"x": 1, "wait": 0}] * 6

    assert served.client.post("/predict", json={"dataframe_records": rows}).status_code == 422
    assert served.client.post("/predict", content=b"x" * 3000).status_code == 413
    chunks = (b"x" * 500 for _ in range(6))
    headers = {"Content-Type": "application/json"}
    assert served.client.post("/predict", content=chunks, headers=headers).status_code == 413


def test_more_at_once_than_a_replica_takes_is_refused_at_once(served):
    """The third request beside two slow ones is told to come again, instead of waiting in line."""
    with ThreadPoolExecutor(2) as callers:
        slow = [callers.submit(served.predict, 1.0, 1.0) for _ in range(2)]
        served.waiting(2)
        refused = served.predict()
        served.go.touch()

    assert [one.result().status_code for one in slow] == [200, 200]
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"


def test_metrics_carry_the_model_and_the_version(served):
    """Every series about requests says whose they are; probes, scrapes and unknown paths make no series."""
    served.predict()
    served.predict(x=-1)
    served.client.get("/nothing/here")
    families = text_string_to_metric_families(served.client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name.startswith("http_")]

    assert {(sample.labels["model"], sample.labels["version"]) for sample in samples} == {
        ("fraud-detector", "3")
    }
    assert {sample.labels.get("handler", "") for sample in samples} == {"", "none", "/predict"}
    assert {"2xx", "5xx", "4xx"} <= {sample.labels.get("status") for sample in samples}


def test_the_recorded_series_are_those_it_has(served, recorded):
    """What dashboards and rules are tested with is what the program really exposes."""
    served.predict()
    served.predict(x=-1)
    served.client.get("/nothing/here")

    def shapes(text):
        return {
            (
                sample.name,
                *sorted((key, value if key == "le" else "") for key, value in sample.labels.items()),
            )
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith("http_")
        }

    assert shapes(recorded) == shapes(served.client.get("/metrics").text)


def test_what_has_begun_is_finished(serve):
    """SIGTERM in the middle of a request: the port closes, the answer still comes, the process ends."""
    served = serve()
    answers = []
    caller = threading.Thread(target=lambda: answers.append(served.predict(x=2, wait=1)))
    caller.start()
    served.waiting(1)
    served.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not _listens(served), 60, "the end of listening")
    served.go.touch()
    caller.join(60)

    assert answers[0].json()["predictions"] == [4.0]
    served.process.wait(60)


def _listens(served):
    address = served.client.base_url
    with socket.socket() as caller:
        return caller.connect_ex((address.host, address.port)) == 0
