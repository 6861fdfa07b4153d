"""Servers whose metrics are known by heart: what counts requests, what counts failures, what times them.

`{matchers}` is where the label matchers that narrow a query to one model go. The names were read in each
project's own documentation; `docs/canary.md` says what each preset needs switched on.
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


TEMPLATES: Mapping[Preset, Template] = {
    Preset.FASTAPI: Template(
        total="http_requests_total{{matchers}}",
        bad='http_requests_total{status=~"5..",{matchers}}',
        histogram="http_request_duration_highr_seconds{{matchers}}",
    ),
    Preset.KSERVE: Template(
        total="revision_app_request_count{{matchers}}",
        bad='revision_app_request_count{response_code_class="5xx",{matchers}}',
        histogram="request_predict_seconds{{matchers}}",
    ),
    Preset.SELDON: Template(
        total="seldon_api_executor_server_requests_seconds_count{{matchers}}",
        bad='seldon_api_executor_server_requests_seconds_count{code=~"5..",{matchers}}',
        histogram="seldon_api_executor_server_requests_seconds{{matchers}}",
    ),
    Preset.TRITON: Template(
        total='{__name__=~"nv_inference_request_(success|failure)",{matchers}}',
        bad="nv_inference_request_failure{{matchers}}",
        histogram="nv_inference_first_response_histogram_ms{{matchers}}",
        milliseconds=True,
    ),
    Preset.VLLM: Template(
        total='http_requests_total{handler=~"/v1/.*",{matchers}}',
        bad='http_requests_total{handler=~"/v1/.*",status=~"5..",{matchers}}',
        histogram="vllm:e2e_request_latency_seconds{{matchers}}",
    ),
    Preset.BENTOML: Template(
        total="bentoml_service_request_total{{matchers}}",
        bad='bentoml_service_request_total{http_response_code=~"5..",{matchers}}',
        histogram="bentoml_service_request_duration_seconds{{matchers}}",
    ),
    Preset.MLSERVER: Template(
        total='{__name__=~"model_infer_request_(success|failure)_total",{matchers}}',
        bad="model_infer_request_failure_total{{matchers}}",
        histogram="rest_server_request_duration_seconds{{matchers}}",
    ),
    Preset.ISTIO: Template(
        total='istio_requests_total{reporter="destination",{matchers}}',
        bad='istio_requests_total{reporter="destination",response_code=~"5..",{matchers}}',
        histogram='istio_request_duration_milliseconds{reporter="destination",{matchers}}',
        milliseconds=True,
    ),
    Preset.LINKERD: Template(
        total='response_total{direction="inbound",{matchers}}',
        bad='response_total{direction="inbound",classification="failure",{matchers}}',
        histogram='response_latency_ms{direction="inbound",{matchers}}',
        milliseconds=True,
    ),
    Preset.NGINX_INGRESS: Template(
        total="nginx_ingress_controller_requests{{matchers}}",
        bad='nginx_ingress_controller_requests{status=~"5..",{matchers}}',
        histogram="nginx_ingress_controller_request_duration_seconds{{matchers}}",
    ),
}
