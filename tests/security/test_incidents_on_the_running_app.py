"""Known incidents of others, played against the application as it runs.

One test for each incident, named after it.
"""

import contextlib
import gzip
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI, Request

from bot.adapters.mlflow import MlflowRegistry
from bot.domain.branches import own_branch
from bot.domain.hold import Hold
from bot.domain.promotion import Stage
from bot.domain.pull import Permission, ReviewState
from bot.ports import OutsideError
from bot.sandbox.server import Server

AUTOMATIC = b"promote: automatic\ncanary: {bake: 60s}\n"
APPROVED = b"approvals: {count: 1}\ncanary: {bake: 60s}\n"


def test_ghsa_7g9x_cp9g_92mr_acting_with_the_servers_own_rights(running):
    """Slipway may merge; who only reads may not make it merge, and who lost the right may not either."""
    world = running.world
    running.comment("eve", "/promote")

    assert world.newest().stage is Stage.OPEN
    assert "merge" not in world.forge.calls

    world.forge.people["ada"] = Permission.READ  # until a moment ago she could write
    running.comment("ada", "/promote")

    assert "merge" not in world.forge.calls

    world.forge.people["ada"] = Permission.WRITE
    running.comment("ada", "/promote")

    assert "merge" in world.forge.calls


def test_each_command_asks_for_the_right_anew(running):
    """Nothing that was allowed before is remembered."""
    before = running.world.forge.calls.count("permission")
    for _ in range(3):
        running.comment("ada", "/status")

    assert running.world.forge.calls.count("permission") >= before + 3


def test_copy_pr_bot_comment_to_merge_race(running):
    """The head moves after the comment and before the merge: what nobody looked at is not merged."""
    world = running.world
    promotion = world.newest()
    said = running.said("ada", "/promote")
    running.github("issue_comment", said)
    pushed = world.forge.commit(world.forge.pulls[promotion.pull].branch, {"prod.yaml": b"uri: evil\n"})
    world.drain()

    assert world.newest().stage is Stage.OPEN
    assert world.newest().armed_by is None
    assert "evil" not in world.pinned()
    assert pushed not in {pull.merge_sha for pull in world.forge.pulls.values()}


@pytest.mark.parametrize(
    "body",
    [
        "I would not /promote this yet",
        "> /promote",
        "```\n/promote\n```",
        "Type `/promote`",
        "<!-- /promote -->",
        "    /promote",
        "/promote is what I would write",
    ],
)
def test_telefonistka_commands_matched_anywhere(running, body):
    """What only mentions a command is stored as no request."""
    running.comment("ada", body)

    assert running.count("requests") == 0
    assert running.world.newest().armed_by is None


def test_atlantis_configuration_from_the_pull_requests_branch(running):
    """A branch that loosens the policy is looked at, never obeyed, whatever events tell of it."""
    world = running.world
    head = world.forge.commit("loosen", {"policies/quick.yaml": AUTOMATIC, "slipway.yaml": b"version: 1\n"})
    number = world.forge.open_pull("loosen").number
    payload = {
        "action": "opened",
        "pull_request": {
            "number": number,
            "head": {"ref": "loosen", "sha": head, "repo": {"full_name": world.forge.repository}},
            "base": {"ref": "main"},
        },
        "repository": {"full_name": world.forge.repository, "default_branch": "main"},
        "installation": {"id": 1},
        "sender": {"login": "mallory", "type": "User"},
    }
    before = world.store.repository(world.forge.repository)
    for action in ("opened", "synchronize", "reopened"):
        running.github("pull_request", payload | {"action": action})
        world.drain()
    running.github(
        "push",
        {
            "ref": "refs/heads/loosen",
            "after": head,
            "commits": [{"modified": ["policies/quick.yaml"]}],
            "repository": {"full_name": world.forge.repository, "default_branch": "main"},
            "installation": {"id": 1},
        },
    )
    world.drain()

    assert world.store.repository(world.forge.repository).files == before.files
    assert world.newest().stage is Stage.OPEN


def test_a_comment_edited_after_the_fact(running):
    """Neither the event of the edit nor the listing that repairs lost events hears it."""
    world = running.world
    said = running.said("ada", "Looks good.")
    comment = said["comment"]["id"]
    running.github("issue_comment", said)
    world.forge.said[comment] = replace(world.forge.said[comment], body="/promote", edited=True)
    edited = {**said, "action": "edited", "comment": {**said["comment"], "body": "/promote"}}
    running.github("issue_comment", edited)
    world.drain()
    world.resync.run()
    world.drain()

    assert running.count("requests") == 0
    assert world.newest().armed_by is None


