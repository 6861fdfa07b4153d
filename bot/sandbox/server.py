"""Runs an ASGI application in a thread of this process."""

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from bot.sandbox.processes import wait_until


class Server:
    """Listens on a free port of the loopback interface."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=name, daemon=True
        )
        self._thread.start()
        wait_until(lambda: self._server.started, 15, f"the start of {name}", pause=0.01)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
