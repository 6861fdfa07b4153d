"""A stable address in front of pods that come and go, as a Kubernetes Service is: it routes connections."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Sequence

CHUNK = 65536


class Service:
    """Listens on a free port of the loopback interface and hands each connection to the next endpoint."""

    def __init__(self) -> None:
        self._endpoints: tuple[int, ...] = ()
        self._turn = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="service", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def route_to(self, ports: Sequence[int]) -> None:
        """New connections go to these ports from now on; connections that exist are left alone."""
        self._endpoints = tuple(ports)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._connect(reader, writer)
        self._connections.discard(task)
        writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        endpoints = self._endpoints
        if not endpoints:
            return  # as a Service without endpoints: the connection is refused
        port = endpoints[next(self._turn) % len(endpoints)]
        pod_reader, pod_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_pump(reader, pod_writer), _pump(pod_reader, writer))
        finally:
            pod_writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.write_eof()