@pytest.mark.parametrize(
    "user",
    [
        {"login": "ada", "type": "Bot"},
        {"login": "ada[bot]", "type": "User"},
        {"login": "ada", "type": "Organization"},
    ],
)
def test_a_bot_commenting(running, user):
    """By its type or by its name; also an App that speaks for a person."""
    said = running.said("ada", "hello")
    for comment in (
        {**said["comment"], "user": user, "body": "/promote"},
        {**said["comment"], "body": "/promote", "performed_via_github_app": {"id": 5}},
    ):
        running.github("issue_comment", {**said, "comment": comment})
        running.world.drain()

    assert running.count("requests") == 0


def test_a_fork_commenting(running):
    """In a pull request that Slipway did not make there is nothing to command."""
    world = running.world
    world.forge.commit("theirs", {"prod.yaml": b"uri: evil\n"})
    number = world.forge.open_pull("theirs").number
    said = running.said("ada", "/promote")
    running.github("issue_comment", {**said, "issue": {"number": number, "pull_request": {}}})
    world.drain()

    assert running.count("requests") == 0
    assert "merge" not in world.forge.calls


def test_a_fork_whose_branch_is_named_as_slipways(running):
    """While a promotion waits for its pull request, a word under a stranger's is none to it."""
    world = running.world
    world.store.place_hold(
        Hold(world.forge.repository, "fraud", "production", "ada", "Friday", world.clock.now())
    )
    world.alias("3")
    waiting = world.newest()
    branch = own_branch(waiting)
    world.forge.commit(branch, {"prod.yaml": b"uri: evil\n"})
    number = world.forge.open_pull(branch).number
    world.forge.pulls[number] = replace(world.forge.pulls[number], head_repository="mallory/gitops")
    said = running.said("ada", "/promote")
    running.github("issue_comment", {**said, "issue": {"number": number, "pull_request": {}}})
    world.drain()

    assert waiting.stage is Stage.WAITING
    assert running.count("requests") == 0
    assert "merge" not in world.forge.calls


def test_a_bot_pressing_the_re_run_button(running):
    """Another App may ask for a check anew; it may not have a canary watched again."""
    world = running.world
    world.forge.people["helper[bot]"] = Permission.ADMIN
    running.github(
        "check_run",
        {
            "action": "rerequested",
            "check_run": {"name": "slipway / gates", "head_sha": world.newest().head_sha},
            "repository": {"full_name": world.forge.repository},
            "installation": {"id": 1},
            "sender": {"login": "helper[bot]", "type": "Bot"},
        },
    )
    world.drain()

    assert running.count("requests") == 1
    assert any("people only" in said.body for said in world.forge.said.values())


def test_replayed_deliveries(running):
    """The same delivery again, and the same words under another delivery's id, are heard once."""
    said = running.said("ada", "/hold")
    for delivery in ("one", "one", "two"):
        assert running.github("issue_comment", said, delivery=delivery).status_code == 202
        running.world.drain()

    assert running.count("requests") == running.count("holds") == 1


def test_replayed_deliveries_of_the_registry(running):
    """MLflow's carry their time: an old one is refused even with its right signature."""
    event = {
        "entity": "model_version_alias",
        "action": "created",
        "data": {"name": "fraud", "alias": "candidate", "version": "3"},
    }
    before = running.count("deliveries")

    assert running.mlflow(event, at=datetime(2026, 1, 1, tzinfo=UTC).timestamp()).status_code == 401
    assert running.count("deliveries") == before


def test_cross_installation_deliveries(running):
    """Another installation, or none of ours, speaks for nobody in this repository."""
    said = running.said("ada", "/promote")
    for change in ({"installation": {"id": 2}}, {"repository": {"full_name": "evil/gitops"}}):
        assert running.github("issue_comment", said | change).status_code == 202
        running.world.drain()

    assert running.count("requests") == 0
    assert running.world.newest().armed_by is None


def test_a_self_approval(running):
    """Whoever asked for the promotion is not the one who approves it."""
    world = running.world
    world.configure({"policies/quick.yaml": APPROVED})
    running.comment("ada", "/promote")
    world.forge.review(world.newest().pull, "ada", ReviewState.APPROVED)
    world.store.wake([world.newest().id])
    world.drain()

    assert world.newest().stage is Stage.OPEN
    assert "merge" not in world.forge.calls

    world.forge.people["bob"] = Permission.WRITE
    world.forge.review(world.newest().pull, "bob", ReviewState.APPROVED)
    world.store.wake([world.newest().id])
    world.drain()

    assert "merge" in world.forge.calls


