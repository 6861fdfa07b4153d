"""What facts mean: one sentence and one thing to do for each, and nothing to do where all is well."""

import dataclasses
from datetime import UTC, datetime

import pytest

from bot.analysis.queries import queries
from bot.doctor import database, delivery, github, metrics, registry
from bot.domain import app_rights
from bot.domain.finding import Level
from bot.domain.inspection import (
    ApplicationSeen,
    AppSeen,
    BranchSeen,
    DatabaseSeen,
    InstallationSeen,
    RegistryUser,
    WebhookSeen,
)
from bot.domain.loading import load
from bot.domain.mistake import Mistake
from bot.domain.policy import Approvals, Policy, Right
from bot.domain.series import Series

PUBLIC = "https://slipway.example.com"
APP = AppSeen(
    slug="slipway",
    page="https://github.test/apps/slipway",
    permissions=dict(app_rights.PERMISSIONS),
    events=app_rights.EVENTS,
    webhook_url=f"{PUBLIC}/webhooks/github",
    answers=(202, 202),
)
INSTALLED = InstallationSeen(
    1, "acme", "https://github.test/i/1", dict(app_rights.PERMISSIONS), ("acme/gitops",)
)
BRANCH = BranchSeen("main", protected=True, checks=frozenset({"slipway / gates"}))
CONFIG = load(
    """\
models:
  fraud:
    environments:
      production:
        targets: [{file: prod.yaml, pointer: /uri}]
        alias: champion
        slo:
          preset: fastapi
          errors: {objective: 99%}
          latency: {threshold: 500ms, objective: 95%}
          gauges: {drift: {query: drift, above: 1, for: 1m}}
"""
)
SLO = CONFIG.models["fraud"].environments["production"].slo
USER = RegistryUser("bot", admin=False, levels={"fraud": "EDIT"})
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def levels(findings):
    return {finding.level for finding in findings}


def trouble(findings):
    """What is not well: sentences, each with what to do."""
    bad = [finding for finding in findings if finding.level is not Level.OK]
    assert all(
        (finding.todo and finding.sentence.endswith((".", '"}', ")"))) or finding.todo for finding in bad
    )
    return [finding.sentence for finding in bad]


def test_what_is_well_asks_for_nothing():
    """No finding that is ok has anything to do."""
    found = [
        *github.app(APP, PUBLIC),
        *github.installations([INSTALLED], "slipway"),
        *github.branch("acme/gitops", BRANCH),
        *registry.models(CONFIG, {"fraud": {}}, USER),
        *database.state(DatabaseSeen("17.2", "0001", "0001", queue=True, deliveries={})),
    ]

    assert levels(found) == {Level.OK}
    assert not any(finding.todo for finding in found)


@pytest.mark.parametrize("right", app_rights.PERMISSIONS)
def test_each_right_that_is_missing_is_a_problem_of_its_own(right):
    """It says what the right is for, and where it is granted."""
    seen = dataclasses.replace(APP, permissions={k: v for k, v in APP.permissions.items() if k != right})
    (finding,) = [each for each in github.app(seen, PUBLIC) if each.level is Level.PROBLEM]

    assert f"`{right}: {app_rights.PERMISSIONS[right]}`" in finding.sentence
    assert app_rights.WHY[right] in finding.sentence
    assert APP.page in finding.todo


@pytest.mark.parametrize("event", app_rights.EVENTS)
def test_each_event_that_is_missing_is_a_problem_of_its_own(event):
    """Slipway would hear of it minutes later."""
    seen = dataclasses.replace(APP, events=tuple(each for each in APP.events if each != event))

    (sentence,) = trouble(github.app(seen, PUBLIC))

    assert f"`{event}`" in sentence


@pytest.mark.parametrize(
    ("change", "public", "sentence"),
    [
        ({"webhook_url": None}, PUBLIC, "No address of a webhook is known"),
        ({"webhook_url": "https://elsewhere.example.com"}, PUBLIC, "not to https://slipway.example.com"),
        ({}, None, "is not known"),
        (
            {"answers": (401, 202)},
            PUBLIC,
            "1 of its 2 newest webhook deliveries failed, the last one with 401",
        ),
        ({"answers": (0,)}, PUBLIC, "the last one with no answer"),
        ({"answers": (503, 503)}, PUBLIC, "the last one with 503"),
        ({"permissions": {**APP.permissions, "administration": "write"}}, PUBLIC, "`administration: write`"),
    ],
)
def test_what_may_be_wrong_with_the_app(change, public, sentence):
    """Its webhook, its deliveries, rights that nobody needs."""
    (told,) = trouble(github.app(dataclasses.replace(APP, **change), public))

    assert sentence in told


