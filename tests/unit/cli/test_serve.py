"""`slipway serve` that cannot start says why, all at once, and shows no secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import settings

COMPLETE = {
    "SLIPWAY_GITHUB_APP_ID": "1",
    "SLIPWAY_GITHUB_PRIVATE_KEY": "a private key",
    "SLIPWAY_GITHUB_WEBHOOK_SECRET": "one secret",
    "SLIPWAY_MLFLOW_TRACKING_URI": "http://127.0.0.1:1",
    "SLIPWAY_MLFLOW_WEBHOOK_SECRET": "another secret",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("SLIPWAY_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_everything_that_is_missing_is_named_at_once(environment):
    """Nobody has to start it five times."""
    with pytest.raises(settings.SettingsError) as told:
        settings.load()

    for name in COMPLETE:
        assert name in str(told.value)
    assert len(told.value.mistakes) == 5


def test_a_wrong_value_is_told_beside_what_is_missing(environment):
    """Wrong and missing come in one list."""
    environment.setenv("SLIPWAY_PORT", "eighty")
    with pytest.raises(settings.SettingsError) as told:
        settings.load()

    assert "SLIPWAY_PORT is wrong" in str(told.value)
    assert "SLIPWAY_GITHUB_APP_ID is missing" in str(told.value)


@pytest.mark.parametrize(
    "address", ["argocd.example.com", "ftp://argocd", "http://", "https://[::1", "http://a b"]
)
def test_what_is_no_web_address_is_told_before_anybody_is_asked(environment, address):
    """A missing scheme, another protocol, no host: the setting is named, and what an address looks like."""
    names = ("ARGOCD_URL", "PROMETHEUS_URL", "PUBLIC_URL", "MLFLOW_TRACKING_URI", "GITHUB_BASE_URL")
    for name, value in {**COMPLETE, **{f"SLIPWAY_{name}": address for name in names}}.items():
        environment.setenv(name, value)
    with pytest.raises(settings.SettingsError) as told:
        settings.load()

    for name in names:
        assert f"SLIPWAY_{name} is wrong: this is no web address like https://host or" in str(told.value)
    assert len(told.value.mistakes) == len(names)


def test_a_key_file_that_is_not_there_is_told(environment):
    """A path is looked at before the first request needs the key."""
    for name, value in COMPLETE.items():
        environment.setenv(name, value)
    environment.delenv("SLIPWAY_GITHUB_PRIVATE_KEY")
    environment.setenv("SLIPWAY_GITHUB_PRIVATE_KEY_FILE", "nowhere.pem")
    with pytest.raises(settings.SettingsError, match="there is no file nowhere"):
        settings.load()


def test_no_secret_shows_in_the_settings(environment):
    """Settings may end up in a log."""
    for name, value in COMPLETE.items():
        environment.setenv(name, value)
    loaded = settings.load()

    assert isinstance(loaded.github_webhook_secret, SecretStr)
    for secret in ("a private key", "one secret", "another secret"):
        assert secret not in repr(loaded)


def test_a_database_that_does_not_answer_is_one_sentence(environment):
    """No traceback for what an operator has to repair."""
    database = {"SLIPWAY_DATABASE_URL": "postgresql://slipway:hidden@127.0.0.1:1/slipway"}
    done = subprocess.run(
        [Path(sys.executable).with_name("slipway"), "serve"],
        env={**os.environ, **COMPLETE, **database},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr
