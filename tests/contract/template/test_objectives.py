"""Alerts are the objectives of slipway.yaml, and fire when, and only when, an error budget burns."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.analysis.burn import PAIRS

pytestmark = pytest.mark.real("kubectl", "helm", "promtool")

SERIES = Path(__file__).parent / "series"
SECONDS = {"m": 60, "h": 3600}
BURN = re.compile(
    r"^(?:1 - )?(?:model|endpoint):(?P<what>errors|within):ratio_(?:rate|over)(?P<window>\d+[mh])"
    r"\{(?P<series>[^}]*)\} > (?P<factor>[\d.]+) \* (?P<budget>[\d.]+)$"
)


def rules(rendered):
    """(Application, rule) of everything that is rendered."""
    return [
        (name, rule)
        for name, documents in rendered.items()
        for document in documents
        if document["kind"] == "PrometheusRule"
        for group in document["spec"]["groups"]
        for rule in group["rules"]
    ]


def seconds(window):
    return int(window[:-1]) * SECONDS[window[-1]]


def burns(rendered, model):
    """(SLO, long, short, factor, budget, series) of each burn-rate alert of a model, in production."""
    found = []
    for name, rule in rules(rendered):
        if name == f"{model}-production" and "Burn" in rule.get("alert", ""):
            one, two = (BURN.match(line.strip()) for line in rule["expr"].split("and\n"))
            assert one["series"] == two["series"]
            assert (one["factor"], one["budget"], one["what"]) == (two["factor"], two["budget"], two["what"])
            slo = "errors" if one["what"] == "errors" else "latency"
            pair = (float(seconds(one["window"])), float(seconds(two["window"])), float(one["factor"]))
            found.append((slo, pair, float(one["budget"]), one["series"]))
    return found


@pytest.mark.parametrize("model", ["fraud-detector", "demand-forecast", "churn-risk", "product-ranking"])
def test_alerts_are_the_objectives_of_slipway_yaml(rendered, config, model):
    """For errors and latency, both pairs of windows of the canary; budget, threshold and series are slipway.yaml's."""
    slo = config.models[model].environments["production"].slo
    budgets = {"errors": 1 - slo.errors.objective, "latency": 1 - slo.latency.objective}
    place = slo.selector.rpartition(",")[0]
    pairs = {(pair.long, pair.short, pair.factor) for pair in PAIRS}

    found = burns(rendered, model)

    assert {(name, pair) for name, pair, _, _ in found} == {
        (name, pair) for name in budgets for pair in pairs
    }
    for name, _, budget, series in found:
        assert budget == pytest.approx(budgets[name])
        threshold = re.search(r',le="([\d.]+)"$', series)
        assert series.removesuffix(threshold[0] if threshold else "") == place
        if name == "latency":
            assert float(threshold[1]) == slo.latency.threshold.total_seconds()


def test_alerts_of_the_managed_endpoint_are_its_objectives(rendered, config):
    """The ratio of errors and the limit of the latency are those of slipway.yaml."""
    slo = config.models["price-estimate"].environments["production"].slo
    (limit,) = [
        float(rule["expr"].rpartition(" > ")[2])
        for name, rule in rules(rendered)
        if name == "price-estimate-production" and rule.get("alert") == "ModelLatencyHigh"
    ]

    found = burns(rendered, "price-estimate")

    assert {pair for _, pair, _, _ in found} == {(pair.long, pair.short, pair.factor) for pair in PAIRS}
    for _, _, budget, _ in found:
        assert budget == pytest.approx(1 - slo.ratios["errors"].objective)
    assert limit == slo.gauges["latency"].above


def test_every_alert_of_a_model_says_whose_it_is(rendered):
    """Slipway and people find model and environment in the labels."""
    for name, rule in rules(rendered):
        if rule.get("alert", "").startswith("Model"):
            labels = rule["labels"]
            assert f"{labels['model']}-{labels['environment']}" == name
            assert labels["severity"] in {"page", "ticket"}
            assert rule["annotations"]["summary"]


@pytest.fixture(scope="session")
def rule_files(rendered, tmp_path_factory):
    """Each PrometheusRule as a file of Prometheus."""
    folder = tmp_path_factory.mktemp("rules")
    documents = [one for many in rendered.values() for one in many if one["kind"] == "PrometheusRule"]
    files = []
    for document in documents:
        files.append(folder / f"{document['metadata']['name']}.yaml")
        files[-1].write_text(yaml.safe_dump(document["spec"]))
    return files


def test_promtool_takes_every_rule(rule_files):
    """`promtool check rules` finds nothing, duplicates and suspicious rules included."""
    command = ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, rule_files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def scenario(name, series, at, fires):
    """A test of promtool: after these series, exactly these alerts of this model fire at these minutes."""
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": text, "values": values} for text, values in series.items()],
        "alert_rule_test": [
            {"eval_time": at, "alertname": alert, "exp_alerts": [one] if one else []}
            for alert, one in fires.items()
        ],
    }


