"""Handing events to webhooks: signed, in the background, ten seconds to answer, never a second try."""

import hashlib
import hmac
import logging
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import httpx

from bot.sandbox.github.records import Delivery

TIMEOUT_SECONDS = 10.0
WORKERS = 4
KEPT_RESPONSE = 2000
logger = logging.getLogger(__name__)


def signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256: hex HMAC-SHA256 of the raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes 25 ms; once is enough."""
    return httpx.create_ssl_context()


class Outbox:
    """Sends deliveries and writes into each record what came back.

    `dropping` True: deliveries are recorded as failed without being sent, as when the network is away.
    """

    def __init__(self) -> None:
        self.dropping = False
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="github-webhook")
        self._client = httpx.Client(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, verify=_tls()
        )
        self._open: set[Future[None]] = set()
        self._lock = threading.Lock()

    def send(self, delivery: Delivery, url: str) -> None:
        """Start one attempt and return at once."""
        if self.dropping:
            delivery.status, delivery.status_code = "failed to connect to host", 0
            return
        with self._lock:
            future = self._pool.submit(self._post, delivery, url)
            self._open.add(future)
        future.add_done_callback(self._forget)

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._open.discard(future)

    def _post(self, delivery: Delivery, url: str) -> None:
        started = time.monotonic()
        try:
            answer = self._client.post(url, content=delivery.body.encode(), headers=delivery.request_headers)
        except httpx.TimeoutException:
            delivery.status, delivery.status_code = "timed out", 0
        except httpx.HTTPError as error:
            delivery.status, delivery.status_code = "failed to connect to host", 0
            logger.info("webhook delivery %s failed: %s", delivery.guid, type(error).__name__)
        else:
            delivery.response_headers = dict(answer.headers)
            delivery.response_body = answer.text[:KEPT_RESPONSE]
            delivery.status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
            delivery.status_code = answer.status_code
        delivery.duration = round(time.monotonic() - started, 3)

    def settle(self, seconds: float, until: Callable[[], bool] = lambda: True) -> bool:
        """Wait until nothing is on its way (and `until` holds); False when the time is over first."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._lock:
                busy = bool(self._open)
            if not busy and until():
                return True
            time.sleep(0.01)
        return False

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()
