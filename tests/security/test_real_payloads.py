"""Real deliveries, whole and mutated, signed, through the running app: no 5xx, and nothing that was not asked for."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

SEED = 20261121
MUTANTS = 12
"""Of each payload."""
HOSTILE: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    2**70,
    1e308,
    True,
    [],
    {},
    [None],
    "x" * 20_000,
    "\0",
    "\ud800",
    "../../etc/passwd",
    "/promote",
    "$(id)",
    "2026-99-99T99:99:99Z",
    {"a": {"b": [1] * 500}},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*path, key)
        yield from places(below, (*path, key))


def mutant(payload: Any, chance: random.Random) -> Any:
    """The payload with one to three of its values missing or replaced."""
    copy = json.loads(json.dumps(payload))
    for _ in range(chance.randint(1, 3)):
        found = [path for path in places(copy) if len(path) < 4]
        if not found:
            return copy
        *way, last = chance.choice(found)
        parent = copy
        for step in way:
            parent = parent[step]
        if chance.random() < 0.4:
            del parent[last]
        else:
            parent[last] = chance.choice(HOSTILE)
    return copy


def encoded(payload: Any) -> bytes:
    return json.dumps(payload).encode("utf-8", "surrogatepass")


def payloads(folder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.json"))}


@pytest.fixture
def quiet(running):
    """The application, and a promise: whatever was sent, nothing was done that nobody asked for."""
    world = running.world
    before = (running.acts(), world.newest().stage, world.newest().armed_by, world.pinned())
    yield running
    world.drain()
    assert (running.acts(), world.newest().stage, world.newest().armed_by, world.pinned()) == before
    for table in ("requests", "holds", "quarantines"):
        assert running.count(table) == 0, table
    assert len(world.promotions()) == 1


def test_every_real_delivery_of_github(quiet, shared_data):
    """Most are of repositories that are not ours: they are taken and change nothing."""
    found = payloads(shared_data / "github-webhooks")
    assert len(found) > 100
    for name, body in found.items():
        answer = quiet.github(name.split(".")[0], body)

        assert answer.status_code in (202, 400), (name, answer.text)


def test_every_real_delivery_of_github_as_if_it_were_about_us(quiet, shared_data):
    """The same with our repository, installation and pull request put in: still nobody gave a command."""
    world = quiet.world
    for name, body in payloads(shared_data / "github-webhooks").items():
        payload = ours(json.loads(body), world)
        answer = quiet.github(name.split(".")[0], payload)
        world.drain()

        assert answer.status_code in (202, 400), (name, answer.text)


def ours(payload: dict[str, Any], world) -> dict[str, Any]:
    """What a delivery is about, replaced by what Slipway knows."""
    number = world.newest().pull
    payload["repository"] = {"full_name": world.forge.repository, "default_branch": "main"}
    payload["installation"] = (payload.get("installation") or {}) | {"id": 1}
    for key in ("issue", "pull_request"):
        if isinstance(payload.get(key), dict):
            payload[key]["number"] = number
    return payload


def test_mutated_deliveries_of_github(quiet, shared_data):
    """Fields missing, null, huge, of a wrong type; unknown actions and events."""
    chance = random.Random(SEED)
    for name, body in payloads(shared_data / "github-webhooks").items():
        event = name.split(".")[0]
        payload = ours(json.loads(body), quiet.world) if chance.random() < 0.5 else json.loads(body)
        wrong = [mutant(payload, chance) for _ in range(MUTANTS)]
        for each in (*wrong, payload | {"action": "unheard_of"}, payload | {"action": 7}):
            answer = quiet.github(event, encoded(each))

            assert answer.status_code in (202, 400), (name, answer.status_code, answer.text)
        assert quiet.github("unheard_of", body).status_code == 202


def test_every_real_delivery_of_mlflow(running, shared_data):
    """As they were recorded, with the secret they were signed with: they wake, and promote nothing by themselves."""
    acts = running.acts()
    for name, recorded in _mlflow(shared_data).items():
        answer = running.mlflow(recorded)
        running.world.drain()

        assert answer.status_code == 202, (name, answer.text)
    assert running.acts() == acts
    assert running.world.pinned() == "models:/fraud/1"


def test_mutated_deliveries_of_mlflow(running, shared_data):
    """Never a 5xx, and never a promotion: the registry itself says what is a candidate."""
    chance = random.Random(SEED)
    acts = running.acts()
    for name, recorded in _mlflow(shared_data).items():
        payload = json.loads(recorded)
        payload["data"] = payload.get("data", {}) | {"name": "fraud", "version": "3", "alias": "candidate"}
        for each in [mutant(payload, chance) for _ in range(MUTANTS * 3)]:
            answer = running.mlflow(encoded(each))

            assert answer.status_code in (202, 400), (name, answer.status_code, answer.text)
    running.world.drain()

    assert running.acts() == acts
    assert len(running.world.promotions()) == 1


def _mlflow(shared_data) -> dict[str, bytes]:
    """The bodies of the recorded deliveries."""
    told = {name: json.loads(body) for name, body in payloads(shared_data / "mlflow-webhooks").items()}
    return {name: each["raw_body"].encode() for name, each in told.items() if "raw_body" in each}
