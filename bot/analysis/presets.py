"""Servers whose metrics are known by heart: what counts requests, what counts failures, what times them.

`{matchers}` is where the label matchers that narrow a query to one model go; they must fit all three
selectors. Health checks and scrapes are no requests: left in, they would let a service without traffic pass.

Where the names, labels and units were read, each in the project's own source or documentation:

- fastapi: prometheus-fastapi-instrumentator, `metrics.py`, `default`. `status` is grouped (`5xx`) unless the
  app says otherwise. `http_request_duration_highr_seconds` has 21 bounds and no label of its own, the other
  histogram only three bounds.
- kserve: Knative Serving, "Service metrics" and `request_metric.go` of the queue proxy, which passes over
  probes; bounds in milliseconds. KServe's own `request_predict_seconds` knows no failures and other labels.
  Knative 1.19 and later write `kn_serving_invocation_duration_seconds` ("Knative Serving Metrics") instead.
- seldon: Seldon Core 1, `executor/api/metric/server.go`. `code` is an HTTP status, or the name of a gRPC one.
- triton: Triton Inference Server, "Metrics". A request that its client cancelled is no failure of the model.
  The histogram exists for decoupled models, with `--metrics-config histogram_latencies=true`.
- vllm: vLLM, "Production Metrics"; its API server counts requests by the fastapi instrumentator.
- bentoml: BentoML, "Metrics", and `http/instruments.py`; requests by their path.
- mlserver: MLServer, "Metrics", `handlers/dataplane.py` and `rest/app.py`; the histogram is
  starlette_exporter's, by path. prometheus_client adds `_total` to counters.
- istio: Istio, "Istio Standard Metrics". `waypoint` is the reporter of the ambient mode.
- linkerd: Linkerd, "Proxy Metrics". Kubelet's probes are the route `probe`.
- nginx-ingress: ingress-nginx, `collectors/socket.go`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.slo import Preset


@dataclass(frozen=True, slots=True)
class Template:
    """Selectors of one server's counters; `histogram` has no `_bucket`; its bounds are in seconds
    unless `milliseconds`.
    """

    total: str
    bad: str
    histogram: str
    milliseconds: bool = False


_PROBES = "/(metrics|healthz?|livez?|readyz?|ping)"
_GRPC_FAILURES = "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"
"""gRPC's statuses that are the server's fault, as OpenTelemetry's conventions for RPC have it."""

TEMPLATES: Mapping[Preset, Template] = {
    Preset.FASTAPI: Template(
        total=f'http_requests_total{{handler!~"{_PROBES}",{{matchers}}}}',
        bad=f'http_requests_total{{handler!~"{_PROBES}",status=~"5..",{{matchers}}}}',
        histogram="http_request_duration_highr_seconds{{matchers}}",
    ),
    Preset.KSERVE: Template(
        total="revision_app_request_count{{matchers}}",
        bad='revision_app_request_count{response_code_class="5xx",{matchers}}',
        histogram="revision_app_request_latencies{{matchers}}",
        milliseconds=True,
    ),
    Preset.SELDON: Template(
        total="seldon_api_executor_server_requests_seconds_count{{matchers}}",
        bad=f'seldon_api_executor_server_requests_seconds_count{{code=~"5..|{_GRPC_FAILURES}",{{matchers}}}}',
        histogram="seldon_api_executor_server_requests_seconds{{matchers}}",
    ),
    Preset.TRITON: Template(
        total='{__name__=~"nv_inference_request_(success|failure)",{matchers}}',
        bad='nv_inference_request_failure{reason!="CANCELED",{matchers}}',
        histogram="nv_inference_first_response_histogram_ms{{matchers}}",
        milliseconds=True,
    ),
    Preset.VLLM: Template(
        total='http_requests_total{handler=~"/v1/.*",{matchers}}',
        bad='http_requests_total{handler=~"/v1/.*",status=~"5..",{matchers}}',
        histogram="vllm:e2e_request_latency_seconds{{matchers}}",
    ),
    Preset.BENTOML: Template(
        total=f'bentoml_service_request_total{{endpoint!~"{_PROBES}",{{matchers}}}}',
        bad=f'bentoml_service_request_total{{endpoint!~"{_PROBES}",http_response_code=~"5..",{{matchers}}}}',
        histogram=f'bentoml_service_request_duration_seconds{{endpoint!~"{_PROBES}",{{matchers}}}}',
    ),
    Preset.MLSERVER: Template(
        total='{__name__=~"model_infer_request_(success|failure)_total",{matchers}}',
        bad="model_infer_request_failure_total{{matchers}}",
        histogram='rest_server_request_duration_seconds{path=~".*/infer",{matchers}}',
    ),
    Preset.ISTIO: Template(
        total='istio_requests_total{reporter=~"destination|waypoint",{matchers}}',
        bad='istio_requests_total{reporter=~"destination|waypoint",response_code=~"5..",{matchers}}',
        histogram='istio_request_duration_milliseconds{reporter=~"destination|waypoint",{matchers}}',
        milliseconds=True,
    ),
    Preset.LINKERD: Template(
        total='response_total{direction="inbound",route_name!="probe",{matchers}}',
        bad='response_total{direction="inbound",route_name!="probe",classification="failure",{matchers}}',
        histogram='response_latency_ms{direction="inbound",route_name!="probe",{matchers}}',
        milliseconds=True,
    ),
    Preset.NGINX_INGRESS: Template(
        total="nginx_ingress_controller_requests{{matchers}}",
        bad='nginx_ingress_controller_requests{status=~"5..",{matchers}}',
        histogram="nginx_ingress_controller_request_duration_seconds{{matchers}}",
    ),
}
