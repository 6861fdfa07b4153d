"""Notices over real HTTP: what a chat and a signed webhook receive, and what their answers mean."""

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.adapters.notifications import HttpNotifier, Target
from bot.domain.notification import Happening, Notice
from bot.ports import NotFound, Refused, Unavailable

NOTICE = Notice(
    "p1-7",
    (Happening.HELD,),
    datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    "acme/gitops",
    "fraud",
    "3",
    "2",
    "production",
    "slipway",
    "no data, for 15 minutes — ask",
    7,
    "https://github.test/acme/gitops/pull/7",
)


@dataclass
class Receiver:
    """Somebody else's server: remembers what it got, answers as told."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/hooks/T1/hidden"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def notifier(receiver) -> Iterator[HttpNotifier]:
    targets = {
        "chat": Target("slack", receiver.url),
        "audit": Target("webhook", receiver.url, "shared secret"),
        "gone": Target("slack", "http://127.0.0.1:1/hidden"),
    }
    made = HttpNotifier(targets)
    yield made
    made.close()


def test_a_chat_receives_one_text(receiver, notifier):
    """The body of Slack's incoming webhooks, which Mattermost takes too."""
    notifier.send("chat", NOTICE)
    ((path, headers, body),) = receiver.got

    assert (path, headers["content-type"]) == ("/hooks/T1/hidden", "application/json")
    assert list(json.loads(body)) == ["text"]
    assert json.loads(body)["text"].startswith("✋ *fraud* version 3 for production is held")


def test_a_program_receives_json_that_it_can_verify(receiver, notifier):
    """As it would verify Slipway: id, time and the raw bytes, with the shared secret."""
    notifier.send("audit", NOTICE)
    ((_, headers, body),) = receiver.got
    signed = f"{headers['x-slipway-delivery']}.{headers['x-slipway-timestamp']}.".encode() + body
    expected = hmac.new(b"shared secret", signed, hashlib.sha256).hexdigest()

    assert headers["x-slipway-signature"] == f"v1={expected}"
    assert headers["x-slipway-delivery"] == json.loads(body)["id"] == "p1-7"
    assert json.loads(body)["reason"] == "no data, for 15 minutes — ask"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_succeed_later_is_unavailable(receiver, notifier, status):
    """With the wait that the receiver asks for."""
    receiver.status, receiver.headers = status, {"Retry-After": "30"}
    with pytest.raises(Unavailable, match=f"it answered {status}") as told:
        notifier.send("chat", NOTICE)

    assert told.value.retry_after == 30


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_what_never_will_is_refused(receiver, notifier, status):
    """A redirect too: a signed body goes nowhere but where it was meant to."""
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    with pytest.raises(Refused, match=f"it answered {status}"):
        notifier.send("audit", NOTICE)

    assert len(receiver.got) == 1


def test_a_receiver_that_is_away_is_unavailable_and_its_address_stays_secret(notifier, caplog):
    """Neither the error nor the log repeats it."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Unavailable) as told:
        notifier.send("gone", NOTICE)

    assert "hidden" not in str(told.value)
    assert "hidden" not in caplog.text


def test_a_target_without_an_address_is_told_as_such(notifier):
    """A name that the settings do not know."""
    assert notifier.targets == {"chat", "audit", "gone"}
    with pytest.raises(NotFound, match="no address in the settings"):
        notifier.send("nobody", NOTICE)
