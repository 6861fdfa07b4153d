"""Every preset, rendered exactly."""

import pytest

from bot.analysis.queries import Role, Side, fill, is_selector, objectives, queries
from bot.domain.slo import Preset, Slo

NAMES = {"model": "fraud", "version": "7", "baseline": "6", "environment": "production", "namespace": "ml"}
M = 'app="fraud",version="7"'

PROBES = "/(metrics|healthz?|livez?|readyz?|ping)"
SELDON_BAD = 'code=~"5..|Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"'
RENDERED = {
    "fastapi": (
        f'http_requests_total{{handler!~"{PROBES}",{M}}}',
        f'http_requests_total{{handler!~"{PROBES}",status=~"5..",{M}}}',
        f"http_request_duration_highr_seconds_bucket{{{M}}}",
    ),
    "kserve": (
        f"revision_app_request_count{{{M}}}",
        f'revision_app_request_count{{response_code_class="5xx",{M}}}',
        f"revision_app_request_latencies_bucket{{{M}}}",
    ),
    "seldon": (
        f"seldon_api_executor_server_requests_seconds_count{{{M}}}",
        f"seldon_api_executor_server_requests_seconds_count{{{SELDON_BAD},{M}}}",
        f"seldon_api_executor_server_requests_seconds_bucket{{{M}}}",
    ),
    "triton": (
        f'{{__name__=~"nv_inference_request_(success|failure)",{M}}}',
        f'nv_inference_request_failure{{reason!="CANCELED",{M}}}',
        f"nv_inference_first_response_histogram_ms_bucket{{{M}}}",
    ),
    "vllm": (
        f'http_requests_total{{handler=~"/v1/.*",{M}}}',
        f'http_requests_total{{handler=~"/v1/.*",status=~"5..",{M}}}',
        f"vllm:e2e_request_latency_seconds_bucket{{{M}}}",
    ),
    "bentoml": (
        f'bentoml_service_request_total{{endpoint!~"{PROBES}",{M}}}',
        f'bentoml_service_request_total{{endpoint!~"{PROBES}",http_response_code=~"5..",{M}}}',
        f'bentoml_service_request_duration_seconds_bucket{{endpoint!~"{PROBES}",{M}}}',
    ),
    "mlserver": (
        f'{{__name__=~"model_infer_request_(success|failure)_total",{M}}}',
        f"model_infer_request_failure_total{{{M}}}",
        f'rest_server_request_duration_seconds_bucket{{path=~".*/infer",{M}}}',
    ),
    "istio": (
        f'istio_requests_total{{reporter=~"destination|waypoint",{M}}}',
        f'istio_requests_total{{reporter=~"destination|waypoint",response_code=~"5..",{M}}}',
        f'istio_request_duration_milliseconds_bucket{{reporter=~"destination|waypoint",{M}}}',
    ),
    "linkerd": (
        f'response_total{{direction="inbound",route_name!="probe",{M}}}',
        f'response_total{{direction="inbound",route_name!="probe",classification="failure",{M}}}',
        f'response_latency_ms_bucket{{direction="inbound",route_name!="probe",{M}}}',
    ),
    "nginx-ingress": (
        f"nginx_ingress_controller_requests{{{M}}}",
        f'nginx_ingress_controller_requests{{status=~"5..",{M}}}',
        f"nginx_ingress_controller_request_duration_seconds_bucket{{{M}}}",
    ),
}


def slo(preset, **more):
    return Slo.model_validate(
        {
            "preset": preset,
            "selector": 'app="{model}",version="{version}"',
            "errors": {"objective": "99%"},
            "latency": {"threshold": "500ms", "objective": "95%"},
            **more,
        }
    )


def test_every_preset_is_here():
    """No preset ships without its exact text in this file."""
    assert set(RENDERED) == {preset.value for preset in Preset}


@pytest.mark.parametrize("preset", RENDERED)
def test_a_preset_renders_exactly(preset):
    """A preset asks for these series and no others."""
    rendered = queries(slo(preset), NAMES, stretch=60)

    assert [query.role for query in rendered] == [Role.TOTAL, Role.BAD, Role.BUCKET]
    assert tuple(query.text for query in rendered) == RENDERED[preset]