@pytest.fixture
def listening(running):
    """The application behind a real server, for what only a raw connection can do."""
    server = Server(running.slipway.application(work=False), "slipway")
    yield server.url.removeprefix("http://").split(":")
    server.close()


def exchange(address, head, chunks=()):
    """Send raw bytes; the status of the answer, and how many bytes were taken before it came."""
    taken = 0
    with socket.create_connection((address[0], int(address[1])), timeout=10) as raw:
        raw.sendall(head)
        try:
            for chunk in chunks:
                raw.settimeout(0.001)
                try:
                    early = raw.recv(200)
                except TimeoutError:
                    early = b""
                raw.settimeout(10)
                if early:
                    return int(early.split()[1]), taken
                raw.sendall(chunk)
                taken += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return int(raw.recv(200).split()[1]), taken


def head(path, *lines):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


@pytest.mark.parametrize("path", ["mlflow", "alertmanager", "argocd"])
def test_argo_cve_2026_42294_unbounded_body_before_the_signature(listening, path):
    """A stream without an end is cut at the cap, whatever it announced or did not."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    status, taken = exchange(
        listening, head(f"/webhooks/{path}", "Transfer-Encoding: chunked"), (chunk for _ in range(1000))
    )

    assert status == 413
    assert taken < 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("length", "statuses"),
    [("99999999999", {413}), ("-1", {400}), ("1e9", {400}), ("99999999999999999999999", {400, 413})],
)
def test_argo_cve_2026_42294_a_length_that_lies(listening, length, statuses):
    """What is announced is believed only where it is bad news."""
    status, _ = exchange(listening, head("/webhooks/github", f"Content-Length: {length}"))

    assert status in statuses


def test_argo_cve_2026_42294_a_body_that_would_unfold(running):
    """Nothing is unpacked before its signature is right, nor after."""
    bomb = gzip.compress(b"x" * 50_000_000)
    answer = running.github("issue_comment", bomb, **{"Content-Encoding": "gzip"})

    assert answer.status_code == 400


def test_mlflow_cve_2026_2393_addresses_from_a_registry_are_never_fetched():
    """Whatever a version, its run or a webhook names as its source: only the registry itself is spoken to."""
    fetched = []
    trap, registry = FastAPI(), FastAPI()

    @trap.api_route("/{path:path}", methods=["GET", "HEAD", "POST"])
    def sprung(path: str) -> dict[str, str]:
        fetched.append(path)
        return {}

    away = Server(trap, "trap")

    @registry.api_route("/api/2.0/mlflow/{path:path}", methods=["GET", "POST"])
    async def answer(path: str, request: Request) -> object:
        version = {
            "name": "fraud",
            "version": "1",
            "source": f"{away.url}/source",
            "run_id": "r1",
            "creation_timestamp": 1,
            "last_updated_timestamp": 1,
            "status": "READY",
        }
        run = {
            "info": {
                "run_id": "r1",
                "artifact_uri": f"{away.url}/artifacts",
                "experiment_id": "1",
                "status": "FINISHED",
            },
            "data": {"tags": [{"key": "mlflow.log-model.history", "value": f"[{away.url}]"}]},
        }
        return {"model_version": version, "run": run, "registered_model": {"name": "fraud"}}

    server = Server(registry, "registry")
    adapter = MlflowRegistry(server.url)
    for ask in (adapter.version, adapter.evidence):
        # That an answer is odd may be said; where it leads may not be followed.
        with contextlib.suppress(OutsideError):
            ask("fraud", "1")
    server.close()
    away.close()

    assert fetched == []


def test_mlflow_cve_2026_2393_a_source_on_the_running_app_starts_nothing(running, monkeypatch):
    """Addresses in deliveries wake a look at the registry; no connection is made to them."""
    connected = []
    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, to: connected.append(to) or connect(self, to))
    event = {
        "entity": "model_version",
        "action": "created",
        "data": {
            "name": "fraud",
            "version": "3",
            "source": "http://127.0.0.1:1/",
            "run_id": "http://127.0.0.1:1/",
        },
    }

    assert running.mlflow(event).status_code == 202
    running.world.drain()
    assert not [to for to in connected if isinstance(to, tuple) and to[1] == 1]
