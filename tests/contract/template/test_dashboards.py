"""Dashboards are what Grafana's own schema says a dashboard is.

The schema is Grafana's, as the types of its grafana-foundation-sdk for Grafana 10.1: a key that it does not know is lost
on the way through them, and a value of another type is found by their annotations.
"""

import enum
import json
import typing
from itertools import combinations

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from bot.adapters import shipped

FILES = sorted((shipped.folder("gitops-repo-template") / "monitoring" / "dashboards").glob("*.json"))
OTHERS_OWN = {"titleFormat"}
"""Keys of an annotation that belong to the Prometheus data source, whose schema is not published."""


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def dashboard(request):
    register_default_plugins()
    return json.loads(request.param.read_text())


def lost(given, kept, path=""):
    """The paths of `given` that are not, or not the same, in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in OTHERS_OWN:
                continue
            yield from lost(value, kept[key], f"{path}/{key}") if key in kept else [f"{path}/{key}"]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{path}/{index}")
    elif given != kept:
        yield path


def fits(value, hint):
    """Whether a value is of a type, as far as one sees without looking inside."""
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin in (object, typing.Any):
        return True
    if issubclass(origin, enum.Enum):
        return value in [member.value for member in origin]
    if isinstance(value, bool) or origin is bool:
        return isinstance(value, bool) and origin is bool
    return isinstance(value, int | float if origin is float else origin)


def wrong(value, hint, path):
    """The paths where a value is not what its type says."""
    hints = typing.get_args(hint) if typing.get_origin(hint) is typing.Union else (hint,)
    fitting = [one for one in hints if fits(value, one)]
    if not fitting:
        yield path
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from wrong(one, typing.get_args(fitting[0])[0], f"{path}/{index}")
    elif type(value).__module__.startswith("grafana_foundation_sdk."):
        yield from of_object(value, path)


def of_object(value, path=""):
    for name, hint in typing.get_type_hints(type(value)).items():
        yield from wrong(getattr(value, name), hint, f"{path}/{name}")


def test_grafana_knows_every_key_and_every_type(dashboard):
    """Through Grafana's types and back nothing is lost, and every value is of the type it must be."""
    read = Dashboard.from_json(dashboard)

    assert [*lost(dashboard, json.loads(json.dumps(read, cls=JSONEncoder)))] == []
    assert [*of_object(read)] == []


def test_a_wrong_key_and_a_wrong_type_would_be_found(dashboard):
    """The check itself sees a misspelt key deep inside, a number that is text, an unknown choice."""
    broken = json.loads(json.dumps(dashboard))
    broken["panels"][4]["fieldConfig"]["defaults"]["custom"]["drawStyel"] = "line"
    broken["panels"][0]["gridPos"]["w"] = "6"
    broken["templating"]["list"][0]["type"] = "datasources"
    read = Dashboard.from_json(broken)

    assert [*lost(broken, json.loads(json.dumps(read, cls=JSONEncoder)))] == [
        "/panels/4/fieldConfig/defaults/custom/drawStyel"
    ]
    assert [*of_object(read)] == ["/panels/0/grid_pos/w", "/templating/list_val/0/type_val"]


def test_panels_have_their_own_place(dashboard):
    """No two panels share an id or a place, none is wider than the page, each says what it shows."""
    places = {}
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24, panel["title"]
        assert panel["description"], panel["title"]
        places[panel["id"]] = grid
    assert len(places) == len(dashboard["panels"])
    for one, other in combinations(places.values(), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


def test_a_model_s_dashboard_shows_volume_errors_percentiles_and_versions(dashboard):
    """What one looks at when a version is new: how much, how wrong, how slow, and which version."""
    if dashboard["title"] == "Slipway":
        titles = {panel["title"] for panel in dashboard["panels"]}
        assert titles >= {"Promotions by stage", "Lead time", "Verdicts", "Queue"}
        return
    panels = {panel["title"]: panel for panel in dashboard["panels"]}

    assert panels.keys() >= {"Volume by version", "Error ratio by version", "Latency", "Versions"}
    assert [target["legendFormat"] for target in panels["Latency"]["targets"]] == ["p50", "p95", "p99"]
    assert [mark["name"] for mark in dashboard["annotations"]["list"]] == ["New version"]


def test_every_dashboard_is_loaded_under_a_name_of_its_own():
    """Two dashboards with one uid overwrite each other."""
    uids = [json.loads(file.read_text())["uid"] for file in FILES]

    assert len(FILES) == 4
    assert len({*uids}) == len(uids)
    assert all(8 <= len(uid) <= 40 or uid == "slipway" for uid in uids)