@pytest.mark.parametrize("preset", RENDERED)
def test_a_preset_without_matchers_is_a_selector(preset):
    """No stray comma and no empty braces."""
    rendered = queries(slo(preset, selector=""), NAMES, stretch=60)

    assert all(is_selector(query.text) for query in rendered)
    assert not any(",}" in query.text or "{}" in query.text for query in rendered)


@pytest.mark.parametrize("preset", ["istio", "kserve", "linkerd", "triton"])
def test_milliseconds_are_meant_where_the_server_counts_them(preset):
    """500 ms are 500 where the histogram is in milliseconds."""
    assert queries(slo(preset), NAMES, stretch=60)[-1].threshold == 500.0


def test_a_baseline_beside_is_asked_for_the_same():
    """Both sides of split traffic are read by the same queries."""
    rendered = queries(slo("fastapi", baseline='app="{model}",version="{baseline}"'), NAMES, stretch=60)

    assert [query.side for query in rendered] == [Side.CANDIDATE] * 3 + [Side.BASELINE] * 3
    assert [query.text for query in rendered[3:]] == [
        text.replace('version="7"', 'version="6"') for text in RENDERED["fastapi"]
    ]


def test_names_are_escaped():
    """A model's name cannot end the string that it stands in."""
    assert fill('app="{model}"', {"model": 'a"} or vector(1) or x{b="\\'}) == (
        'app="a\\"} or vector(1) or x{b=\\"\\\\"'
    )


def test_promql_that_counts_is_left_to_the_server():
    """A ratio of expressions is counted by PromQL over the stretch between two looks."""
    own = Slo.model_validate(
        {
            "ratios": {
                "abstained": {
                    "total": 'predictions_total{model="{model}"}',
                    "bad": 'sum(increase(abstained_total{model="{model}"}[{window}]))',
                    "objective": "98%",
                }
            },
            "gauges": {"drift": {"query": 'max(drift{model="{model}"})', "above": 0.3, "for": "5m"}},
        }
    )
    rendered = queries(own, NAMES, stretch=60)

    assert [(query.role, query.text) for query in rendered] == [
        (Role.TOTAL, 'predictions_total{model="fraud"}'),
        (Role.BAD_NOW, 'sum(increase(abstained_total{model="fraud"}[60s]))'),
        (Role.GAUGE, 'max(drift{model="fraud"})'),
    ]


def test_a_native_histogram_is_read_raw_by_its_own_name():
    """It has no `_bucket` series; its samples hold the buckets."""
    native = slo("fastapi", errors=None, latency={"threshold": "250ms", "objective": "95%", "native": True})
    (only,) = queries(native, NAMES, stretch=60)

    assert (only.role, only.text) == (Role.BUCKET, f"http_request_duration_highr_seconds{{{M}}}")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("up", True),
        ("vllm:x_total", True),
        ('up{job="a,}{"}', True),
        ('{__name__=~"a|b"}', True),
        ('up{job="a"} offset 5m', False),
        ("sum(up)", False),
        ("up / up", False),
        ("up[5m]", False),
        ("", False),
    ],
)
def test_what_a_plain_selector_is(text, plain):
    """Only what has raw samples is read raw."""
    assert is_selector(text) is plain


def test_objectives_say_what_they_are_for_a_person():
    """Names, sentences and queries of the SLOs come from the file."""
    errors, latency = objectives(slo("fastapi"), NAMES)

    assert (errors.name, errors.sentence) == ("errors", "at most 1% of requests fail")
    assert (latency.name, latency.sentence) == ("latency", "95% of requests within 500ms")
    assert errors.query == f"{RENDERED['fastapi'][1]} / {RENDERED['fastapi'][0]}"
    assert latency.query == RENDERED["fastapi"][2]


def test_the_query_that_a_person_reads_is_the_candidates():
    """Also where the baseline beside it is asked for the same."""
    beside = objectives(slo("fastapi", baseline='app="{model}",version="{baseline}"'), NAMES)

    assert all(
        'version="7"' in objective.query and 'version="6"' not in objective.query for objective in beside
    )


def test_a_name_is_not_filled_in_again():
    """A model may be called as a placeholder is, and what is no placeholder stays."""
    assert fill('{a="{model}",b="{version}"}[{window}]', {"model": "{version}", "version": "3"}) == (
        '{a="{version}",b="3"}[{window}]'
    )