def test_older_failures_of_deliveries_are_over_once_one_arrived():
    """The newest one counts; no deliveries at all say nothing."""
    for answers in ((202, 401, 0), (), None):
        assert not trouble(github.app(dataclasses.replace(APP, answers=answers), PUBLIC))


def test_where_the_app_may_do_nothing():
    """Not installed, suspended, or installed with yesterday's rights."""
    suspended = dataclasses.replace(INSTALLED, suspended=True, repositories=())
    behind = dataclasses.replace(INSTALLED, permissions={**INSTALLED.permissions, "checks": "read"})

    assert trouble(github.installations([], "slipway")) == ["It is installed in no repository."]
    assert "It is suspended" in trouble(github.installations([suspended], "slipway"))[1]
    assert "`checks: write` is missing" in trouble(github.installations([behind], "slipway"))[0]


def test_many_repositories_are_not_all_named():
    """A finding stays one sentence."""
    many = dataclasses.replace(INSTALLED, repositories=tuple(f"acme/r{n}" for n in range(8)))

    (finding,) = github.installations([many], "slipway")

    assert "and 3 more" in finding.sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"protected": False, "checks": frozenset()}, "is not protected"),
        ({"checks": frozenset({"ci"})}, "does not require `slipway / gates`"),
        ({"checks": frozenset({"slipway / gates", "slipway / canary"})}, "exists only after the merge"),
        ({"merge_queue": True}, "merge queue"),
        ({"restricted": True}, "bypass list"),
    ],
)
def test_what_the_rules_of_a_branch_let_through_or_keep_out(change, sentence):
    """Bad bumps should stay out and Slipway should get in."""
    (told,) = trouble(github.branch("acme/gitops", dataclasses.replace(BRANCH, **change)))

    assert sentence in told


def test_required_approvals_are_told_and_are_no_trouble():
    """A person approves, then Slipway merges."""
    found = list(github.branch("acme/gitops", dataclasses.replace(BRANCH, approvals=2)))

    assert not trouble(found)
    assert any("2 people must approve" in finding.sentence for finding in found)


def test_a_configuration_that_is_wrong_names_its_first_mistake():
    """The rest is for `slipway check`."""
    mistakes = [Mistake("slipway.yaml", line, 1, "", f"mistake {line}") for line in (3, 9)]

    finding = github.configuration("acme/gitops", "a" * 40, mistakes, None)

    assert finding.level is Level.PROBLEM
    assert "slipway.yaml:3: mistake 3, and 1 more" in finding.sentence


@pytest.mark.parametrize(
    "wanted",
    [
        "checks: {smoke: {workflow: a.yml}}",
        "retrain: {signals: {d: {query: d, above: 1, for: 1h}}, workflow: a.yml}",
    ],
)
def test_workflows_need_a_right_of_their_own(wanted):
    """For checks and for retraining; nobody else is asked for it, and nobody who has it is told it is unused."""
    places = "models: {fraud: {environments: {production: {targets: [{file: a.yaml, pointer: /b}], WANTED}}}}"
    config = load(places.replace("WANTED", wanted))
    allowed = dataclasses.replace(INSTALLED, permissions={**INSTALLED.permissions, "actions": "write"})

    assert "(`a.yml`)" in trouble(github.workflows("acme/gitops", config, INSTALLED))[0]
    assert not trouble(github.workflows("acme/gitops", config, allowed))
    assert not trouble(github.workflows("acme/gitops", load(places.replace(", WANTED", "")), INSTALLED))
    assert "actions: write" not in app_rights.unused_permissions(allowed.permissions)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(approvals=Approvals(count=1, teams=("ml",))),
        Policy(commands={"promote": Right(teams=("ml",))}),
    ],
)
def test_policies_that_name_teams_need_a_right_of_their_own(policy):
    """Membership cannot be read without it."""
    allowed = dataclasses.replace(INSTALLED, permissions={**INSTALLED.permissions, "members": "read"})

    assert "(`ml`)" in trouble(github.teams("acme/gitops", [policy], INSTALLED))[0]
    assert not trouble(github.teams("acme/gitops", [policy], allowed))
    assert not trouble(github.teams("acme/gitops", [Policy()], INSTALLED))


