"""Comments as people write them, and what they ask for."""

from datetime import timedelta

import pytest

from bot.domain.commands import (
    USAGES,
    Explain,
    ExtendCanary,
    FailCanary,
    ParsedComment,
    PassCanary,
    Promote,
    PutOnHold,
    Release,
    Retry,
    Rollback,
    ShowHelp,
    ShowStatus,
    parse,
)


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/promote", Promote()),
        ("/Promote  ", Promote()),
        ('/promote --override "the data set is fixed"', Promote(override="the data set is fixed")),
        ("/promote —override “typed on a phone”", Promote(override="typed on a phone")),
        ("/rollback", Rollback()),
        ("/rollback it answers `NaN` to *everybody*", Rollback("it answers `NaN` to *everybody*")),
        ("/rollback see [the graph](https://x.test) <b>now</b>", Rollback("see the graph now")),
        ("/rollback 1 \\< 2 &amp; 3", Rollback("1 < 2 & 3")),
        ("/hold", PutOnHold()),
        ("/hold until Monday", PutOnHold(reason="until Monday")),
        ("/hold all", PutOnHold(everything=True)),
        ("/hold ALL until Monday", PutOnHold(everything=True, reason="until Monday")),
        ("/hold allowed by nobody", PutOnHold(reason="allowed by nobody")),
        ("/release", Release()),
        ("/release fixed", Release(reason="fixed")),
        ("/release --quarantine", Release(quarantine=True)),
        ("/release —quarantine it was the network", Release(quarantine=True, reason="it was the network")),
        ("/retry", Retry()),
        ("/status", ShowStatus()),
        ("/explain", Explain()),
        ("/help", ShowHelp()),
        ("/canary extend 1h30m", ExtendCanary(timedelta(minutes=90))),
        ("/canary pass", PassCanary()),
        ("/canary FAIL wrong answers", FailCanary("wrong answers")),
    ],
)
def test_a_command_is_read_with_its_arguments(body, command):
    """Every command of the grammar, as people write it."""
    assert ParsedComment((command,)) == parse(body)


@pytest.mark.parametrize(
    "body",
    [
        "Looks good.\n\n/promote",
        "Looks good,\n/promote\nthanks",
        "/promote\n--\nsent from a phone",
        "/promote\n==\n",
        "Yes.\r\n/promote\r\nThanks",
        "> shall we?\n\n/promote",
        "```\ncode\n```\n/promote",
        "<!-- note -->\n\n/promote",
        "<details>\n\n/promote\n\n</details>",
        "<pre>x</pre>\n\n/promote",
        "</blockquote>\n\n/promote",
        "**bold**\n/promote",
        "- a list\n\n/promote",
    ],
)
def test_a_command_may_stand_among_other_text(body):
    """A line of its own is enough."""
    assert ParsedComment((Promote(),)) == parse(body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "please /promote",
        "> /promote",
        "> shall we?\n/promote",
        ">> > /promote",
        "    /promote",
        "   /promote",
        "and\n   /promote",
        "\t/promote",
        "```\n/promote\n```",
        "~~~\n/promote",
        "`/promote`",
        "`code that\n/promote\ngoes on`",
        "- /promote",
        "1. /promote",
        "- a list\n/promote",
        "# /promote",
        "| /promote |\n|---|\n",
        "/promote | b\n---|---\n",
        "<!-- /promote -->",
        "<!--\n\n/promote\n\n-->",
        "a <!--\n/promote\n--> b",
        "<pre>\n\n/promote\n\n</pre>",
        "<blockquote>\n\n/promote\n\n</blockquote>",
        "a <code>\n/promote\n</code>",
        "<s>\n\n/promote\n\n</s>",
        "**/promote**",
        "*bold\n/promote\nbold*",
        "~~no\n/promote\nno~~",
        "[a link\n/promote\n](https://x.test)",
        "[a]:\n/promote",
        "\\/promote",
        "&#47;promote",
        "//promote",
        "/ promote",
        "/promote/me",
        "/usr/bin/promote",
        "/promote.yaml is the file",
        "/lgtm",
        "/assign @alice",
        "/promote\n" * 7282 + "x",
    ],
)
def test_text_that_only_mentions_a_command_asks_for_nothing(body):
    """Quotes, code, lists, links, HTML, escapes, other bots' commands and more than GitHub keeps."""
    assert ParsedComment() == parse(body)


def test_one_comment_may_hold_several_commands():
    """They come in the order in which they were written."""
    body = "/release\nand then\n/promote\n\n/status"

    assert ParsedComment((Release(), Promote(), ShowStatus())) == parse(body)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/promot", "did you mean `/promote`?"),
        ("/rolback it is bad", "did you mean `/rollback`?"),
        ("/promote!", "did you mean `/promote`?"),
        ("/promote, please", "did you mean `/promote`?"),
        ("/promote please", "nothing was done"),
        ("/promote is not what I want", "nothing was done"),
        ("/promote --override", "reason in quotes"),
        ('/promote --override ""', "reason in quotes"),
        ("/promote --override because", "nothing was done"),
        ('/promote --override "a" b', "nothing was done"),
        ("/status now", "takes nothing after it"),
        ("/help me", "takes nothing after it"),
        ("/retry it", "takes nothing after it"),
        ("/explain gates", "takes nothing after it"),
        ("/release --quarantin", "nothing was done"),
        ("/canary", "`extend`, `pass` or `fail`"),
        ("/canary stop", "`extend`, `pass` or `fail`"),
        ("/canary extend", "a duration like"),
        ("/canary extend soon", "a duration like"),
        ("/canary extend 0s", "at most 7 days"),
        ("/canary extend 8d", "at most 7 days"),
        ("/rollback " + "x" * 501, "at most 500 characters"),
        ('/promote --override "' + "x" * 501 + '"', "at most 500 characters"),
    ],
)
def test_a_mistake_is_answered_and_nothing_is_done(line, message):
    """A typo is told what was meant; words too many never turn into the command without them."""
    parsed = parse(line)

    assert parsed.commands == ()
    assert [message in mistake.message for mistake in parsed.mistakes] == [True]
    assert parsed.mistakes[0].suggestion in USAGES.values()


def test_a_flood_of_commands_is_cut():
    """The eleventh command and everything after it are not read, and the answer says so."""
    parsed = parse("/status\n" * 8 + "/stats\n" * 8)

    assert len(parsed.commands) == 8
    assert len(parsed.mistakes) == 3
    assert "the rest is not read" in parsed.mistakes[-1].message
