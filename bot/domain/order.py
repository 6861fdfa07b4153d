"""The order of a model's environments, which `after` gives: a version goes from one to the next.

An environment without `after` is a first one: a version is proposed there as soon as the model's `when`
happens. Several may come after the same one (regions). Every `after` names an environment of the same
model, and nothing comes after itself, however long the way.
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping


def promotion_order(after: Mapping[str, str | None]) -> tuple[str, ...]:
    """The environments, each behind the one it comes after, else in the order of the file.

    What `strays` or `circle` would name, and what comes after that, is left out.
    """
    names = list(after)
    following: dict[str | None, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        following[after[name]].append(number)
    ready = following[None].copy()
    ordered: list[str] = []
    while ready:
        ordered.append(names[heapq.heappop(ready)])
        for number in following[ordered[-1]]:
            heapq.heappush(ready, number)
    return tuple(ordered)


def strays(after: Mapping[str, str | None]) -> tuple[str, ...]:
    """The environments whose `after` names none of the others."""
    return tuple(name for name, earlier in after.items() if earlier is not None and earlier not in after)


def circle(after: Mapping[str, str | None]) -> tuple[str, ...]:
    """One circle of environments that come after each other, ending where it began; empty where there
    is none: `("a", "b", "a")` when a comes after b and b after a.
    """
    walked: set[str] = set()
    for start in after:
        way: dict[str, None] = {}
        name: str | None = start
        while name is not None and name in after and name not in walked:
            if name in way:
                names = list(way)
                return (*names[names.index(name) :], name)
            way[name] = None
            name = after[name]
        walked.update(way)
    return ()