@pytest.mark.parametrize(
    ("user", "open_to_all", "sentence"),
    [
        (None, True, "asks nobody who they are"),
        (RegistryUser("root", admin=True, levels={}), False, "an administrator"),
    ],
)
def test_who_slipway_is_to_mlflow(user, open_to_all, sentence):
    """Nobody, or too much."""
    (told,) = trouble([registry.access(user, open_to_all=open_to_all)])

    assert sentence in told


@pytest.mark.parametrize("user", [None, USER])
def test_a_user_of_its_own_or_an_unknown_one_is_fine(user):
    """Managed servers do not tell who we are."""
    assert registry.access(user, open_to_all=False).level is Level.OK


def test_rights_to_a_model():
    """An alias that Slipway moves takes EDIT; a model that is not there cannot be promoted."""
    reader = RegistryUser("bot", admin=False, levels={"fraud": "READ"})

    assert "has only READ there" in trouble(registry.models(CONFIG, {"fraud": {}}, reader))[0]
    assert "no such registered model" in trouble(registry.models(CONFIG, {}, USER))[0]
    assert not trouble(registry.models(CONFIG, {"fraud": {}}, None))


HOOK = WebhookSeen("slipway", f"{PUBLIC}/webhooks/mlflow", frozenset({"model_version_alias.created"}))
NEEDED = registry.needed_events(list(CONFIG.promoted.values()))


@pytest.mark.parametrize(
    ("seen", "public", "arrived", "sentence"),
    [
        (None, PUBLIC, None, "Only an administrator of MLflow may list them"),
        ([HOOK], None, None, "own address is not known"),
        ([], PUBLIC, None, "None goes to https://slipway.example.com/webhooks/mlflow;"),
        ([dataclasses.replace(HOOK, url="https://b.example.com")], PUBLIC, None, "(1 others exist)"),
        ([dataclasses.replace(HOOK, active=False)], PUBLIC, None, "is disabled"),
        ([dataclasses.replace(HOOK, events=frozenset())], PUBLIC, NOW, "`model_version_alias.created`"),
        ([HOOK], PUBLIC, None, "no delivery has arrived yet"),
    ],
)
def test_the_traps_of_mlflows_webhooks(seen, public, arrived, sentence):
    """Each is a warning only: the registry is compared every two minutes all the same."""
    found = list(registry.webhooks(seen, NEEDED, public, arrived))

    assert sentence in trouble(found)[0]
    assert Level.PROBLEM not in levels(found)


def test_a_webhook_whose_deliveries_arrive_is_well():
    """A delivery that arrived proves address, scheme, secret and encryption key at once."""
    assert not trouble(registry.webhooks([HOOK], NEEDED, PUBLIC, NOW))
    assert not trouble(registry.webhooks(None, NEEDED, PUBLIC, NOW))


@pytest.mark.parametrize(
    ("public", "scheme", "private"),
    [
        ("http://slipway.ml.svc:8080", True, True),
        ("http://10.1.2.3:8080", True, True),
        ("https://slipway", False, True),
        ("https://slipway.example.com", False, False),
    ],
)
def test_the_settings_that_mlflow_needs_follow_the_address(public, scheme, private):
    """What keeps deliveries from being sent is told where the address asks for it."""
    (finding,) = registry.webhooks(None, NEEDED, public, None)

    assert ("MLFLOW_WEBHOOK_ALLOWED_SCHEMES" in finding.todo) == scheme
    assert ("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS" in finding.todo) == private
    assert "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY" in finding.todo


@pytest.mark.parametrize(
    ("when", "models", "prompts"),
    [
        ("{alias: candidate}", "model_version_alias.created", "prompt_alias.created"),
        ("{version: created}", "model_version.created", "prompt_version.created"),
        ("{tag: {key: a, value: b}}", "model_version_tag.set", "prompt_version_tag.set"),
    ],
)
def test_the_events_follow_what_makes_a_candidate(when, models, prompts):
    """Of models and of prompts."""
    body = f"{{when: {when}, environments: {{e: {{targets: [{{file: a.yaml, pointer: /v}}]}}}}}}"
    config = load(f"models: {{m: {body}}}\nprompts: {{p: {body}}}\n")

    assert registry.needed_events(list(config.promoted.values())) == {models, prompts}


ASKED = queries(SLO, {"model": "fraud", "version": "1", "environment": "production"}, stretch=300)
SAMPLES = ((1.0, 1.0),)


