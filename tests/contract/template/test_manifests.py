"""What a user copies is valid: everything renders, and every document passes the schema of its kind."""

import pytest

from bot.settings import Settings

pytestmark = pytest.mark.real("kubectl", "helm")

WORKLOADS = ("Deployment", "Rollout", "Job")


def test_everything_that_reaches_the_cluster_is_valid(rendered, validate):
    """Every Application renders, and Kubernetes would take every document, unknown keys refused."""
    for name, documents in rendered.items():
        assert documents, name
        for document in documents:
            validate(document)


def test_no_two_documents_are_the_same_thing(rendered):
    """Argo CD never finds one resource in two Applications."""
    seen = {}
    for name, documents in rendered.items():
        for document in documents:
            metadata = document["metadata"]
            key = (document["apiVersion"], document["kind"], metadata.get("namespace"), metadata["name"])
            # Helm leaves the namespace to Argo CD: two releases of one chart stand in two namespaces.
            key = (*key, name) if metadata.get("namespace") is None else key
            assert seen.setdefault(key, name) == name or name == "argocd", key


def test_each_serving_style_is_there(rendered):
    """A plain Deployment, a Helm release, a KServe service, an Argo Rollout, a managed endpoint."""
    kinds = {name: {document["kind"] for document in documents} for name, documents in rendered.items()}

    assert kinds["fraud-detector-production"] >= {
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "HorizontalPodAutoscaler",
        "ServiceMonitor",
        "PrometheusRule",
    }
    assert kinds["demand-forecast-production"] >= {"Deployment", "ScaledObject", "PrometheusRule"}
    assert kinds["churn-risk-production"] >= {"InferenceService", "ServiceMonitor", "PrometheusRule"}
    assert kinds["product-ranking-production"] >= {"Rollout", "PodDisruptionBudget", "PrometheusRule"}
    assert kinds["price-estimate-production"] >= {"Model", "EndpointConfig", "Endpoint", "PrometheusRule"}
    assert kinds["slipway"] >= {"Deployment", "Service", "Ingress", "ServiceAccount", "ExternalSecret"}


def test_what_selects_pods_selects_them(rendered):
    """Services, disruption budgets, network policies and monitors select what stands beside them."""
    for name, documents in rendered.items():
        pods = [
            document["spec"]["template"]["metadata"]["labels"]
            for document in documents
            if document["kind"] in ("Deployment", "Rollout")
        ]
        services = [
            document["metadata"].get("labels", {}) for document in documents if document["kind"] == "Service"
        ]
        for document in documents if pods else ():
            spec = document.get("spec", {})
            selectors = {
                "Service": (spec.get("selector"), pods),
                "Deployment": (spec.get("selector", {}).get("matchLabels"), pods),
                "Rollout": (spec.get("selector", {}).get("matchLabels"), pods),
                "PodDisruptionBudget": (spec.get("selector", {}).get("matchLabels"), pods),
                "NetworkPolicy": (spec.get("podSelector", {}).get("matchLabels"), pods),
                "ServiceMonitor": (spec.get("selector", {}).get("matchLabels"), services),
            }
            if document["kind"] in selectors:
                selector, candidates = selectors[document["kind"]]
                assert any(selector.items() <= labels.items() for labels in candidates), (
                    name,
                    document["kind"],
                )


def test_ports_are_those_of_the_containers(rendered):
    """What a Service, a probe or a monitor names by port is there under that name."""
    for name, documents in rendered.items():
        for document in documents:
            if document["kind"] not in ("Deployment", "Rollout"):
                continue
            (container,) = document["spec"]["template"]["spec"]["containers"]
            ports = {port["name"] for port in container["ports"]}
            probes = [
                container[f"{probe}Probe"]["httpGet"]["port"]
                for probe in ("startup", "readiness", "liveness")
            ]
            services = [
                port for other in documents if other["kind"] == "Service" for port in other["spec"]["ports"]
            ]
            monitors = [
                end
                for other in documents
                if other["kind"] == "ServiceMonitor"
                for end in other["spec"]["endpoints"]
            ]
            assert set(probes) <= ports, name
            assert {port["targetPort"] for port in services} <= ports, name
            assert {end["port"] for end in monitors} <= {port["name"] for port in services}, name


def test_every_workload_is_careful(rendered):
    """No root, nothing writable, no capability, no Kubernetes token, memory bounded; nobody ever goes without."""
    for name, documents in rendered.items():
        for document in documents:
            if document["kind"] not in WORKLOADS:
                continue
            pod = document["spec"]["template"]["spec"]
            assert pod["automountServiceAccountToken"] is False, name
            assert pod["securityContext"]["runAsNonRoot"] is True, name
            for container in pod["containers"]:
                context = container["securityContext"]
                assert context["readOnlyRootFilesystem"] is True, name
                assert context["allowPrivilegeEscalation"] is False, name
                assert context["capabilities"] == {"drop": ["ALL"]}, name
                assert "memory" in container["resources"]["limits"], name
            if document["kind"] != "Job":
                strategy = document["spec"]["strategy"]
                assert (strategy.get("rollingUpdate") or strategy["canary"])["maxUnavailable"] == 0, name


def test_an_autoscaler_is_alone_with_its_replicas(rendered):
    """What is scaled by a metric has no `replicas` in Git, which self-heal would set back."""
    for name, documents in rendered.items():
        scalers = [
            document["spec"]["scaleTargetRef"]["name"]
            for document in documents
            if document["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
        ]
        for document in documents:
            if document["kind"] == "Deployment" and document["metadata"]["name"] in scalers:
                assert "replicas" not in document["spec"], name


def test_slipway_itself_has_no_rights_in_the_cluster(rendered):
    """Two replicas, an account without roles and tokens, secrets by reference only."""
    documents = rendered["slipway"]
    (deployment,) = [document for document in documents if document["kind"] == "Deployment"]

    assert deployment["spec"]["replicas"] == 2
    assert not [
        one["kind"]
        for every in rendered.values()
        for one in every
        if "Role" in one["kind"] or one["kind"] == "Secret"
    ]


def test_the_bot_gets_every_setting_it_needs(rendered):
    """The names in the ConfigMap and the Secret are Slipway's own, and none that it insists on is missing."""
    documents = rendered["slipway"]
    (plain,) = [document["data"] for document in documents if document["kind"] == "ConfigMap"]
    (secret,) = [
        document["spec"]["data"]
        for document in documents
        if document["metadata"]["name"] == "slipway" and document["kind"] == "ExternalSecret"
    ]
    given = {*plain, *(entry["secretKey"] for entry in secret)}
    known = {f"SLIPWAY_{field.upper()}": info for field, info in Settings.model_fields.items()}

    assert given <= known.keys()
    assert {name for name, info in known.items() if info.is_required()} <= given
    assert {"SLIPWAY_DATABASE_URL", "SLIPWAY_GITHUB_PRIVATE_KEY"} <= given
