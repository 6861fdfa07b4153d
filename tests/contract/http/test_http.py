"""What checks promise of their questions, against a real server on loopback that behaves badly on purpose."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.adapters.http import HttpProber
from bot.ports import HttpAsk, Unavailable


class Badly(BaseHTTPRequestHandler):
    """A path for each bad habit."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str, bytes]] = []  # noqa: RUF012 - the server makes a handler for each request

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.asked.append((self.command, self.path, self.rfile.read(length)))
        habit = getattr(self, self.path.partition("?")[0].strip("/"), self.plain)
        try:
            habit()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_HEAD = answer  # noqa: N815 - the base class's names

    def log_message(self, *_) -> None:
        pass

    def plain(self, status: int = 200, body: bytes = b'{"ok": true}', **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def elsewhere(self) -> None:
        self.plain(302, b"", Location="/plain")

    def trouble(self) -> None:
        self.plain(503, b"busy")

    def silent(self) -> None:
        time.sleep(60)

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10000")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(10**9))
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"x" * 100_000)

    def rude(self) -> None:
        self.wfile.write(b"no HTTP at all\r\n\r\n")
        self.close_connection = True


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Badly)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


def ask(url: str, method: str = "GET", within: float = 5.0, body: bytes | None = None):
    return HttpProber(largest=50_000).ask(HttpAsk(method, url, within, body))


def test_an_answer_is_told_with_its_status_and_body(server):
    """Whatever the status: that it is wrong is for the check to say."""
    assert ask(f"{server}/plain").body == b'{"ok": true}'
    assert (ask(f"{server}/trouble").status, ask(f"{server}/trouble").body) == (503, b"busy")
    assert ask(f"{server}/plain", "HEAD").body == b""


def test_what_is_sent_arrives(server):
    """Method, query and body."""
    ask(f"{server}/plain?a=1", "POST", body=b'{"x": 1}')

    assert Badly.asked[-1] == ("POST", "/plain?a=1", b'{"x": 1}')


def test_redirects_are_not_followed(server):
    """An answer is of the address in the configuration, or it is none."""
    answer = ask(f"{server}/elsewhere")

    assert answer.status == 302
    assert Badly.asked[-1][1] == "/elsewhere"


@pytest.mark.parametrize("habit", ["silent", "drip"])
def test_the_limit_is_for_the_whole_answer(server, habit):
    """A server that drips byte by byte holds nobody up."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"no whole answer within 0\.4 s|no answer"):
        ask(f"{server}/{habit}", within=0.4)

    assert time.monotonic() - began < 20


def test_a_huge_answer_is_cut(server):
    """Its beginning is kept, and that there was more."""
    answer = ask(f"{server}/huge")

    assert (answer.cut, len(answer.body)) == (True, 50_000)


def test_nobody_and_nonsense_are_no_answer(server):
    """A refused connection, a name that is none, something that is no HTTP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", f"{server}/rude", "http://127.0.0.1:99999/"):
        with pytest.raises(Unavailable, match="no answer"):
            ask(url)


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    """Nor are credentials of a netrc file: the service is asked itself."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")

    assert ask(f"{server}/plain").status == 200
