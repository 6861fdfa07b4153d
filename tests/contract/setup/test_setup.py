"""`slipway setup`, its page clicked through against the GitHub-compatible server."""

import base64
import html
import os
import re
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import kubernetes_validate
import pytest
import uvicorn
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from bot.cli import app as slipway
from bot.domain import app_rights
from bot.sandbox.github import GitHubServer
from bot.sandbox.processes import free_port, wait_until

PUBLIC = "http://127.0.0.1:9"
SETTINGS = {
    "SLIPWAY_PUBLIC_URL",
    "SLIPWAY_GITHUB_APP_ID",
    "SLIPWAY_GITHUB_WEBHOOK_SECRET",
    "SLIPWAY_GITHUB_BASE_URL",
}


def fields(page: str) -> dict[str, str]:
    """The fields of the last form: what a browser would send, boxes that are not ticked left out."""
    form = page[page.rindex("<form") :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ("checkbox" not in tag or tag.rstrip(">").endswith("checked")):
            found[name[1]] = html.unescape(value[1] if value else "")
    return found


def action(page: str) -> str:
    return html.unescape(re.findall(r'<form[^>]*action="([^"]+)"', page)[-1])


@pytest.fixture
def github(tmp_path):
    server = GitHubServer(tmp_path / "github")
    server.start()
    server.create_repository("acme/gitops", {"README.md": b"#\n"})
    yield server
    server.stop()


@dataclass
class Person:
    """Somebody in front of the page."""

    github: GitHubServer
    own: str
    browser: httpx.Client

    def review(self, **changes: str) -> httpx.Response:
        form = fields(self.browser.get(self.own).text) | changes
        return self.browser.post(f"{self.own}/review", data=form)

    def confirm(self, **changes: str) -> str:
        """Register on GitHub; the way back, which is not gone yet."""
        review = self.review(**changes)
        asked = self.browser.post(action(review.text), data=fields(review.text))
        made = self.browser.post(urljoin(action(review.text), action(asked.text)), data=fields(asked.text))
        return made.headers["location"]

    def register(self, **changes: str) -> httpx.Response:
        """Register, and come back to the page."""
        return self.browser.get(self.confirm(**changes), follow_redirects=True)

    def install(self, waiting: httpx.Response) -> httpx.Response:
        link = re.search(r'class="button" href="([^"]+)"', waiting.text)[1]
        choose = self.browser.get(link).text
        self.browser.post(urljoin(link, action(choose)), data={"repository": "acme/gitops"})
        return self.browser.get(f"{self.own}/install")

    def app(self):
        (app,) = self.github.world.state.apps.values()
        return app


def arguments(github: GitHubServer, *more: str) -> list[str]:
    return ["setup", "--public-url", PUBLIC, "--base-url", github.api_url, *more]


@pytest.fixture
def setup(github, tmp_path, monkeypatch):
    """Opens the page in this process, as a person who then sits in front of it."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield lambda *more: stack.enter_context(_page(github, monkeypatch, *more))


@contextmanager
def _page(github, monkeypatch, *more):
    servers = []

    class Recorded(uvicorn.Server):
        def __init__(self, config):
            super().__init__(config)
            servers.append(self)

    monkeypatch.setattr(uvicorn, "Server", Recorded)
    port = free_port()
    words = arguments(github, "--port", str(port), *more)
    verb = threading.Thread(target=lambda: get_command(slipway)(words, standalone_mode=False))
    verb.start()
    try:
        wait_until(lambda: bool(servers and servers[0].started), 30, "the page", pause=0.02)
        with httpx.Client(trust_env=False, timeout=30) as browser:
            yield Person(github, f"http://127.0.0.1:{port}", browser)
    finally:
        servers[0].should_exit = True
        verb.join(30)


def test_what_is_asked_of_github_is_what_it_describes(setup, github, wire, operations):
    """The App, its installations and repositories, its webhook: each question and answer of the set-up."""
    person = setup()
    person.install(person.register())
    asked = {each.path.removeprefix("/api/v3") for each in wire.exchanges}
    for exchange in wire.exchanges:
        operations.check(exchange)

    assert {"/app", "/app/installations", "/installation/repositories", "/app/hook/config"} <= asked


def stored(folder: Path) -> dict[str, str]:
    lines = (folder / "slipway.env").read_text().splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_a_person_clicks_through(github, tmp_path):
    """Register, install, done: settings are stored for the owner only, nothing secret is shown, it stops."""
    running = subprocess.Popen(
        [sys.executable, "-c", "from bot.cli import main; main()", *arguments(github)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    try:
        own = re.search(r"http://\S+", running.stderr.readline())[0]
        with httpx.Client(trust_env=False, timeout=30) as browser:
            person = Person(github, own, browser)
            first, review = browser.get(own), person.review()
            waiting = person.register()
            done = person.install(waiting)
        out, err = running.communicate(timeout=30)
    finally:
        running.kill()
    settings = stored(tmp_path)
    key = Path(settings["SLIPWAY_GITHUB_PRIVATE_KEY_FILE"])
    shown = "".join(page.text for page in (first, review, waiting, done)) + out + err

    assert running.returncode == 0
    assert set(settings) == SETTINGS | {"SLIPWAY_GITHUB_PRIVATE_KEY_FILE"}
    assert settings["SLIPWAY_PUBLIC_URL"] == PUBLIC
    assert settings["SLIPWAY_GITHUB_BASE_URL"] == github.api_url
    assert key.read_text().startswith("-----BEGIN")
    for path in (tmp_path / "slipway.env", key):
        assert path.stat().st_mode & 0o777 == 0o600
    assert "is registered. The settings are in slipway.env" in err
    assert settings["SLIPWAY_GITHUB_WEBHOOK_SECRET"] not in shown
    assert "PRIVATE KEY" not in shown
    assert "acme/gitops" in done.text
    assert "has every right and event that Slipway needs" in done.text


def test_the_app_gets_the_least_rights_and_events_and_no_others(setup, github, tmp_path):
    """Membership and issues only where somebody asked for them."""
    person = setup()
    person.register()
    app = person.app()

    assert app.permissions == {
        "metadata": "read",
        "contents": "write",
        "pull_requests": "write",
        "checks": "write",
        "deployments": "write",
    }
    assert set(app.events) == set(app_rights.EVENTS)
    assert app.webhook_url == f"{PUBLIC}/webhooks/github"


@pytest.mark.parametrize(
    ("option", "right", "level"), [("--teams", "members", "read"), ("--issues", "issues", "write")]
)
def test_a_right_more_where_it_is_asked_for(setup, github, option, right, level):
    """On the command line, or by ticking the box: the same right and no other."""
    person = setup(option)
    asked = person.review()
    person.register()
    app = person.app()

    assert f"{right}: {level}" in asked.text
    assert app.permissions == {**app_rights.PERMISSIONS, right: level}


def test_a_kubernetes_secret_is_printed_and_nothing_is_written(setup, capsys, tmp_path):
    """With the key itself, which `kubectl apply` takes as it is."""
    person = setup("--kubernetes")
    person.install(person.register())
    out = capsys.readouterr().out
    secret = yaml.safe_load(out)
    values = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}

    kubernetes_validate.validate(secret, "1.32", strict=True)
    assert (secret["kind"], secret["apiVersion"]) == ("Secret", "v1")
    assert set(values) == SETTINGS | {"SLIPWAY_GITHUB_PRIVATE_KEY"}
    assert values["SLIPWAY_GITHUB_PRIVATE_KEY"].startswith("-----BEGIN")
    assert not [path for path in tmp_path.iterdir() if path.name != "github"]


def test_an_organisation_owns_the_app(setup, github, tmp_path):
    """GitHub's page of the organisation is opened, and the App is its own."""
    person = setup("--organization", "acme")
    asked = person.review()
    person.register()

    assert urlsplit(action(asked.text)).path == "/organizations/acme/settings/apps/new"
    assert person.app().owner == "acme"


def test_an_enterprise_server_is_where_the_base_url_says(setup, github, tmp_path):
    """Its pages, its API, and the settings name the same host."""
    assert github.api_url.endswith("/api/v3")
    person = setup()
    asked = person.review()
    person.register()

    assert action(asked.text).startswith(f"{github.url}/settings/apps/new?state=")
    assert f"form-action 'self' {github.url}" in asked.headers["content-security-policy"]
    assert stored(tmp_path)["SLIPWAY_GITHUB_BASE_URL"] == github.api_url


def test_a_code_that_was_used_or_is_too_old_makes_no_settings(setup, github, tmp_path):
    """GitHub takes a code once and within the hour; the page says so."""
    person = setup()
    back = person.confirm()
    (manifest,) = github.world.state.manifests.values()
    manifest.expires_at -= timedelta(hours=2)
    late = person.browser.get(back)
    again = person.browser.get(back)

    for answer in (late, again):
        assert answer.status_code == 502
        assert "the code was used before or is older than an hour" in answer.text
        assert "Begin again" in answer.text
    assert not (tmp_path / "slipway.env").exists()


@pytest.mark.parametrize("state", ["", "wrong", "\u00e9"])
def test_an_answer_of_another_set_up_is_refused(setup, github, tmp_path, state):
    """Nobody else's App gets into these settings; the code stays unused."""
    person = setup()
    query = dict(part.split("=") for part in urlsplit(person.confirm()).query.split("&"))
    answer = person.browser.get(f"{person.own}/created", params={"code": query["code"], "state": state})

    assert answer.status_code == 403
    assert query["code"] in github.world.state.manifests
    assert not (tmp_path / "slipway.env").exists()


@pytest.mark.parametrize("code", ["", "a/../../b", "x" * 300])
def test_what_is_no_code_is_never_sent(setup, github, tmp_path, code):
    """It would lead to another path of the API."""
    person = setup()
    state = dict(part.split("=") for part in urlsplit(person.confirm()).query.split("&"))["state"]
    answer = person.browser.get(f"{person.own}/created", params={"code": code, "state": state})

    assert answer.status_code == 502
    assert "this is no code" in answer.text


def test_a_server_that_does_not_answer_is_told(setup, github, tmp_path):
    """Its address is in the sentence, and the page still runs."""
    person = setup()
    back = person.confirm()
    github.stop()
    answer = person.browser.get(back)
    still = person.browser.get(person.own)

    assert answer.status_code == 502
    assert "no answer from" in answer.text
    assert still.status_code == 200


def test_a_key_that_could_not_be_stored_is_not_lost(setup, github, tmp_path):
    """The code works only once; loading the page again stores what came back."""
    folder = tmp_path / "settings"
    folder.mkdir()
    person = setup("--file", "settings/slipway.env")
    back = person.confirm()
    folder.rmdir()
    failed = person.browser.get(back)
    folder.mkdir()
    waiting = person.browser.get(back, follow_redirects=True)

    assert failed.status_code == 500
    assert "nothing is lost" in failed.text
    assert "Install" in waiting.text
    assert (folder / "slipway.private-key.pem").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"public_url": "javascript:alert(1)"},
        {"public_url": "https://"},
        {"public_url": "https://[::1"},
        {"public_url": "https://a.example.com/?x=1"},
        {"name": ""},
        {"name": "x" * 35},
        {"organization": "a/../b?c"},
        {"organization": "-a"},
    ],
)
def test_what_cannot_be_is_told_beside_the_form(setup, github, tmp_path, change):
    """What was filled in stays."""
    person = setup("--teams")
    answer = person.review(**change)

    assert answer.status_code == 422
    assert answer.text.count('class="alert"') == 1
    assert (
        fields(answer.text)
        == {"name": "Slipway", "public_url": PUBLIC, "organization": "", "teams": "yes"} | change
    )


