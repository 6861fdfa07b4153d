"""What the embedded metrics store understands of PromQL."""

import pytest

from bot.sandbox.selectors import Matcher, Selector, SelectorError, duration, parse


@pytest.mark.parametrize(
    ("text", "matchers", "seconds"),
    [
        ("up", [("__name__", "=", "up")], None),
        (" up [5m] ", [("__name__", "=", "up")], 300),
        ('a:b{x="1"}[30s]', [("__name__", "=", "a:b"), ("x", "=", "1")], 30),
        (
            "up{x=~'a|b', y!=\"\",}",
            [("__name__", "=", "up"), ("x", "=~", "a|b"), ("y", "!=", "")],
            None,
        ),
        ('{__name__="up"}', [("__name__", "=", "up")], None),
        (r'up{x="a\"b\\\n"}', [("__name__", "=", "up"), ("x", "=", 'a"b\\\n')], None),
        ("up{x=`a\\b`}", [("__name__", "=", "up"), ("x", "=", "a\\b")], None),
        (r'up{x="\u00e4\x41\101"}', [("__name__", "=", "up"), ("x", "=", "äAA")], None),
        ('up{x="}"}[1h30m]', [("__name__", "=", "up"), ("x", "=", "}")], 5400),
        ("up{}", [("__name__", "=", "up")], None),
    ],
)
def test_plain_selectors_are_read(text, matchers, seconds):
    """Names, the four operators, three kinds of quotes, escapes and windows are read as Prometheus reads them."""
    assert parse(text) == Selector(tuple(Matcher(*matcher) for matcher in matchers), seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{x=""}',
        '{x=~".*"}',
        "rate(up[5m])",
        "up + up",
        "up offset 5m",
        "up[5m:1m]",
        "up[5]",
        'up{x="1"',
        "up{x=1}",
        'up{"x"="1"}',
        'up{x=~"("}',
        r'up{x="\q"}',
        'up{x="1" y="2"}',
        "sum(up)",
        "1",
        "up @ 5",
    ],
)
def test_everything_else_is_refused(text):
    """What is more than a plain selector is refused, never answered in part."""
    with pytest.raises(SelectorError):
        parse(text)


@pytest.mark.parametrize(
    ("matcher", "labels", "matches"),
    [
        (Matcher("x", "=", "a"), {"x": "a"}, True),
        (Matcher("x", "=", ""), {}, True),
        (Matcher("x", "!=", "a"), {}, True),
        (Matcher("x", "=~", "5.."), {"x": "503"}, True),
        (Matcher("x", "=~", "5"), {"x": "503"}, False),
        (Matcher("x", "=~", "a|b"), {"x": "b"}, True),
        (Matcher("x", "!~", "a.*"), {"x": "ab"}, False),
        (Matcher("x", "=~", ".*"), {}, True),
    ],
)
def test_matchers(matcher, labels, matches):
    """Patterns are anchored at both ends, and an absent label is the empty text."""
    assert matcher.matches(labels) is matches


def test_durations():
    """Durations add up their parts."""
    assert duration("1d2h3m4s5ms") == 86400 + 7200 + 180 + 4 + 0.005
