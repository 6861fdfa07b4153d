"""`slipway doctor` against running parts: all well, each thing broken, and everything broken at once."""

import pytest
from fastapi import FastAPI

from bot.ports import Installed
from bot.sandbox.server import Server

# The doctor's threads leave their connections to the end of its process, which the suite outlives.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_where_all_is_well_every_part_says_so(world):
    """Exit 0; an MLflow without authentication is all that is remarked on."""
    code, found, _ = world.examine()

    assert [each["sentence"] for each in found if each["level"] != "ok"] == [
        "The server asks nobody who they are: whoever reaches it can start a promotion."
    ]
    assert code == 0
    assert {each["area"] for each in found} == {"Database", "GitHub", "MLflow", "Prometheus", "Argo CD"}
    assert any("errors, latency are there" in each["sentence"] for each in found)
    assert any("syncs by itself" in each["sentence"] for each in found)


def test_everything_broken_at_once_is_told_at_once(world, engine):
    """A wrong token, a missing right, no webhook, no series, no Application, no database: each has its line."""
    app = world.github.world.state.apps[world.keys.id]
    app.permissions = {name: level for name, level in app.permissions.items() if name != "checks"}
    app.webhook_url = None
    for webhook in world.mlflow.list_webhooks():
        world.mlflow.delete_webhook(webhook.webhook_id)
    world.applications.documents.clear()
    nobody = Server(FastAPI(), "another service")
    world.settings |= {
        "SLIPWAY_DATABASE_URL": "postgresql://slipway:hidden@127.0.0.1:1/slipway",
        "SLIPWAY_PROMETHEUS_URL": nobody.url,
        "SLIPWAY_ARGOCD_TOKEN": "revoked",
        "SLIPWAY_PORT": "eighty",
    }
    code, found, printed = world.examine()
    nobody.close()
    problems = {(each["area"], each["subject"]): each for each in found if each["level"] == "problem"}
    warnings = {each["area"] for each in found if each["level"] == "warning"}

    assert code == 1
    assert set(problems) == {
        ("Settings", "SLIPWAY_PORT"),
        ("Database", "PostgreSQL"),
        ("GitHub", "App slipway"),
        ("Prometheus", "default"),
        ("Prometheus", "fraud in production"),
        ("Argo CD", "fraud in production"),
    }
    assert "`checks: write`" in problems["GitHub", "App slipway"]["sentence"]
    assert "the token is not accepted" in problems["Argo CD", "fraud in production"]["sentence"].lower()
    assert {"GitHub", "MLflow"} <= warnings
    assert all(each["todo"] for each in found if each["level"] != "ok")
    for secret in ("hidden", "one secret", "another secret", "PRIVATE KEY"):
        assert secret not in printed


def test_a_github_that_is_away_hides_nothing_that_the_database_remembers(world, store):
    """The last good configuration tells which series and Applications there should be."""
    text = world.configuration.replace("selector: 'version=\"{version}\"'", 'selector: ""')
    store.set_repositories([Installed(1, world.repository, 1)])
    store.set_configuration(world.repository, {"slipway.yaml": text}, "c" * 40)
    world.settings["SLIPWAY_GITHUB_APP_ID"] = "999"
    _, found, _ = world.examine()
    told = {each["area"]: each["sentence"] for each in found if each["subject"] == "fraud in production"}

    assert any(each["area"] == "GitHub" and each["level"] == "problem" for each in found)
    assert "syncs by itself" in told["Argo CD"]
    assert "are there" in told["Prometheus"]