def test_all_that_is_wrong_is_told_at_once(setup, github, tmp_path):
    """One look, one correction."""
    answer = setup().review(name="", public_url="slipway", organization="a b")

    assert answer.text.count('class="alert"') == 3


def test_after_the_app_is_registered_no_second_one_is_made(setup, github, tmp_path):
    """Whoever goes back a page comes to the installation: the key of another App would be lost."""
    person = setup()
    person.register()
    for answer in (person.browser.get(person.own), person.browser.post(f"{person.own}/review", data={})):
        assert (answer.status_code, answer.headers["location"]) == (303, "/install")


def test_what_is_still_to_be_done_is_no_problem(setup, github, tmp_path):
    """Nobody listens there yet, and the App is about to be installed: neither is trouble."""
    person = setup()
    waiting = person.register()
    assert github.outbox.settle(20)
    again = person.browser.get(f"{person.own}/install")
    done = person.install(waiting)

    for page in (waiting, again, done):
        assert "problem" not in page.text[page.text.index("</style>") :]


def test_hostile_names_stay_text(setup, github, tmp_path):
    """Neither the form nor GitHub's names become HTML."""
    person = setup()
    answer = person.review(name='"><script>x</script>', organization="'><b>")

    assert "<script>x" not in answer.text
    assert "<b>'" not in answer.text


