"""The order of a model's environments, which `after` gives: a version goes from one to the next.

An environment without `after` is a first one: a version is proposed there as soon as the model's `when`
happens. Several may come after the same one (regions). Every `after` names an environment of the same
model, and nothing comes after itself, however long the way.
"""

from collections.abc import Mapping


def promotion_order(after: Mapping[str, str | None]) -> tuple[str, ...]:
    """The environments, each behind the one it comes after, else in the order of the file.

    What `strays` or `circle` would name is left out.
    """
    ordered: list[str] = []
    waiting = list(after)
    while ready := [name for name in waiting if after[name] is None or after[name] in ordered]:
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return tuple(ordered)


def strays(after: Mapping[str, str | None]) -> tuple[str, ...]:
    """The environments whose `after` names none of the others."""
    return tuple(name for name, earlier in after.items() if earlier is not None and earlier not in after)


def circle(after: Mapping[str, str | None]) -> tuple[str, ...]:
    """One circle of environments that come after each other, ending where it began; empty where there
    is none: `("a", "b", "a")` when a comes after b and b after a.
    """
    for start in after:
        way = [start]
        while (earlier := after.get(way[-1])) is not None and earlier not in way:
            way.append(earlier)
        if earlier == start:
            return (*way, start)
    return ()
