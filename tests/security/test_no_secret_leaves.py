"""Atlantis CVE-2024-52009 and its like: a secret that shows where people and programs read.

Everything is logged at level DEBUG, from every library, and everything that is shown is read.
"""

import ast
import base64
import hashlib
import hmac
import json
import logging
import re
from pathlib import Path

import pytest

import bot
from bot.adapters.github import GitHubApp, GitHubInspection
from bot.bootstrap import metrics_of
from bot.domain import app_rights
from bot.ports import OutsideError, Proposal
from bot.sandbox.github import GitHubServer
from bot.settings import MetricsSource, Settings

EVENT = {
    "entity": "model_version_alias",
    "action": "created",
    "data": {"name": "fraud", "alias": "candidate", "version": "3"},
}


@pytest.fixture
def logged(caplog):
    """Everything that anybody logs."""
    changed = {}
    for name in (None, *logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        # Slipway itself keeps this one from telling bodies, tokens included; that is what is tested.
        if name is None or not name.startswith("github"):
            changed[logger] = logger.level
            logger.setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    yield caplog
    for logger, level in changed.items():
        logger.setLevel(level)


def shown(logged) -> str:
    """All records with their arguments and tracebacks, as any handler could write them."""
    formatter = logging.Formatter("%(message)s")
    return "\n".join(f"{formatter.format(record)} {record.args!r}" for record in logged.records)


@pytest.fixture
def github(tmp_path):
    server = GitHubServer(tmp_path / "github")
    server.start()
    server.create_repository("acme/gitops", {"a.yaml": b"v: 1\n"})
    yield server
    server.stop()


def test_atlantis_cve_2024_52009_tokens_in_logs(github, logged):
    """Reading, writing, refused and unanswered: neither a token nor a key gets into a log, an error or a repr."""
    keys = github.create_app("slipway", permissions=app_rights.PERMISSIONS, events=app_rights.EVENTS)
    installation = github.install(keys, ["acme/gitops"])
    app = GitHubApp(keys.id, keys.private_key_pem, github.api_url)
    forge = app.forge(installation, "acme/gitops")
    wanted = Proposal("slipway/x", forge.head(), {"a.yaml": b"v: 2\n"}, "Bump", "Bump", "Body", ("slipway",))
    pull = forge.propose(wanted)
    told = [repr(app), repr(forge), str(app.__dict__), repr(keys)]
    for ask in (
        lambda: forge.pull(99),
        lambda: forge.merge(pull.number, sha="0" * 40, title="t", message="m"),
        lambda: GitHubInspection(keys.id, "-----BEGIN RSA PRIVATE KEY-----\nx", github.api_url),
        lambda: _unanswered(github, forge),
    ):
        with pytest.raises(OutsideError) as error:
            ask()
        told += [str(error.value), repr(error.value)]
    everything = shown(logged) + "\n".join(told)
    body = "".join(keys.private_key_pem.splitlines()[1:-1])

    tokens = list(github.world.state.tokens)
    assert any(token.startswith("ghs_") for token in tokens)
    for token in tokens:
        assert token not in everything
    assert not re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", everything), "an App's own token was logged"
    assert body[:40] not in everything.replace("\n", "")


def _unanswered(github, forge):
    github.stop()
    forge.open_pulls()


def test_no_secret_of_the_settings_shows_anywhere(running, logged):
    """Not in what is logged of good and bad deliveries, nor on any page, nor in a repr."""
    said = running.said("ada", "/promote")
    running.github("issue_comment", said)
    running.github("issue_comment", said, secret="guessed")
    running.github("issue_comment", b"{")
    running.mlflow(EVENT)
    running.mlflow(EVENT, secret="guessed")
    for path in ("alertmanager", "argocd"):
        for secret in (running.secrets[path], "guessed"):
            running.client.post(
                f"/webhooks/{path}", json={"a": 1}, headers={"Authorization": f"Bearer {secret}"}
            )
    running.world.drain()
    pages = [
        running.client.get(path).text
        for path in ("/metrics", "/healthz", "/readyz", "/openapi.json", "/nowhere")
    ]
    seen = "\n".join([shown(logged), *pages, repr(running.slipway), repr(running.slipway.settings)])

    for kind, secret in running.secrets.items():
        assert secret not in seen, kind


def test_a_database_that_is_away_tells_no_password(running, logged, monkeypatch):
    """The answer is a plain 503; the log names the trouble without the address's secret."""

    def away(*_args, **_kwargs):
        raise ConnectionError(running.slipway.engine.url.render_as_string())

    monkeypatch.setattr(type(running.world.engine), "begin", away)
    answer = running.github("issue_comment", running.said("ada", "/promote"))

    assert answer.status_code == 503
    assert running.secrets["database"] not in answer.text + shown(logged)


def test_credentials_of_metrics_servers_do_not_show():
    """Neither the source nor the connection nor the client made of it."""
    source = {"url": "http://127.0.0.1:1", "token": "hidden-1", "headers": {"X-Key": "hidden-2"}}
    settings = Settings.model_construct(prometheus_sources={"a": MetricsSource(**source)})
    seen = repr(settings) + repr(metrics_of(settings)) + repr(settings.prometheus_sources)

    assert "hidden" not in seen


def test_timing_safe_comparisons_have_one_place():
    """Secrets are compared by one function in constant time; the set-up page and the sandbox have their own."""
    root = Path(bot.__file__).parent
    safe, loose = set(), []
    for file in root.rglob("*.py"):
        place = file.relative_to(root).as_posix()
        if place.startswith("sandbox/"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "compare_digest":
                safe.add(place)
            if isinstance(node, ast.Compare) and _names_a_secret(node):
                loose.append(f"{place}:{node.lineno}")

    assert safe == {
        "webhooks/signing.py",
        "web/setup.py",
    }
    assert loose == []


SECRET = re.compile(r"(secret|signature|digest_of|password|hmac)$", re.IGNORECASE)


def _names_a_secret(node: ast.Compare) -> bool:
    """Whether `==` or `!=` stands beside something that is named like a secret; `is None` is no comparison."""
    if not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
        return False
    sides = [node.left, *node.comparators]
    names = [getattr(side, "id", getattr(side, "attr", "")) for side in sides]
    return any(SECRET.search(name) for name in names)


@pytest.mark.parametrize("kind", ["github", "mlflow"])
def test_key_rotation_with_two_valid_secrets(running, kind):
    """Both are taken while both are listed; a third is not, nor the two joined as they stand in the setting."""
    for secret, status in (
        (running.secrets[kind], 202),
        (running.secrets[f"old-{kind}"], 202),
        ("another", 401),
        (f"{running.secrets[f'old-{kind}']},{running.secrets[kind]}", 401),
    ):
        answer = (
            running.github("issue_comment", running.said("ada", "hello"), secret=secret)
            if kind == "github"
            else running.mlflow(EVENT, secret=secret)
        )

        assert answer.status_code == status, secret


def test_a_signature_is_taken_for_its_own_sender_only(running):
    """MLflow's secret signs nothing of GitHub's, and the other way round."""
    said = running.said("ada", "/promote")

    assert running.github("issue_comment", said, secret=running.secrets["mlflow"]).status_code == 401
    assert running.mlflow(EVENT, secret=running.secrets["github"]).status_code == 401


@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.md5])
def test_a_weaker_signature_is_none(running, digest):
    """GitHub still sends SHA-1 beside SHA-256; alone it is worth nothing."""
    body = json.dumps(running.said("ada", "/promote")).encode()
    weak = hmac.new(running.secrets["github"].encode(), body, digest).hexdigest()
    for header, value in (
        ("X-Hub-Signature", f"sha1={weak}"),
        ("X-Hub-Signature-256", f"sha1={weak}"),
        ("X-Hub-Signature-256", f"sha256={weak}"),
        ("X-Hub-Signature-256", "sha256=" + base64.b64encode(weak.encode()).decode()),
    ):
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "issue_comment", header: value}
        answer = running.client.post(
            "/webhooks/github", content=body, headers={"X-GitHub-Delivery": "d", **headers}
        )

        assert answer.status_code == 401
