"""A promotion through the engine against a real GitHub-compatible server: gates, reviews, rules, words."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bot import bootstrap
from bot.adapters import shipped
from bot.adapters.clock import SystemClock
from bot.cli import app as command_line
from bot.domain.evidence import Metric, VersionEvidence
from bot.domain.promotion import Stage
from bot.domain.pull import Permission, ReviewState
from bot.jobs.configuration import Configurations
from bot.jobs.outside import Outside
from bot.jobs.propose import Proposer
from bot.jobs.receive import Receiver
from bot.jobs.reconcile import Reconciler
from bot.jobs.resync import Resync
from bot.messages import status
from tests.fakes.registry import FakeRegistry

CONFIG = b"""\
version: 1
models:
  fraud:
    storage: "models:/{model}/{version}"
    environments:
      production:
        targets: [{file: prod.yaml, pointer: /uri}]
        policy: production
        alias: champion
"""
POLICY = b"""\
extends: baseline
approvals: {count: 1}
commands: {override: {role: maintain}}
"""
FROZEN = POLICY + b'freeze: [{cron: "* * * * *", duration: 2h, reason: year end}]\n'
PROTECTED = {
    "required_pull_request_reviews": {
        "required_approving_review_count": 1,
        "require_code_owner_reviews": True,
    },
    "required_status_checks": None,
    "enforce_admins": True,
    "restrictions": None,
}


@dataclass
class Engine:
    """Slipway on a real PostgreSQL, and the people at the server."""

    people: object
    registry: FakeRegistry
    database: object
    store: object

    def __post_init__(self) -> None:
        outside = Outside(
            store=self.store,
            app=self.people.app,
            registry=self.registry,
            images=None,
            metrics={},
            cluster=None,
            prober=None,
            clock=SystemClock(),
            web="https://github.test",
        )
        configurations = Configurations(outside, shipped.policies())
        proposer = Proposer(outside, configurations)
        self._receiver = Receiver(outside, configurations, proposer)
        self._reconciler = Reconciler(outside, configurations, proposer)
        self._resync = Resync(outside, configurations, proposer)

    def look(self) -> None:
        """What a webhook would have told is found by the resync; then run every job."""
        self._resync.run()
        for promotion in self.store.recent(5):
            self.store.wake([promotion.id])
        taken = text(
            "DELETE FROM procrastinate_jobs WHERE id = (SELECT min(id) FROM procrastinate_jobs) RETURNING args"
        )
        while True:
            with self.database.begin() as connection:
                connection.execute(text("DELETE FROM procrastinate_events"))
                row = connection.execute(taken).first()
            if row is None:
                return
            self._reconciler.reconcile(row.args["promotion"])

    def say(self, login: str, words: str) -> None:
        self.people.comment(self.pull, login, words)
        self.look()

    @property
    def promotion(self):
        return self.store.recent(1)[0]

    @property
    def pull(self) -> int:
        return self.promotion.pull

    @property
    def status(self) -> str:
        """The status comment as the server has it."""
        comments = self.people.ask("alice", "GET", f"/issues/{self.pull}/comments")
        (body,) = [each["body"] for each in comments if status.MARKER in each["body"]]
        return body

    @property
    def answers(self) -> str:
        comments = self.people.ask("alice", "GET", f"/issues/{self.pull}/comments")
        return "\n".join(each["body"] for each in comments if "asked" in each["body"])

    def pinned(self) -> bytes:
        return self.people.forge.read("prod.yaml", self.people.forge.head())


@pytest.fixture
def running(server_world, engine, store) -> Engine:
    """Version 1 is pinned; version 2 is better and has just been named."""
    server_world.commit(
        "main",
        {
            "slipway.yaml": CONFIG,
            "policies/production.yaml": POLICY,
            "prod.yaml": b"uri: models:/fraud/1\n",
            ".github/CODEOWNERS": b"prod.yaml @bob\n",
        },
    )
    for login, right in (
        ("bob", Permission.WRITE),
        ("cleo", Permission.WRITE),
        ("maria", Permission.MAINTAIN),
    ):
        server_world.grant(login, right)
    registry = FakeRegistry()
    for score in (0.90, 0.95):
        metrics = (Metric("accuracy", score, "test", "d1"),)
        registry.add_version("fraud", evidence=VersionEvidence("fraud", "", "", metrics=metrics))
    registry.set_alias("fraud", "champion", "1")
    registry.set_alias("fraud", "candidate", "2")
    made = Engine(server_world, registry, engine, store)
    made.look()
    return made


def test_a_promotion_passes_a_hold_a_freeze_its_approval_and_the_code_owner(running, server_world):
    """Each thing that stops it is told where the reviewer looks, and the last word merges it."""
    body = server_world.body(running.pull)
    assert "**fraud** [version 2]" in body
    assert "| `accuracy` on test | higher | 0.9 | 0.95 | +0.05 (5.56%) | ▲ better |" in body
    assert "it needs 1 approval" in body

    running.say("bob", "/hold the auditors are here")
    assert "bob holds this model here since" in running.status
    running.say("bob", "/release")
    assert "the auditors are here" not in running.status

    server_world.commit("main", {"policies/production.yaml": FROZEN})
    running.say("cleo", "/promote")
    assert "frozen until" in running.status
    assert "year end" in running.status
    running.say("cleo", '/promote --override "payments are down"')
    assert "the policy" not in running.promotion.reason
    assert "needs the right to maintain" in running.answers
    running.say("maria", '/promote --override "payments are down"')
    assert "it needs 1 approval, 0 given" in running.status

    server_world.ask("alice", "PUT", "/branches/main/protection", json=PROTECTED)
    server_world.review(running.pull, "cleo", ReviewState.APPROVED, "")
    running.look()
    assert "Waiting on code owner review from bob" in running.status
    assert "an approving review by people who may write here" in running.status
    server_world.review(running.pull, "bob", ReviewState.APPROVED, "")
    running.look()

    assert running.pinned() == b"uri: models:/fraud/2\n"
    assert running.promotion.stage is Stage.PASSED
    assert running.registry.alias("fraud", "champion") == "2"
    merged = next(
        line for line in running.store.transitions(running.promotion.id) if line.stage_to == "syncing"
    )
    assert merged.reason == "Merged with an override by maria (payments are down); waiting until it is live."


def test_simulating_a_pull_request_tells_what_would_happen_and_does_nothing(
    running, server_world, app_keys, monkeypatch
):
    """On the command line, with the settings of the Slipway that runs."""
    monkeypatch.setattr(bootstrap, "MlflowRegistry", lambda *_: running.registry)
    url = running.database.url.render_as_string(hide_password=False)
    for name, value in {
        "DATABASE_URL": url,
        "GITHUB_APP_ID": str(app_keys.id),
        "GITHUB_PRIVATE_KEY": app_keys.private_key_pem,
        "GITHUB_BASE_URL": server_world.server.api_url,
        "GITHUB_WEBHOOK_SECRET": "one",
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:1",
        "MLFLOW_WEBHOOK_SECRET": "another",
    }.items():
        monkeypatch.setenv(f"SLIPWAY_{name}", value)
    before = (running.promotion, running.status, len(running.store.transitions(running.promotion.id)))
    asked = ["policy", "simulate", "--pr", str(running.pull), "--repository", server_world.repository]
    told = CliRunner().invoke(command_line, asked)
    nobodys = CliRunner().invoke(command_line, [*asked[:3], "999", *asked[4:]])

    assert told.exit_code == 0, told.output
    head, *lines = told.stdout.splitlines()
    assert head == (
        "fraud version 2 into production, against version 1, policy production,"
        f" #{running.pull} of {server_world.repository}, open:"
    )
    assert "  waits approvals" in told.stdout
    assert lines[-2] == "Now: nothing would be done. Gates that do not hold: approvals."
    assert lines[-1].endswith("Armed by somebody who may; merges as soon as these gates hold: approvals.")
    assert (running.promotion, running.status, len(running.store.transitions(running.promotion.id))) == before
    assert (nobodys.exit_code, "is none of Slipway's pull requests" in nobodys.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pr", "7", "--model", "fraud"], "a pull request says itself what it brings"),
        (["--model", "fraud"], "name what to simulate"),
    ],
)
def test_what_is_asked_must_be_clear(arguments, said):
    """Either a pull request, or a version and an environment."""
    told = CliRunner().invoke(command_line, ["policy", "simulate", *arguments])

    assert told.exit_code == 2
    assert said in told.stderr
