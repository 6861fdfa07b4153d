"""Kargo CVE-2026-27111: an entry point without the permission check.

Every route, job and verb is named here, with what lets it do what it does. One that is added and not named
fails the suite: whoever adds it says here whose will it carries.
"""

import ast
from pathlib import Path

import click
import pytest
from fastapi.routing import APIRoute
from typer.main import get_command

import bot
from bot.cli import app as verbs
from bot.domain import commands
from bot.domain.authorization import Denied
from bot.domain.promotion import Stage
from bot.domain.pull import Permission
from bot.jobs import authority

ROUTES = {
    ("GET", "/healthz"): "reads",
    ("GET", "/readyz"): "reads",
    ("GET", "/metrics"): "reads",
    ("POST", "/webhooks/github"): "signed; a person's words in it are judged where they are obeyed",
    ("POST", "/webhooks/mlflow"): "signed; wakes, and carries no person's will",
    ("POST", "/webhooks/alertmanager"): "bearer secret; carries no person's will",
    ("POST", "/webhooks/argocd"): "bearer secret; wakes, and carries no person's will",
}
JOBS = {
    "slipway.receive": ("source", "delivery"),
    "slipway.reconcile": ("promotion",),
    "slipway.resync": ("timestamp",),
    "slipway.build": ("image",),
}
"""Each job with all that it carries: ids, never a will."""
VERBS = {
    "check": "reads a checkout",
    "bump": "edits files of a checkout, with the rights of whoever runs it",
    "schema": "prints",
    "policy test": "reads a checkout",
    "policy simulate": "reads",
    "backtest": "reads metrics",
    "replay": "reads a file",
    "init": "writes files of a checkout, with the rights of whoever runs it",
    "sandbox": "a world of its own",
    "serve": "runs the routes and jobs above",
    "setup": "registers an App in the browser, with the rights of whoever is logged in there",
    "doctor": "reads",
}
"""No verb speaks to a running Slipway, so none can carry a will past the check."""
MUTATING = [
    "/promote",
    '/promote --override "now"',
    "/rollback",
    "/hold",
    "/hold --all",
    "/release",
    "/release --quarantine because",
    "/retry",
    "/canary pass",
    "/canary fail",
    "/canary extend 5m",
]


def test_every_route_is_named(running):
    """The pages that FastAPI adds only describe the rest."""
    routes = list(_routes(running.client.app.routes))
    found = {
        (method, route.path) for route in routes if isinstance(route, APIRoute) for method in route.methods
    }
    described = {route.path for route in routes if not isinstance(route, APIRoute)}

    assert found == set(ROUTES)
    assert described <= {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}


def _routes(routes):
    """All of them, those of included routers too."""
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from _routes(included.routes)
        else:
            yield route


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_nothing_enters_a_mutating_route_without_its_secret(running, path):
    """Neither unsigned nor with an empty or another secret."""
    before = running.count("deliveries")
    for headers in ({}, {"Authorization": "Bearer "}, {"X-Hub-Signature-256": "sha256="}):
        answer = running.client.post(path, json={"a": 1}, headers=headers)

        assert answer.status_code == 401
    assert running.count("deliveries") == before


def test_every_job_is_named_and_carries_ids_only(running):
    """Whoever could put a job into the queue would only cause another look."""
    tasks = {name: task for name, task in running.slipway.queue.tasks.items() if name.startswith("slipway.")}
    carried = {
        name: task.func.__code__.co_varnames[: task.func.__code__.co_argcount] for name, task in tasks.items()
    }

    assert carried == JOBS


def test_every_verb_is_named():
    """Also those of groups."""
    assert set(_verbs(get_command(verbs), "")) == set(VERBS)


def _verbs(command, prefix):
    if not isinstance(command, click.Group) and not hasattr(command, "commands"):
        return [prefix.strip()]
    return [verb for name, inner in command.commands.items() for verb in _verbs(inner, f"{prefix} {name}")]


