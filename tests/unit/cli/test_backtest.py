"""`slipway backtest` that cannot answer says why, in one sentence."""

import os

import pytest
from typer.testing import CliRunner

from bot.cli import app

CONFIG = """\
version: 1
models:
  fraud:
    when: {alias: candidate}
    storage: "{source}"
    environments:
      staging:
        targets: [{kserve: models/staging.yaml}]
      production:
        after: staging
        targets: [{kserve: models/fraud.yaml}]
        policy: mine
        slo:
          preset: fastapi
          errors: {objective: 99%}
"""
AWAY = ["--prometheus", "http://127.0.0.1:9"]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("SLIPWAY_")]:
        monkeypatch.delenv(name)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "mine.yaml").write_text("canary: {bake: 30m}\n")
    (tmp_path / "slipway.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        (
            {},
            ["--model", "churn", *AWAY],
            "has no model `churn` with an environment `production`, only fraud in staging",
        ),
        (
            {},
            ["--environment", "staging", *AWAY],
            "`fraud` has no `slo` in `staging`: there is nothing to test",
        ),
        ({}, [], "no metrics server `default` is set up: say --prometheus, or set SLIPWAY_PROMETHEUS_URL"),
        ({}, AWAY, "Prometheus: no connection"),
        ({}, ["--prometheus", "nonsense"], "--prometheus: this is no web address like https://host or"),
        (
            {"preset: fastapi": "preset: fastapi\n          source: paris"},
            [],
            "no metrics server `paris` is set up: say --prometheus, or set SLIPWAY_PROMETHEUS_SOURCES",
        ),
        (
            {"preset: fastapi": "preset: fastapi\n          selector: 'v=\"{version}\"'"},
            AWAY,
            "the queries ask for {version}: name one that ran in these days with --version",
        ),
        (
            {
                "preset: fastapi\n          errors: {objective: 99%}": "gauges:\n            "
                "drift: {query: drift, above: 1, for: 5m}"
            },
            AWAY,
            "only counters have a past that can be replayed, which drift is not",
        ),
        (
            {"policy: mine": "policy: nobody"},
            AWAY,
            "the policy `nobody` has mistakes: there is no policy nobody",
        ),
        ({"version: 1": "version: 9"}, AWAY, "slipway.yaml has mistakes, see `slipway check`"),
    ],
)
def test_what_is_missing_is_one_sentence(checkout, change, options, sentence):
    """Exit 2, no traceback, nothing claimed."""
    text = CONFIG
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    (checkout / "slipway.yaml").write_text(text)
    named = {"--model": "fraud", "--environment": "production", "--repo": str(checkout)}
    arguments = [part for pair in named.items() if pair[0] not in options for part in pair]
    told = CliRunner().invoke(app, ["backtest", *arguments, *options])

    assert told.exit_code == 2, told.output
    assert sentence in told.output
    assert told.output.count("\n") == 1


def test_settings_that_are_wrong_are_named(checkout, monkeypatch):
    """As `slipway serve` would name them."""
    monkeypatch.setenv("SLIPWAY_PROMETHEUS_SOURCES", '{"paris": {"url": "http://x", "key": "k.pem"}}')
    told = CliRunner().invoke(
        app, ["backtest", "--model", "fraud", "--environment", "production", "--repo", str(checkout)]
    )

    assert told.exit_code == 2
    assert "a certificate needs its key, and a key its certificate" in told.output
