"""The stable address in front of pods."""

import socket
import threading

import pytest

from bot.sandbox.service import Service


@pytest.fixture
def service():
    started = Service()
    yield started
    started.close()


class Pod:
    """Says its name to whoever connects, after having been told something."""

    def __init__(self, name: str) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._name = name.encode()
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(100):
                connection.sendall(self._name)


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=5)


def ask(connection: socket.socket) -> str:
    connection.sendall(b"who?")
    return connection.recv(100).decode()


def test_connections_are_shared_out(service):
    """Connections go to the endpoints in turn."""
    service.route_to([Pod("a").port, Pod("b").port])

    heard = []
    for _ in range(4):
        with connect(service) as connection:
            heard.append(ask(connection))

    assert sorted(heard) == ["a", "a", "b", "b"]


def test_open_connections_stay(service):
    """A connection that exists stays with its pod when the endpoints change; new ones follow the change."""
    service.route_to([Pod("old").port])
    with connect(service) as before:
        assert ask(before) == "old"
        service.route_to([Pod("new").port])

        with connect(service) as after:
            assert (ask(before), ask(after)) == ("old", "new")


def test_without_endpoints_nobody_answers(service):
    """A Service without endpoints ends the connection."""
    with connect(service) as connection:
        connection.settimeout(5)

        assert connection.recv(10) == b""