CALLS = {
    "authorize": {"bot/jobs/authority.py"},
    "permitted": {"bot/jobs/observe.py"},
    "obey": {"bot/domain/decide.py"},
    "add_requests": {"bot/jobs/hear.py", "bot/jobs/rerun.py"},
}
"""A request is taken in at two places, judged at one, obeyed at one."""


@pytest.mark.parametrize("name", CALLS)
def test_requests_have_one_way(name):
    """The code has no other call of these functions."""
    root = Path(bot.__file__).parent
    found = set()
    for file in root.rglob("*.py"):
        if any(
            isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == name
            for node in ast.walk(ast.parse(file.read_text()))
        ):
            found.add(file.relative_to(root.parent).as_posix())

    assert found == CALLS[name]


def test_the_list_of_mutating_commands_is_complete():
    """Every word but those that only ask."""
    asking = {"status", "explain", "help"}
    told = {word.split()[0].removeprefix("/") for word in MUTATING}
    known = {
        command.word
        for command in vars(commands).values()
        if isinstance(command, type) and isinstance(getattr(command, "word", None), str)
    }

    assert known - asking - {"re-run"} <= told | {"canary"}


@pytest.mark.parametrize("way", ["comment", "review", "listing"])
def test_kargo_cve_2026_27111_no_command_passes_by_the_one_check(running, monkeypatch, way):
    """Where the one function says no, nothing is done for anybody, whatever the command and the way in."""
    asked = []

    def no(action, actor, rule):
        asked.append(actor.login)
        return Denied("not today")

    monkeypatch.setattr(authority, "authorize", no)
    world = running.world
    world.configure({"policies/quick.yaml": OVERRIDABLE})
    world.forge.people["root"] = Permission.ADMIN
    before, acts = world.newest(), running.acts()
    for number, word in enumerate(MUTATING):
        asked.clear()
        give(running, way, word, number)
        after = world.newest()

        assert set(asked) == {"root"}, word
        assert (after.stage, after.armed_by, after.override) == (before.stage, None, None), word
        assert running.acts() == acts, word
        assert running.count("holds") == running.count("quarantines") == 0, word
        assert world.pinned() == "models:/fraud/1"


OVERRIDABLE = b"commands: {override: {role: write}}\ncanary: {bake: 60s}\n"


def give(running, way, word, number):
    """A person gives a command, in one of the ways there are."""
    world = running.world
    pull = world.newest().pull
    if way == "comment":
        running.comment("root", word)
    elif way == "review":
        running.github(
            "pull_request_review",
            {
                "action": "submitted",
                "review": {
                    "id": 900 + number,
                    "user": {"login": "root", "type": "User"},
                    "state": "commented",
                    "commit_id": "a" * 40,
                    "body": word,
                    "submitted_at": "2026-11-21T12:00:00Z",
                },
                "pull_request": {
                    "number": pull,
                    "head": {"repo": {"full_name": world.forge.repository}},
                },
                "repository": {"full_name": world.forge.repository},
                "installation": {"id": 1},
                "sender": {"login": "root", "type": "User"},
            },
        )
        world.drain()
    else:
        world.forge.comment(pull, "root", word)
        world.resync.run()
        world.drain()


def test_the_re_run_button_is_a_request_like_any_other(running, monkeypatch):
    """A press is judged by the same function."""
    asked = []
    judge = authority.authorize
    monkeypatch.setattr(authority, "authorize", lambda *given: asked.append(given[1].login) or judge(*given))
    world = running.world
    running.github(
        "check_run",
        {
            "action": "rerequested",
            "check_run": {"name": "slipway / gates", "head_sha": world.newest().head_sha},
            "repository": {"full_name": world.forge.repository},
            "installation": {"id": 1},
            "sender": {"login": "eve", "type": "User"},
        },
    )
    world.drain()

    assert asked == ["eve"]
    assert world.newest().stage is Stage.OPEN
