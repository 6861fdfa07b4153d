"""What GitHub answered last, and what was written last: small memories that all threads share."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")

MOST = 256


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was when its ETag was given; `link` is the header that leads to the next page.

    A question that carries the ETag is answered 304 where nothing changed, which costs nothing.
    """

    etag: str
    data: Any
    link: str


class Recent(Generic[_Key, _Value]):
    """The last values that were kept, by their keys."""

    def __init__(self, most: int = MOST) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._kept: OrderedDict[_Key, _Value] = OrderedDict()

    def get(self, key: _Key) -> _Value | None:
        with self._lock:
            return self._kept.get(key)

    def keep(self, key: _Key, value: _Value) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def forget(self, key: _Key) -> None:
        with self._lock:
            self._kept.pop(key, None)
