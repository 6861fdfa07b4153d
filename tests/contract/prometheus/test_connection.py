"""How a metrics server is reached: authentication, timeouts, and answers that are none."""

import base64
import contextlib
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot import bootstrap, settings
from bot.adapters.prometheus import Connection, Prometheus
from bot.ports import Forbidden, NotFound, Refused, Unavailable

EMPTY = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()


class Recorder(ThreadingHTTPServer):
    """Answers every request the same way and keeps what was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.headers_out, self.delay = 200, EMPTY, {}, threading.Event()
        self.delay.set()
        self.seen: list[dict[str, str]] = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server
        server.seen.append(dict(self.headers))
        server.delay.wait(5)
        self.send_response(server.status)
        for name, value in server.headers_out.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(server.body)))
        # Whoever waited no longer has hung up.
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(server.body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    recorder = Recorder()
    thread = threading.Thread(target=recorder.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield recorder
    recorder.delay.set()
    recorder.shutdown()
    recorder.server_close()
    thread.join()


def ask(connection):
    return Prometheus(connection).instant("up", 1000.0)


def test_bearer_token(server):
    """A bearer token goes along with every query."""
    ask(Connection(server.url, bearer="t0k3n"))

    assert server.seen[0]["Authorization"] == "Bearer t0k3n"


def test_basic_authentication(server):
    """User and password go along as basic authentication."""
    ask(Connection(server.url, basic=("user", "pass")))

    assert server.seen[0]["Authorization"] == f"Basic {base64.b64encode(b'user:pass').decode()}"


def test_tenant_header(server):
    """A header of one's own names the tenant."""
    ask(Connection(server.url, headers={"X-Scope-OrgID": "team-a"}))

    assert server.seen[0]["X-Scope-OrgID"] == "team-a"


def test_secrets_are_not_printed(server):
    """The connection's repr, which may reach a log, holds no secret."""
    connection = Connection(server.url, bearer="t0k3n", basic=("user", "pass"), headers={"X-Key": "k3y"})

    assert not any(secret in repr(connection) for secret in ("t0k3n", "pass", "k3y"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, Forbidden),
        (403, Forbidden),
        (404, NotFound),
        (422, Refused),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_status_has_its_meaning(server, status, error):
    """A refusal is told from a server in trouble."""
    server.status, server.body = status, b'{"status": "error", "error": "the reason"}'
    with pytest.raises(error, match="the reason"):
        ask(Connection(server.url))


def test_retry_after_is_kept(server):
    """When the server says when to come back, that is known."""
    server.status, server.headers_out = 429, {"Retry-After": "17"}
    with pytest.raises(Unavailable) as caught:
        ask(Connection(server.url))

    assert caught.value.retry_after == 17.0


@pytest.mark.parametrize(
    "body", [b"<html>please log in</html>", b"{}", b"[]", b'{"data": null}', b'{"data": {"result": {}}}', b""]
)
def test_an_answer_that_is_none_is_unavailable(server, body):
    """A login page with status 200 is not data."""
    server.body = body
    with pytest.raises(Unavailable):
        ask(Connection(server.url))


def test_a_slow_server_is_unavailable_in_time(server):
    """Nobody waits longer than the connection says, and nothing is sent twice."""
    server.delay.clear()
    with pytest.raises(Unavailable, match="in time"):
        ask(Connection(server.url, read_timeout=0.2))

    assert len(server.seen) == 1


@pytest.mark.real("openssl")
def test_client_certificate(server, authority):
    """A server that asks for a certificate gets it; without one there is no connection."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority / "ca.pem")
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url, ca = server.url.replace("http:", "https:"), str(authority / "ca.pem")
    certificate = (str(authority / "client.pem"), str(authority / "client.key"))

    assert ask(Connection(url, ca=ca, certificate=certificate)) == []
    with pytest.raises(Unavailable):
        ask(Connection(url, ca=ca))
    with pytest.raises(Unavailable, match="certificate"):
        ask(Connection(url, certificate=certificate))


def test_named_sources_of_the_settings_become_connections(monkeypatch):
    """Everything that a connection can be told is told in the settings, and no secret is printed."""
    sources = {
        "mimir": {"url": "https://mimir", "headers": {"X-Scope-OrgID": "team-a"}, "timeout": 3},
        "managed": {
            "url": "https://managed",
            "token": "t0k3n",
            "certificate": "c.pem",
            "key": "k.pem",
            "ca": "a.pem",
        },
        "plain": {"url": "http://plain", "username": "user", "password": "pass"},
    }
    required = {
        "GITHUB_APP_ID": "1",
        "GITHUB_PRIVATE_KEY": "key",
        "GITHUB_WEBHOOK_SECRET": "hook",
        "MLFLOW_TRACKING_URI": "http://mlflow",
        "MLFLOW_WEBHOOK_SECRET": "hook",
        "PROMETHEUS_URL": "http://default",
        "PROMETHEUS_TENANT": "team-b",
        "PROMETHEUS_SOURCES": json.dumps(sources),
    }
    for name, value in required.items():
        monkeypatch.setenv(f"SLIPWAY_{name}", value)
    loaded = settings.load()
    built = {name: source.connection() for name, source in loaded.prometheus_sources.items()}

    assert built == {
        "mimir": Connection("https://mimir", headers={"X-Scope-OrgID": "team-a"}, read_timeout=3),
        "managed": Connection(
            "https://managed", bearer="t0k3n", certificate=("c.pem", "k.pem"), ca="a.pem", read_timeout=10
        ),
        "plain": Connection("http://plain", basic=("user", "pass"), read_timeout=10),
    }
    assert sorted(bootstrap.metrics_of(loaded)) == ["default", "managed", "mimir", "plain"]
    assert "t0k3n" not in repr(loaded)