def recorded(style, name, chosen, **target):
    """A series of a recorded scrape as Prometheus stores it: with its own labels, some of them chosen, and the
    target's.
    """
    families = text_string_to_metric_families((SERIES / f"{style}.txt").read_text())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    (sample,) = [one for one in samples if chosen.items() <= one.labels.items()]
    labels = ",".join(f'{key}="{value}"' for key, value in sorted((sample.labels | target).items()))
    return f"{name}{{{labels}}}"


PLACE = {"namespace": "production", "service": "fraud-detector", "pod": "fraud-detector-1"}


def served(*, good, bad=None, slow="0+0x400"):
    """The series of a model behind the reference server: per minute, good, bad and slow requests."""

    def requests(status):
        answered = {"handler": "/predict", "status": status}
        return recorded("model-server", "http_requests_total", answered, **PLACE)

    duration = "http_request_duration_highr_seconds"
    series = {requests("2xx"): good, recorded("model-server", f"{duration}_count", {}, **PLACE): good}
    if bad is not None:
        series[requests("5xx")] = bad
    series[recorded("model-server", f"{duration}_bucket", {"le": "0.25"}, **PLACE)] = (
        good if slow is None else slow
    )
    return series


def test_alerts_fire_when_a_budget_burns_and_not_otherwise(rendered, rule_files, tmp_path):
    """With real names of series: calm, a burst of errors, a slow leak, slow answers, and no traffic at all."""
    alerts = {
        rule["alert"]: rule
        for name, rule in rules(rendered)
        if name == "fraud-detector-production" and "alert" in rule
    }

    def fired(name):
        rule = alerts[name]
        labels = {
            **rule["labels"],
            "namespace": "production",
            "service": "fraud-detector",
            "server": "reference",
        }
        if "Latency" in name:
            labels["le"] = "0.25"
        return {"exp_labels": labels, "exp_annotations": rule["annotations"]}

    def expect(*names):
        return {name: fired(name) if name in names else None for name in alerts}

    steady, quick = "0+600x400", None
    tests = [
        scenario("calm, no error series yet", served(good=steady, slow=quick), "390m", expect()),
        scenario(
            "errors within the objective",
            served(good=steady, bad="0+5x400", slow=quick),
            "390m",
            expect(),
        ),
        scenario(
            "a third fails from the fifth hour on",
            served(good=steady, bad="0x300 0+300x100", slow=quick),
            "350m",
            expect("ModelErrorsBurnFast"),
        ),
        scenario(
            "a leak of eight per cent",
            served(good=steady, bad="0+52x400", slow=quick),
            "390m",
            expect("ModelErrorsBurnSlow"),
        ),
        scenario(
            "nearly all answers are slow",
            served(good=steady, slow="0+60x400"),
            "390m",
            expect("ModelLatencyBurnFast", "ModelLatencyBurnSlow"),
        ),
        scenario(
            "the burst is over: the short window ends the alarm",
            served(good=steady, bad="0x300 0+300x40 12000x60", slow=quick),
            "380m",
            expect(),
        ),
        scenario("no traffic at all", served(good="7x400", slow="7x400"), "390m", expect()),
    ]
    promtool_agrees(rule_files, "fraud-detector", tests, tmp_path)


def promtool_agrees(rule_files, model, tests, folder):
    """`promtool test rules` with the rules of one model and those that all models share."""
    needed = [str(one) for one in rule_files if one.stem in {"model-ratios", model}]
    file = folder / "tests.yaml"
    file.write_text(json.dumps({"rule_files": needed, "evaluation_interval": "1m", "tests": tests}))

    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


KSERVE = {"namespace": "production", "service": "churn-risk-metrics", "model_version": "3"}
ENDPOINT = {
    "dimension_EndpointName": "price-estimate-production",
    "dimension_VariantName": "price-estimate-production-3",
}


@pytest.mark.parametrize(
    "style",
    [
        (
            "churn-risk",
            (recorded("mlserver", "model_infer_request_success_total", {}, **KSERVE), "0+600x120"),
            (recorded("mlserver", "model_infer_request_failure_total", {}, **KSERVE), "0+300x120"),
            {"namespace": "production", "service": "churn-risk-metrics", "server": "mlserver"},
        ),
        (
            "price-estimate",
            (recorded("sagemaker", "aws_sagemaker_invocations_sum", {}, **ENDPOINT), "600x120"),
            (recorded("sagemaker", "aws_sagemaker_invocation5_xxerrors_sum", {}, **ENDPOINT), "200x120"),
            {"dimension_EndpointName": "price-estimate-production"},
        ),
    ],
    ids=["churn-risk", "price-estimate"],
)
def test_alerts_of_the_other_styles_fire_too(rendered, rule_files, tmp_path, style):
    """Counters of MLServer and minutes of CloudWatch: calm without an error series, a page when a third fails."""
    model, good, bad, labels = style
    (rule,) = [
        rule
        for name, rule in rules(rendered)
        if name == f"{model}-production" and rule.get("alert") == "ModelErrorsBurnFast"
    ]
    alert = {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": rule["annotations"]}
    tests = [
        scenario("calm", dict([good]), "90m", {"ModelErrorsBurnFast": None}),
        scenario("a third fails", dict([good, bad]), "90m", {"ModelErrorsBurnFast": alert}),
    ]

    promtool_agrees(rule_files, model, tests, tmp_path)
