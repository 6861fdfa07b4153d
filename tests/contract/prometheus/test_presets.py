"""Each preset against real servers, with series as that system writes them: the counts are exact."""

import time
from dataclasses import dataclass

import pytest

from bot.adapters.prometheus import Connection, Prometheus
from bot.analysis.canary import Watch
from bot.analysis.reader import CanaryReader, Span, history_reader
from bot.analysis.settings import Settings
from bot.analysis.windows import NOTHING
from bot.domain.slo import Preset, Slo
from bot.domain.verdict import Outcome

MERGED = float(int(time.time()) - 3600)
NAMES = {"model": "fraud", "version": "2", "baseline": "1", "environment": "production", "namespace": "ml"}
SCRAPE = 15.0


@dataclass(frozen=True)
class Written:
    """How a server writes its counters; `{v}` is where a version stands among its labels or its target's.

    `others` are counted by the same metric and are none of the candidate's requests.
    """

    selector: str
    ok: str
    failed: str
    others: tuple[str, ...]
    histogram: str
    les: tuple[str, str, str]


SYSTEMS = {
    Preset.FASTAPI: Written(
        'app="fraud",version="{version}"',
        'http_requests_total{handler="/invocations",method="POST",status="2xx",app="fraud",version="{v}"}',
        'http_requests_total{handler="/invocations",method="POST",status="5xx",app="fraud",version="{v}"}',
        (
            'http_requests_total{handler="/invocations",method="POST",status="2xx",app="other",version="{v}"}',
            'http_requests_total{handler="/metrics",method="GET",status="2xx",app="fraud",version="{v}"}',
            'http_requests_total{handler="/health",method="GET",status="5xx",app="fraud",version="{v}"}',
        ),
        'http_request_duration_highr_seconds_bucket{app="fraud",version="{v}",le="{le}"}',
        ("0.25", "0.5", "+Inf"),
    ),
    Preset.KSERVE: Written(
        'namespace_name="{namespace}",revision_name="fraud-{version}"',
        'revision_app_request_count{namespace_name="ml",configuration_name="fraud",service_name="fraud",revision_name="fraud-{v}",container_name="queue-proxy",pod_name="p",response_code="200",response_code_class="2xx"}',
        'revision_app_request_count{namespace_name="ml",configuration_name="fraud",service_name="fraud",revision_name="fraud-{v}",container_name="queue-proxy",pod_name="p",response_code="503",response_code_class="5xx"}',
        (
            'revision_app_request_count{namespace_name="ml",configuration_name="other",service_name="other",revision_name="other-{v}",container_name="queue-proxy",pod_name="p",response_code="200",response_code_class="2xx"}',
        ),
        'revision_app_request_latencies_bucket{namespace_name="ml",configuration_name="fraud",service_name="fraud",revision_name="fraud-{v}",container_name="queue-proxy",pod_name="p",response_code="200",response_code_class="2xx",le="{le}"}',
        ("450", "500", "+Inf"),
    ),
    Preset.SELDON: Written(
        'deployment_name="{model}",predictor_version="{version}"',
        'seldon_api_executor_server_requests_seconds_count{deployment_name="fraud",predictor_name="default",predictor_version="{v}",service="predictions",method="post",code="200"}',
        'seldon_api_executor_server_requests_seconds_count{deployment_name="fraud",predictor_name="default",predictor_version="{v}",service="/seldon.protos.Seldon/Predict",method="unary",code="Unavailable"}',
        (
            'seldon_api_executor_server_requests_seconds_count{deployment_name="other",predictor_name="default",predictor_version="{v}",service="predictions",method="post",code="200"}',
        ),
        'seldon_api_executor_server_requests_seconds_bucket{deployment_name="fraud",predictor_name="default",predictor_version="{v}",service="predictions",method="post",code="200",le="{le}"}',
        ("0.25", "0.5", "+Inf"),
    ),
    Preset.TRITON: Written(
        'model="{model}",version="{version}"',
        'nv_inference_request_success{model="fraud",version="{v}"}',
        'nv_inference_request_failure{model="fraud",version="{v}",reason="BACKEND"}',
        ('nv_inference_request_success{model="other",version="{v}"}',),
        'nv_inference_first_response_histogram_ms_bucket{model="fraud",version="{v}",le="{le}"}',
        ("100", "500", "+Inf"),
    ),
    Preset.VLLM: Written(
        'pod="{model}-{version}"',
        'http_requests_total{handler="/v1/chat/completions",method="POST",status="2xx",pod="fraud-{v}"}',
        'http_requests_total{handler="/v1/chat/completions",method="POST",status="5xx",pod="fraud-{v}"}',
        ('http_requests_total{handler="/health",method="GET",status="2xx",pod="fraud-{v}"}',),
        'vllm:e2e_request_latency_seconds_bucket{pod="fraud-{v}",engine="0",model_name="ml/fraud",le="{le}"}',
        ("0.3", "0.5", "+Inf"),
    ),
    Preset.BENTOML: Written(
        'service_name="{model}",service_version="{version}"',
        'bentoml_service_request_total{endpoint="/predict",runner_name="Fraud",service_name="fraud",service_version="{v}",http_response_code="200"}',
        'bentoml_service_request_total{endpoint="/predict",runner_name="Fraud",service_name="fraud",service_version="{v}",http_response_code="500"}',
        (
            'bentoml_service_request_total{endpoint="/predict",runner_name="Other",service_name="other",service_version="{v}",http_response_code="200"}',
            'bentoml_service_request_total{endpoint="/readyz",runner_name="Fraud",service_name="fraud",service_version="{v}",http_response_code="503"}',
        ),
        'bentoml_service_request_duration_seconds_bucket{endpoint="/predict",runner_name="Fraud",service_name="fraud",service_version="{v}",http_response_code="200",le="{le}"}',
        ("0.25", "0.5", "+Inf"),
    ),
    Preset.MLSERVER: Written(
        'namespace="ml",pod="fraud-{version}"',
        'model_infer_request_success_total{namespace="ml",pod="fraud-{v}",model="fraud",version="None"}',
        'model_infer_request_failure_total{namespace="ml",pod="fraud-{v}",model="fraud",version="None"}',
        ('model_infer_request_success_total{namespace="ml",pod="other-{v}",model="other",version="None"}',),
        'rest_server_request_duration_seconds_bucket{namespace="ml",pod="fraud-{v}",app_name="mlserver",method="POST",path="/v2/models/fraud/infer",status_code="200",le="{le}"}',
        ("0.25", "0.5", "+Inf"),
    ),
    Preset.ISTIO: Written(
        'destination_canonical_service="{model}",destination_canonical_revision="{version}"',
        'istio_requests_total{reporter="destination",destination_workload="fraud",destination_canonical_service="fraud",destination_canonical_revision="{v}",response_code="200",response_flags="-"}',
        'istio_requests_total{reporter="destination",destination_workload="fraud",destination_canonical_service="fraud",destination_canonical_revision="{v}",response_code="503",response_flags="UF"}',
        (
            'istio_requests_total{reporter="source",destination_workload="fraud",destination_canonical_service="fraud",destination_canonical_revision="{v}",response_code="200",response_flags="-"}',
        ),
        'istio_request_duration_milliseconds_bucket{reporter="destination",destination_workload="fraud",destination_canonical_service="fraud",destination_canonical_revision="{v}",response_code="200",le="{le}"}',
        ("250", "500", "+Inf"),
    ),
    Preset.LINKERD: Written(
        'deployment="{model}-{version}"',
        'response_total{direction="inbound",deployment="fraud-{v}",route_name="default",classification="success",status_code="200"}',
        'response_total{direction="inbound",deployment="fraud-{v}",route_name="default",classification="failure",status_code="500"}',
        (
            'response_total{direction="outbound",deployment="fraud-{v}",classification="success",status_code="200"}',
            'response_total{direction="inbound",deployment="fraud-{v}",route_name="probe",classification="success",status_code="200"}',
        ),
        'response_latency_ms_bucket{direction="inbound",deployment="fraud-{v}",route_name="default",status_code="200",le="{le}"}',
        ("400", "500", "+Inf"),
    ),
    Preset.NGINX_INGRESS: Written(
        'exported_namespace="ml",exported_service="{model}-{version}"',
        'nginx_ingress_controller_requests{ingress="fraud",exported_namespace="ml",exported_service="fraud-{v}",path="/",method="POST",canary="",status="200"}',
        'nginx_ingress_controller_requests{ingress="fraud",exported_namespace="ml",exported_service="fraud-{v}",path="/",method="POST",canary="",status="502"}',
        (
            'nginx_ingress_controller_requests{ingress="other",exported_namespace="ml",exported_service="other-{v}",path="/",method="POST",canary="",status="200"}',
        ),
        'nginx_ingress_controller_request_duration_seconds_bucket{ingress="fraud",exported_namespace="ml",exported_service="fraud-{v}",path="/",method="POST",status="200",le="{le}"}',
        ("0.25", "0.5", "+Inf"),
    ),
}


