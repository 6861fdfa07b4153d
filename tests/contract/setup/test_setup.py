"""`slipway setup`, its page clicked through against the GitHub-compatible server."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from bot.sandbox.github import GitHubServer


def _fields(page: str) -> dict[str, str]:
    form = page[page.rindex("<form") :]
    found = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


def _action(page: str) -> str:
    return html.unescape(re.findall(r'<form[^>]*action="([^"]+)"', page)[-1])


@pytest.fixture
def github(tmp_path):
    server = GitHubServer(tmp_path / "github")
    server.start()
    server.create_repository("acme/gitops", {"README.md": b"#\n"})
    yield server
    server.stop()


def _start(github: GitHubServer, folder: Path, *more: str) -> subprocess.Popen:
    verb = [sys.executable, "-c", "from bot.cli import main; main()", "setup"]
    told = ["--public-url", "http://127.0.0.1:9", "--base-url", github.api_url, *more]
    return subprocess.Popen(
        [*verb, *told],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


def test_a_person_clicks_through(github, tmp_path):
    """Register, install, done: settings are stored for the owner only, nothing secret is printed, it stops."""
    running = _start(github, tmp_path)
    try:
        own = re.search(r"http://\S+", running.stderr.readline())[0]
        with httpx.Client(trust_env=False, timeout=20) as browser:
            first = browser.get(own)
            form = {k: v for k, v in _fields(first.text).items() if k != "teams"}
            review = browser.post(own + "/review", data=form)
            target = _action(review.text)
            asked = browser.post(target, data=_fields(review.text))
            wrong = browser.get(own + "/created", params={"code": "x", "state": "wrong"})
            made = browser.post(urljoin(target, _action(asked.text)), data=_fields(asked.text))
            waiting = browser.get(made.headers["location"], follow_redirects=True)
            link = re.search(r'class="button" href="([^"]+)"', waiting.text)[1]
            choose = browser.get(link).text
            browser.post(urljoin(link, _action(choose)), data={"repository": "acme/gitops"})
            done = browser.get(own + "/install")
        out, err = running.communicate(timeout=15)
    finally:
        running.kill()
    settings = (tmp_path / "slipway.env").read_text()
    secret = re.search(r"WEBHOOK_SECRET=(\S+)", settings)[1]
    pages = first.text + review.text + waiting.text + done.text + out + err

    assert running.returncode == 0
    assert wrong.status_code == 403
    assert "acme/gitops" in done.text
    assert "lacks" not in done.text
    assert secret not in pages
    assert "PRIVATE KEY" not in pages
    for name in ("slipway.env", "slipway.private-key.pem"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_an_existing_file_stays(github, tmp_path):
    """Settings that exist are not overwritten without --force, and no App is made."""
    (tmp_path / "slipway.env").write_text("mine")
    running = _start(github, tmp_path)
    _, err = running.communicate(timeout=30)

    assert (running.returncode, (tmp_path / "slipway.env").read_text()) == (2, "mine")
    assert "--force" in err
