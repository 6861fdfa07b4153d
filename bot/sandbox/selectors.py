"""Plain PromQL selectors: `name{label="value", other=~"pattern"}[30s]`, and nothing else of the language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_NAME = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*")
_MATCHER = re.compile(
    r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)\s*""",
)
_RANGE = re.compile(r"\s*\[\s*((?:\d+(?:ms|[smhdwy]))+)\s*\]\s*")
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_ESCAPE = re.compile(r"""\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)""")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class SelectorError(ValueError):
    """Not a plain selector; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Matcher:
    label: str
    operator: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """An absent label is the empty text, patterns are anchored, as in Prometheus."""
        found = labels.get(self.label, "")
        equal = (
            re.fullmatch(self.value, found, re.DOTALL) is not None
            if self.operator.endswith("~")
            else found == self.value
        )
        return equal is not self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Selector:
    """`range_seconds` is None for an instant selector."""

    matchers: tuple[Matcher, ...]
    range_seconds: float | None

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(matcher.matches(labels) for matcher in self.matchers)


def parse(text: str) -> Selector:
    """Read one selector. Raises SelectorError."""
    start = _NAME.match(text)
    assert start is not None  # every part of it is optional
    matchers = [Matcher("__name__", "=", start[1])] if start[1] else []
    position = start.end()
    if text[position : position + 1] == "{":
        position, found = _braces(text, position + 1)
        matchers += found
    seconds = None
    if window := _RANGE.match(text, position):
        seconds, position = duration(window[1]), window.end()
    if text[position:].strip():
        raise SelectorError(f"only plain selectors are understood here, not {text[position:].strip()[:40]!r}")
    if all(matcher.matches({}) for matcher in matchers):
        raise SelectorError("a selector must contain at least one non-empty matcher")
    return Selector(tuple(matchers), seconds)


def _braces(text: str, position: int) -> tuple[int, list[Matcher]]:
    matchers = []
    while match := _MATCHER.match(text, position):
        name, operator, quoted = match.groups()
        matcher = Matcher(name, operator, _unquoted(quoted))
        if operator.endswith("~"):
            try:
                re.compile(matcher.value)
            except re.error as error:
                raise SelectorError(f"{matcher.value!r} is no pattern: {error}") from None
        matchers.append(matcher)
        position = match.end()
        if text[position : position + 1] != ",":
            break
        position += 1
    rest = text[position:].lstrip()
    if not rest.startswith("}"):
        raise SelectorError(f"a label matcher or a closing brace is missing at {rest[:40]!r}")
    return len(text) - len(rest) + 1, matchers


def _unquoted(quoted: str) -> str:
    if quoted[0] == "`":
        return quoted[1:-1]

    def character(escape: re.Match[str]) -> str:
        code = escape[1]
        if code[0] in "xuU" and len(code) > 1:
            return chr(int(code[1:], 16))
        if len(code) > 1:
            return chr(int(code, 8))
        if code in _ESCAPED:
            return _ESCAPED[code]
        if code in "\\'\"":
            return code
        raise SelectorError(f"unknown escape \\{code}")

    return _ESCAPE.sub(character, quoted[1:-1])


def duration(text: str) -> float:
    """Seconds of a duration as Prometheus writes them: `30s`, `1h30m`."""
    return sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
