"""`slipway backtest` against a real server's past."""

import json
import random
import time

import pytest
from typer.testing import CliRunner

from bot.cli import app

CONFIG = """
version: 1
models:
  fraud:
    when: {alias: candidate}
    storage: "{source}"
    environments:
      production:
        targets: [{kserve: models/fraud.yaml}]
        policy: mine
        slo:
          preset: fastapi
          selector: 'app="{model}"'
          errors: {objective: 99%}
          gauges:
            drift: {query: max(drift), above: 0.3, for: 5m}
"""
POLICY = "canary: {bake: 30m, max_bake: 1h}\n"


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "slipway.yaml").write_text(CONFIG)
    (tmp_path / "policies" / "mine.yaml").write_text(POLICY)
    return tmp_path


def run(checkout, *options):
    named = ["--model", "fraud", "--environment", "production", "--repo", str(checkout)]
    return CliRunner().invoke(app, ["backtest", *named, *options])


@pytest.fixture(scope="module")
def server(start):
    """Half a day of 20 requests a second at 0.2% of errors, with five minutes at 50%."""
    chance, now = random.Random(4), time.time()
    begin = now - 0.5 * 86_400
    total, bad, totals, bads = 0, 0, [], []
    for k in range(2880):
        at = begin + 15 * k
        outage = 1500 <= k < 1520
        total += 300
        bad += sum(chance.random() < (0.5 if outage else 0.002) for _ in range(300))
        totals.append((at, total - bad))
        bads.append((at, bad))
    return start(
        {
            'http_requests_total{app="fraud",instance="a",status="2xx"}': totals,
            'http_requests_total{app="fraud",instance="a",status="5xx"}': bads,
        }
    )


def test_a_healthy_half_day_with_one_outage(server, checkout):
    """It tells what the past was, the one outage, and how soon it would catch others."""
    told = run(checkout, "--days", "0.5", "--prometheus", server.url)
    lines = told.output.splitlines()

    assert told.exit_code == 0, told.output
    assert lines[0].startswith("fraud in production, the 12 hours until ")
    assert lines[2].split()[:2] == ["errors", "at"]
    assert "21 starts in the past as it was: 1 would have been reverted (4.76%)." in lines
    assert any("UTC, reverted after" in line for line in lines)
    harm = lines.index("With bad requests put into 21 of these starts:")
    assert [line.split()[:2] for line in lines[harm + 2 : harm + 5]] == [
        ["errors", each] for each in ("2%", "5%", "20%")
    ]
    assert "note: not tested, because only counters have a past that can be replayed: drift" in lines


def test_a_baseline_beside_is_left_out(server, checkout):
    """Compared with itself no past would ever look bad."""
    (checkout / "slipway.yaml").write_text(
        CONFIG.replace("errors:", 'baseline: \'app="{model}",status!="{baseline}"\'\n          errors:')
    )
    told = json.loads(run(checkout, "--days", "0.5", "--prometheus", server.url, "--json").output)

    assert len(told["reverted"]) == 1
    assert all(each["reverted"] > 0 for each in told["injected"])


def test_the_same_for_a_program(server, checkout):
    """Numbers without words, in the units that the documentation says."""
    told = json.loads(run(checkout, "--days", "0.5", "--prometheus", server.url, "--json").output)

    assert (told["starts"], told["every"], len(told["reverted"])) == (21, 1800.0, 1)
    assert told["outcomes"]["failed"] == 1
    assert [each["ratio"] for each in told["injected"]] == pytest.approx([0.02, 0.05, 0.2])
    assert all(each["median"] <= each["slowest"] for each in told["injected"])
    assert told["slos"][0]["total"] == pytest.approx(2880 * 300, rel=0.01)
    assert told["not_tested"] == ["drift"]


def test_the_server_of_the_settings_is_asked_as_serve_asks_it(server, checkout, monkeypatch):
    """A named source, with the same variables as in production."""
    config = CONFIG.replace("preset:", "source: paris\n          preset:")
    (checkout / "slipway.yaml").write_text(config)
    monkeypatch.setenv("SLIPWAY_PROMETHEUS_SOURCES", json.dumps({"paris": {"url": server.url}}))

    assert run(checkout, "--days", "0.5").exit_code == 0


def test_too_short_a_past_is_told(server, checkout):
    """Nothing is claimed from an hour."""
    (checkout / "policies" / "mine.yaml").write_text("canary: {bake: 12h}\n")
    told = run(checkout, "--days", "0.4", "--prometheus", server.url)

    assert told.exit_code == 0
    assert "There is not enough past" in told.output


def test_a_past_without_series_is_one_sentence(server, checkout):
    """The query that found nothing is named."""
    (checkout / "slipway.yaml").write_text(CONFIG.replace('app="{model}"', 'app="nobody"'))
    told = run(checkout, "--days", "0.5", "--prometheus", server.url)

    assert told.exit_code == 2
    assert told.output.startswith(
        "the metrics server has nothing in these 0.5 days for `http_requests_total{"
    )
