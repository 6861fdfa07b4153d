"""`slipway backtest` against a real server's past."""

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
"""
POLICY = "canary: {bake: 30m, max_bake: 1h}\n"


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "slipway.yaml").write_text(CONFIG)
    (tmp_path / "policies" / "mine.yaml").write_text(POLICY)
    return tmp_path


def test_a_healthy_half_day_with_one_outage(start, checkout):
    """It tells the one outage, and how soon it would catch others."""
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
    server = start(
        {
            'http_requests_total{app="fraud",instance="a",status="2xx"}': totals,
            'http_requests_total{app="fraud",instance="a",status="5xx"}': bads,
        }
    )
    options = ["--model", "fraud", "--environment", "production", "--days", "0.5"]
    result = CliRunner().invoke(
        app, ["backtest", *options, "--repo", str(checkout), "--prometheus", server.url]
    )
    lines = result.output.splitlines()

    assert result.exit_code == 0, result.output
    assert lines[0].endswith("starts in the past as it was: 1 would have been reverted.")
    assert "reverted after" in lines[1]
    assert any(line.startswith("  errors at 5%: caught in") for line in lines)


def test_a_server_that_is_away_is_told(checkout):
    """Nothing is claimed without data."""
    options = ["--model", "fraud", "--environment", "production", "--repo", str(checkout)]
    result = CliRunner().invoke(app, ["backtest", *options, "--prometheus", "http://127.0.0.1:9"])

    assert result.exit_code == 2
    assert "Prometheus: no connection" in result.output