def test_only_this_machine_is_answered(setup, github, tmp_path):
    """A page elsewhere cannot talk to the set-up through a name that leads here."""
    person = setup()
    answer = person.browser.get(person.own, headers={"Host": "evil.example.com"})

    assert answer.status_code == 400


def test_the_result_is_checked(setup, github, tmp_path):
    """What GitHub's owner took away or redirected is told before anything is run."""
    person = setup()
    waiting = person.register()
    app = person.app()
    app.permissions = {name: level for name, level in app.permissions.items() if name != "checks"}
    app.events = [event for event in app.events if event != "push"]
    app.webhook_url = "https://elsewhere.example.com/webhooks/github"
    done = html.unescape(person.install(waiting).text)

    assert "The App lacks <code>checks: write</code>" in done
    assert "GitHub does not tell of <code>push</code>" in done
    assert "not to http://127.0.0.1:9/webhooks/github" in done


def test_pages_that_are_no_api_are_told_before_an_app_is_made(setup, github):
    """The address of GitHub's pages instead of its API: the key of the new App could never be fetched."""
    refused = CliRunner().invoke(slipway, ["setup", "--public-url", PUBLIC, "--base-url", github.url])

    assert refused.exit_code == 2
    assert "https://HOST/api/v3 would be one" in refused.stderr


def test_an_existing_file_stays(setup, github, tmp_path):
    """Settings that exist are not overwritten without --force, and no App is made."""
    (tmp_path / "slipway.env").write_text("mine")
    refused = CliRunner().invoke(slipway, arguments(github))

    assert (refused.exit_code, (tmp_path / "slipway.env").read_text()) == (2, "mine")
    assert "--force" in refused.stderr

    person = setup("--force")
    person.register()

    assert set(stored(tmp_path)) >= SETTINGS
    assert (tmp_path / "slipway.env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--file", "nowhere/slipway.env"], "no folder that can be written to"),
        (["--base-url", "ftp://x"], "--base-url must be the address"),
        (["--base-url", "http://127.0.0.1:9"], "--base-url: no answer from http://127.0.0.1:9"),
        (["--port", "99999"], "or equal to 65535"),
    ],
)
def test_what_cannot_work_is_told_before_the_page_opens(setup, github, tmp_path, options, sentence):
    """No App is made whose key nobody could keep."""
    refused = CliRunner().invoke(slipway, arguments(github, *options))

    assert refused.exit_code == 2
    assert sentence in refused.stderr