def slo(preset):
    return Slo.model_validate(
        {
            "preset": preset.value,
            "selector": SYSTEMS[preset].selector,
            "errors": {"objective": "99%"},
            "latency": {"threshold": "500ms", "objective": "95%"},
        }
    )


def counter(first, each, start, end):
    """Grows by `each` at every scrape in (start, end], from `first` on."""
    scrapes = round((end - start) / SCRAPE)
    return [(start + SCRAPE * k, first + each * k) for k in range(1, scrapes + 1)]


def series(text, version, le=None):
    text = text.replace("{v}", version)
    text = text.replace("{le}", le) if le is not None else text
    return text.replace("{", f'{{job="m",instance="pod-{version}",', 1)


@pytest.fixture(scope="module")
def metrics(start):
    """Every system: version 1 for an hour before the merge, version 2 for ten minutes after it."""
    history = {}
    for written in SYSTEMS.values():
        fast, bound, every = written.les
        for version, begin, end, failed in (
            ("1", MERGED - 1800, MERGED, 0.1),
            ("2", MERGED, MERGED + 600, 12),
        ):
            history[series(written.ok, version)] = counter(0, 288, begin, end)
            # The first error series of the candidate is born with errors in it.
            history[series(written.failed, version)] = counter(0, failed, begin, end)
            for other in written.others:
                history[series(other, version)] = counter(0, 1000, begin, end)
            history[series(written.histogram, version, fast)] = counter(0, 100, begin, end)
            history[series(written.histogram, version, bound)] = counter(0, 295, begin, end)
            history[series(written.histogram, version, every)] = counter(0, 300, begin, end)
    return Prometheus(Connection(start(history).url))


