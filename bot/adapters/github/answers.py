"""What GitHub answered last: a question that carries an answer's ETag is free where nothing changed."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from bot.adapters.github.tokens import Key

CACHED_ANSWERS = 256


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was when its ETag was given; `link` is the header that leads to the next page."""

    etag: str
    data: Any
    link: str


class Answers:
    """The last answers with their ETags, shared by all threads. A 304 costs nothing of the rate limit."""

    def __init__(self, most: int = CACHED_ANSWERS) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._kept: OrderedDict[tuple[Key, str], Kept] = OrderedDict()

    def get(self, key: tuple[Key, str]) -> Kept | None:
        with self._lock:
            return self._kept.get(key)

    def keep(self, key: tuple[Key, str], kept: Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