def answers(**without):
    """An answer to each query: `latency` says with which buckets, other keys leave a query out."""
    les = without.pop("latency", ("0.1", "0.5", "+Inf"))
    buckets = [Series({"le": le}, SAMPLES) for le in les]
    found = {query.text: buckets if query.slo == "latency" else [Series({}, SAMPLES)] for query in ASKED}
    return {text: rows for text, rows in found.items() if not any(part in text for part in without.values())}


def test_series_that_are_there():
    """One sentence for all SLOs of an environment."""
    (finding,) = metrics.series("fraud in production", SLO, ASKED, answers())

    assert finding.sentence == "The series of errors, latency, drift are there."


def test_no_series_is_a_problem_for_each_slo_and_none_for_errors_that_never_were():
    """A gauge that cannot fail the canary only warns."""
    found = list(metrics.series("fraud in production", SLO, ASKED, {}))

    assert [(finding.sentence.split()[0], finding.level) for finding in found] == [
        ("`errors`", Level.PROBLEM),
        ("`latency`", Level.PROBLEM),
        ("`drift`", Level.WARNING),
    ]
    assert "http_requests_total" in found[0].sentence


@pytest.mark.parametrize(
    ("les", "level", "sentence"),
    [
        (("0.1", "1", "+Inf"), Level.WARNING, "0.5 is no bucket bound; the next one, 1, is used"),
        (("0.1", "+Inf"), Level.PROBLEM, "0.5 is above the largest bucket bound"),
        (("nonsense",), Level.PROBLEM, "no `le` label"),
    ],
)
def test_buckets_that_do_not_fit_the_threshold(les, level, sentence):
    """Found before the first canary, not in it."""
    (finding, *_) = metrics.series("fraud in production", SLO, ASKED, answers(latency=les))

    assert finding.level is level
    assert sentence in finding.sentence


def test_a_source_that_nobody_set_up_names_its_setting():
    """The plain one and the named ones are set in different places."""
    assert "SLIPWAY_PROMETHEUS_URL" in metrics.unknown_source("x", "default").todo
    assert "SLIPWAY_PROMETHEUS_SOURCES" in metrics.unknown_source("x", "mimir").todo
    assert metrics.unknown_version("x").level is Level.WARNING


FOLLOWED = "https://github.test/acme/gitops"
APPLICATION = ApplicationSeen("fraud", automated=True, sources=((FOLLOWED, "HEAD"),), follows_repository=True)


@pytest.mark.parametrize(
    ("change", "level", "sentence"),
    [
        ({"automated": False}, Level.WARNING, "does not sync by itself"),
        ({"follows_repository": False}, Level.PROBLEM, f"follows {FOLLOWED}, not"),
        ({"follows_repository": False, "sources": ()}, Level.PROBLEM, "follows nothing, not"),
        ({"sources": ((FOLLOWED, "v1"),)}, Level.PROBLEM, "follows `v1`; Slipway merges into `main`"),
        ({"conditions": ("SyncError: no",)}, Level.WARNING, "SyncError: no"),
    ],
)
def test_what_may_be_wrong_with_an_application(change, level, sentence):
    """What is merged would not get into the cluster, or not by itself."""
    found = delivery.application("x", dataclasses.replace(APPLICATION, **change), FOLLOWED, "main")
    (finding,) = [each for each in found if each.level is not Level.OK]

    assert finding.level is level
    assert sentence in finding.sentence


def test_an_application_of_an_unknown_branch_is_not_accused():
    """Where GitHub did not tell the default branch, any revision may be it."""
    odd = dataclasses.replace(APPLICATION, sources=((FOLLOWED, "v1"),))

    assert not trouble(delivery.application("x", odd, FOLLOWED, None))


def test_argocd_and_images_that_are_missing():
    """One is a setting, the other may come yet."""
    assert delivery.no_argocd("x").level is Level.PROBLEM
    assert delivery.image("x", "a:1", None).level is Level.WARNING
    assert delivery.image("x", "a:1", "sha256:0").level is Level.OK


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (DatabaseSeen("17", None, "2", queue=False, deliveries={}), Level.WARNING),
        (DatabaseSeen("17", "1", "2", queue=True, deliveries={}), Level.PROBLEM),
        (DatabaseSeen("17", "2", "2", queue=False, deliveries={}), Level.PROBLEM),
    ],
)
def test_what_may_be_wrong_with_the_tables(seen, level):
    """None yet is no harm; old or half of them is."""
    (finding,) = database.state(seen)

    assert finding.level is level
    assert finding.todo