def read(metrics, reader, now):
    answers = {
        ask.text: metrics.raw(ask.text, ask.start, ask.end) if ask.raw else metrics.instant(ask.text, ask.end)
        for ask in reader.asks(now)
    }
    return reader.ingest(answers, now)


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_counts_exactly_what_its_server_wrote(metrics, preset):
    """Every request of the candidate from its very first, no other's, slow and failed ones told apart."""
    reader = CanaryReader(slo(preset), NAMES, Span(MERGED, SCRAPE), born_after=MERGED)
    windows = [window for k in range(1, 21) for window in read(metrics, reader, MERGED + SCRAPE * k)]

    errors = sum((window.candidate["errors"] for window in windows), NOTHING)
    latency = sum((window.candidate["latency"] for window in windows), NOTHING)
    assert (errors.total, errors.bad) == (20 * 300, 20 * 12)
    assert (latency.total, latency.bad) == (20 * 300, 20 * 5)
    assert reader.notes == []


@pytest.mark.parametrize("preset", [Preset.FASTAPI, Preset.VLLM])
def test_from_a_real_server_to_a_verdict(metrics, preset):
    """A candidate with 4% of errors is failed within four minutes of its first request."""
    past = history_reader(slo(preset), NAMES, until=MERGED, length=1500, interval=SCRAPE)
    history = read(metrics, past, MERGED)
    reader = CanaryReader(slo(preset), NAMES, Span(MERGED, SCRAPE), born_after=MERGED)
    watch = Watch(reader.slos, history, Settings())
    verdict, now = None, MERGED
    while verdict is None and now < MERGED + 600:
        now += SCRAPE
        for window in read(metrics, reader, now):
            verdict = verdict or watch.observe(window)

    assert len(history) == 100
    assert verdict.outcome is Outcome.FAILED
    assert verdict.slos[0].reason.startswith("errors: 4% of ")
    assert now - MERGED <= 240
