"""PyGithub and urllib3 over a real socket: nobody sleeps, nobody repeats a write, threads do not mix."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.adapters.github import GitHubApp
from bot.ports import Unavailable
from tests.fakes.forge import EPOCH


class Server(ThreadingHTTPServer):
    """Gives tokens, and the answer that a test chose to anything else."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path))
        if self.path.endswith("/access_tokens"):
            self.answer(201, {"token": "ghs_x", "expires_at": EPOCH.replace(year=2100).isoformat()})
        elif self.path == "/app":
            self.answer(200, {"slug": "slipway"})
        elif self.server.status == 0:
            self.close_connection = True
        else:
            time.sleep(0.002)  # long enough for the answers of two threads to meet
            name = self.path.rpartition("/")[2]
            sha = name.encode().hex()
            body = {"ref": f"refs/heads/{name}", "object": {"sha": sha}, "message": "later"}
            self.answer(self.server.status, body, self.server.headers)

    def answer(self, status, body, headers=None):
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):  # noqa: A002 - the name is the base class's
        pass


for verb in ("POST", "PATCH", "PUT", "DELETE"):
    setattr(Handler, f"do_{verb}", Handler.do_GET)


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def app(server, app_keys):
    return GitHubApp(app_keys.id, app_keys.private_key_pem, server.url)


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_wait_is_told_and_never_slept(app, server, status):
    """`retry-after` of half a minute comes back at once as a number."""
    forge = app.forge(1, "octo/gitops")
    server.status, server.headers = status, {"Retry-After": "30"}
    started = time.monotonic()

    with pytest.raises(Unavailable) as limited:
        forge.head("main")

    assert limited.value.retry_after == 30
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("status", [0, 500, 502])
def test_a_write_is_sent_once(app, server, status):
    """Whatever became of it: we look before we write again."""
    forge = app.forge(1, "octo/gitops")
    server.status = status

    with pytest.raises(Unavailable):
        forge.dispatch_event("retrain", {})

    assert [each for each in server.requests if "/app" not in each[1]] == [
        ("POST", "/repos/octo/gitops/dispatches")
    ]


def test_requests_are_not_held_back(app, server, monkeypatch):
    """PyGithub's pause between requests, a quarter of a second, is off."""
    forge = app.forge(1, "octo/gitops")
    forge.head("main")
    slept, sleep = [], time.sleep

    def counted(seconds):
        slept.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", counted)
    for _ in range(20):
        forge.head("main")

    assert max(slept) < 0.01  # what the server takes


def test_threads_never_get_each_others_answers(app):
    """Forty threads on one App: each answer is to its own question."""

    def ask(number: int) -> bool:
        forge = app.forge(number % 3, f"octo/repo{number % 5}")
        return all(forge.head(f"b{number}x{turn}") == f"b{number}x{turn}".encode().hex() for turn in range(5))

    with ThreadPoolExecutor(max_workers=16) as pool:
        assert all(pool.map(ask, range(40)))


def test_nobody_there_is_unavailable(app_keys, server):
    """A connection refused is temporary, and told within seconds."""
    app = GitHubApp(app_keys.id, app_keys.private_key_pem, "http://127.0.0.1:9")

    with pytest.raises(Unavailable, match="ConnectionError"):
        app.forge(1, "octo/gitops")
