"""Steady requests to a model's Service, as callers send them: at their own pace, some of them unusual."""

import threading
import time
from collections import deque
from dataclasses import dataclass

import httpx

from bot.sandbox import transactions

RATE = 24.0
"""Requests a second."""
CALLERS = 8
TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request, as the caller saw it; `version` is what the model server said it runs."""

    at: float
    status: int
    seconds: float
    version: str


class Traffic:
    """Callers in threads; each opens a new connection for each request, as clients behind a balancer do."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/predict"
        self._closed = threading.Event()
        self._answers: deque[Answer] = deque(maxlen=20_000)
        self._threads = [
            threading.Thread(target=self._call, args=(number,), name=f"caller-{number}", daemon=True)
            for number in range(CALLERS)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS + 1)

    def since(self, moment: float) -> list[Answer]:
        """What callers were answered after a moment (unix seconds)."""
        return [answer for answer in tuple(self._answers) if answer.at > moment]

    def _call(self, number: int) -> None:
        requests = transactions.live(seed=number)
        pause = CALLERS / RATE
        turn = time.monotonic() + pause * number / CALLERS
        headers = {"Connection": "close"}
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, headers=headers) as client:
            while not self._closed.wait(max(0.0, turn - time.monotonic())):
                self._ask(client, next(requests))
                turn = max(turn + pause, time.monotonic())

    def _ask(self, client: httpx.Client, records: list[dict[str, object]]) -> None:
        started = time.monotonic()
        version = ""
        try:
            response = client.post(self._url, json={"dataframe_records": records})
            status = response.status_code
            if response.is_success:
                version = response.json()["version"]
        except httpx.HTTPError:
            status = 0
        self._answers.append(Answer(time.time(), status, time.monotonic() - started, version))