@pytest.mark.parametrize(
    ("setting", "value", "area", "sentence"),
    [
        ("SLIPWAY_GITHUB_PRIVATE_KEY", "no key", "GitHub", "no key in PEM format"),
        ("SLIPWAY_GITHUB_BASE_URL", "http://127.0.0.1:1", "GitHub", "No answer"),
        ("SLIPWAY_MLFLOW_TRACKING_URI", "http://127.0.0.1:1", "MLflow", "No answer"),
        ("SLIPWAY_PROMETHEUS_URL", "http://127.0.0.1:1", "Prometheus", "No connection"),
        ("SLIPWAY_PROMETHEUS_SOURCES", "{", "Settings", "this is no JSON"),
        ("SLIPWAY_ARGOCD_URL", "http://127.0.0.1:1", "Argo CD", "No answer"),
        ("SLIPWAY_ARGOCD_URL", "argocd", "Settings", "this is no web address"),
        ("SLIPWAY_PUBLIC_URL", "https://elsewhere.example.com", "GitHub", "not to https://elsewhere"),
        ("SLIPWAY_PUBLIC_URL", "https://elsewhere.example.com", "MLflow", "None goes to https://elsewhere"),
    ],
)
def test_one_setting_that_is_wrong(world, setting, value, area, sentence):
    """It is told in its own place."""
    world.settings[setting] = value

    assert any(sentence in told for told in world.bad()[area])


def test_no_other_github_is_asked_than_the_one_that_was_meant(world):
    """An address that is none is told as a setting; github.com does not stand in for it."""
    world.settings["SLIPWAY_GITHUB_BASE_URL"] = "github.acme.io/api/v3"
    _, found, _ = world.examine()

    assert ("Settings", "SLIPWAY_GITHUB_BASE_URL") in {(each["area"], each["subject"]) for each in found}
    assert "App" not in {each["subject"] for each in found if each["area"] == "GitHub"}


@pytest.mark.parametrize(
    ("old", "new", "area", "sentence"),
    [
        ("threshold: 500ms", "threshold: 9s", "Prometheus", "9 is above the largest bucket bound, 0.5"),
        ("threshold: 500ms", "threshold: 100ms", "Prometheus", "the next one, 0.5, is used"),
        ("preset: fastapi", "preset: vllm", "Prometheus", "found nothing in the last 5 minutes"),
        (
            "preset: fastapi",
            "preset: fastapi\n          source: mimir",
            "Prometheus",
            "no connection of that name",
        ),
        ("fraud-production", "fraud-staging", "Argo CD", "There is no Application fraud-staging"),
        ("pointer: /uri", "pointer: /url", "GitHub", "slipway.yaml is wrong"),
        ("  fraud:", "  froud:", "MLflow", "no such registered model"),
        ("policy: baseline", "policy: nobody", "GitHub", "there is no policy `nobody`"),
        (
            '{version}"\n',
            '{version}"\n    image: {repository: 127.0.0.1:1/a, tag: v1}\n',
            "Image registry",
            "does not answer",
        ),
    ],
)
def test_one_line_of_slipway_yaml_that_is_wrong(world, old, new, area, sentence):
    """Found before a promotion finds it."""
    assert old in world.configuration
    world.configure(world.configuration.replace(old, new, 1))

    told = world.bad()[area]

    assert any(sentence in each for each in told), told


def test_a_repository_without_the_file_is_told(world):
    """Somebody installed the App and forgot the rest."""
    kept = world.owner("GET", "contents/slipway.yaml")["sha"]
    world.owner("DELETE", "contents/slipway.yaml", {"message": "Remove", "sha": kept})

    assert any("has a slipway.yaml" in told for told in world.bad()["GitHub"])


def test_what_the_branch_and_the_application_let_through(world):
    """A check that nobody requires, one that nobody can meet; an Application that waits for a person."""
    world.protect(["slipway / canary"])
    document = world.applications.documents["fraud-production"]
    document["spec"]["syncPolicy"] = {}
    document["status"] = {"conditions": [{"type": "ComparisonError", "message": "no such path"}]}
    bad = world.bad()

    assert any("does not require `slipway / gates`" in told for told in bad["GitHub"])
    assert any("exists only after the merge" in told for told in bad["GitHub"])
    assert any("does not sync by itself" in told for told in bad["Argo CD"])
    assert any("ComparisonError: no such path" in told for told in bad["Argo CD"])


def test_the_doctor_only_reads(world, wire, operations):
    """Nothing is sent but questions that GitHub describes, and the request for a token that asking takes."""
    world.examine()
    for exchange in wire.exchanges:
        if exchange.host in world.github.url:
            operations.check(exchange)
    sent = {f"{each.method} {each.path}" for each in wire.exchanges if each.method != "GET"}

    assert wire.exchanges
    assert {path.rpartition("/")[2] for path in sent} == {"access_tokens", "query"}
