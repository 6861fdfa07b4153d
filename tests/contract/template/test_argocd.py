"""Argo CD brings everything in Git, keeps it so, may do nothing else, and knows when a managed endpoint serves."""

import json
import re

import lupa
import pytest
import yaml

from bot.webhooks import argocd


def test_one_application_brings_all_the_others(applications, template):
    """The root follows apps/, where every other one is; all sync, prune and heal by themselves."""
    root = applications["models"]

    assert root["spec"]["source"]["path"] == "apps"
    assert len(applications) == 1 + len([*(template / "apps").glob("*.yaml")])
    for application in applications.values():
        assert application["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
        assert application["spec"]["source"]["targetRevision"] == "HEAD"


def test_every_application_follows_what_is_there(applications, template):
    """Folders and value files exist."""
    for application in applications.values():
        source = application["spec"]["source"]
        folder = template / source["path"]
        assert folder.is_dir(), source
        for file in source.get("helm", {}).get("valueFiles", ()):
            assert (folder / file).is_file(), file


def test_every_environment_s_application_is_there_and_renders_its_pins(applications, config):
    """`argocd:` in slipway.yaml names an Application, and it follows the files that the targets name."""
    for name, model in config.models.items():
        for environment, place in model.environments.items():
            source = applications[place.argocd or f"{name}-{environment}"]["spec"]["source"]
            followed = [
                source["path"],
                *(file.removeprefix("../../") for file in source.get("helm", {}).get("valueFiles", ())),
            ]
            for target in place.targets:
                assert any(file.startswith(start) for file in target.candidate_files() for start in followed)


@pytest.mark.real("kubectl", "helm")
def test_the_project_allows_what_is_needed_and_no_more(applications, rendered):
    """Repository, namespaces and cluster-wide kinds are listed; nothing that is rendered needs another."""
    (project,) = [one for one in rendered["argocd"] if one["kind"] == "AppProject"]
    repositories = {application["spec"]["source"]["repoURL"] for application in applications.values()}
    own = [application for application in applications.values() if application["spec"]["project"] == "models"]

    assert {*project["spec"]["sourceRepos"]} == repositories
    assert {one["namespace"] for one in project["spec"]["destinations"]} == {
        application["spec"]["destination"]["namespace"] for application in own
    }
    assert project["spec"]["clusterResourceWhitelist"] == [{"group": "", "kind": "Namespace"}]
    assert len(own) == len(applications) - 1


@pytest.fixture
def health(template):
    """The health check for SageMaker endpoints, as Argo CD runs it: a document in, status and message out."""
    settings = yaml.safe_load((template / "argocd" / "health.yaml").read_text())["data"]
    script = settings["resource.customizations.health.sagemaker.services.k8s.aws_Endpoint"]
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)

    def of(status):
        table = lua.table_from(
            {"spec": {"endpointConfigName": "price-2"}, **({"status": status} if status is not None else {})},
            recursive=True,
        )
        found = lua.eval(f"function(obj) {script} end")(table)
        return found["status"], found["message"]

    return of


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (None, ("Progressing", "The endpoint is not there yet")),
        ({"conditions": []}, ("Progressing", "The endpoint is not there yet")),
        ({"endpointStatus": "Creating"}, ("Progressing", "The endpoint is Creating")),
        (
            {"endpointStatus": "Updating", "latestEndpointConfigName": "price-1"},
            ("Progressing", "The endpoint is Updating"),
        ),
        (
            {"endpointStatus": "InService", "latestEndpointConfigName": "price-1"},
            ("Progressing", "The endpoint still serves price-1"),
        ),
        (
            {"endpointStatus": "InService", "latestEndpointConfigName": "price-2"},
            ("Healthy", "The endpoint is InService"),
        ),
        (
            {"endpointStatus": "Failed", "failureReason": "no capacity"},
            ("Degraded", "no capacity"),
        ),
        ({"endpointStatus": "OutOfService"}, ("Degraded", "The endpoint is OutOfService")),
        ({"endpointStatus": "RollingBack"}, ("Progressing", "The endpoint is RollingBack")),
    ],
)
def test_a_managed_endpoint_is_healthy_when_it_serves_what_git_says(health, status, answer):
    """In service with an older version is not yet healthy, so Slipway does not watch the wrong one."""
    assert health(status) == answer


def test_argo_cd_s_notification_is_one_that_slipway_takes(template):
    """The body that the template renders, with the bearer it sends, is read as a hint about the Application."""
    settings = yaml.safe_load((template / "argocd" / "notifications.yaml").read_text())["data"]
    body = yaml.safe_load(settings["template.slipway"])["webhook"]["slipway"]["body"]
    service = yaml.safe_load(settings["service.webhook.slipway"])
    headers = {
        one["name"]: one["value"].replace("$slipway-webhook-secret", "s" * 32) for one in service["headers"]
    }
    filled = re.sub(r"\{\{\.app\.metadata\.name\}\}", "fraud-detector-production", body)
    filled = re.sub(r"\{\{[^}]*\}\}", "Succeeded", filled)

    hint = argocd.parse(headers, filled.encode(), ("s" * 32,))

    assert hint.application == "fraud-detector-production"
    assert service["url"].endswith("/webhooks/argocd")
    assert json.loads(filled)
