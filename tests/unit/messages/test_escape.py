"""Hostile text in messages: a table of what people have tried elsewhere."""

import pytest
from markdown_it import MarkdownIt

from bot.messages import escape

INERT = {"paragraph", "inline", "text", "code_inline", "text_special"}


def rendered(markdown):
    """The kinds of nodes that Markdown makes of a text, and what a person then reads."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    kinds, shown = set(), ""
    for token in parser.parse(markdown):
        kinds.add(token.type.removesuffix("_open").removesuffix("_close"))
        for child in token.children or ():
            kinds.add(child.type.removesuffix("_open").removesuffix("_close"))
            shown += child.content
    return kinds, shown.replace("\u200b", "")


HOSTILE = {
    "mention": "thanks @octocat and @org/team",
    "issue": "fixes #1, closes GH-12, see owner/repo#3",
    "link": "[click](https://evil.example)",
    "image": "![x](https://evil.example/pixel.png)",
    "reference": "[x][y]\n\n[y]: https://evil.example",
    "autolink": "<https://evil.example>",
    "bare address": "see https://evil.example/a?b=c and www.evil.example or mail a@evil.example",
    "html": "<script>alert(1)</script><img src=x onerror=y>",
    "comment": "<!-- slipway:status -->",
    "details": "</details><h1>Approved</h1>",
    "entity": "&lt;b&gt; &#64;octocat",
    "table": "a | b\n--- | ---\nc | d",
    "heading": "# Merged by admin",
    "setext": "Approved\n====",
    "quote": "> said the admin",
    "list": "- item",
    "numbered": "1. item",
    "rule": "---",
    "emphasis": "**all** _gates_ ~~hold~~ *now*",
    "code": "`rm -rf` and ``` fence",
    "lone backtick": "a ` b",
    "backslash": "ends with \\",
    "backslash before code": "\\`x`",
    "emoji": ":white_check_mark: approved",
    "math": "$\\unicode{x1F600}$ and $$x$$",
    "control": "a\x00b\x1b[31mc\x7f",
    "path": "../../etc/passwd",
    "not a name": "a/b:c",
    "template": "{candidate} {0} ${{ secrets.TOKEN }}",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(value):
    """A text makes only text, and what a person reads is what was written."""
    kinds, shown = rendered(escape.text(value))

    assert kinds <= INERT
    assert shown == escape.plain(value).replace("`rm -rf`", "rm -rf").replace("`x`", "x")


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_in_code_are_shown_and_do_nothing(value):
    """Code style makes one code node with the whole text in it."""
    kinds, shown = rendered(escape.code(value))

    assert kinds <= INERT
    assert shown == escape.plain(value).replace("|", "\uff5c")


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_in_its_cell(value):
    """A row of a table keeps its cells, whatever stands in them."""
    row = f"| a | b | c |\n| --- | --- | --- |\n| {escape.text(value)} | {escape.code(value)} | end |"
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(row)
    cells = [token for token in tokens if token.type == "td_open"]

    assert len(cells) == 3


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_descriptions_stay_in_their_quote(value):
    """A description of several lines is one block quote of text."""
    kinds, _ = rendered(escape.quoted(f"{value}\n\n{value}"))

    assert kinds <= INERT | {"blockquote", "hardbreak", "softbreak"}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_in_its_fence(value):
    """A code block holds the text and ends where we end it."""
    tokens = MarkdownIt("commonmark", {"html": True}).parse(escape.fenced(value, "diff") + "\n\nafter")

    assert [token.type for token in tokens[:2]] == ["fence", "paragraph_open"]


@pytest.mark.parametrize(
    "value",
    ["@octocat", "#1", "GH-1", "www.evil.example", "https://evil.example", ":tada:", "a@evil.example"],
)
def test_nothing_is_left_for_the_forge_to_link(value):
    """GitHub links words after Markdown is done; an invisible break stops it in titles too."""
    for shown in (escape.text(value), escape.quiet(value)):
        assert value not in shown.replace("\\", "")
        assert shown.replace("\\", "").replace("\u200b", "") == value


def test_direction_marks_and_invisible_characters_are_removed():
    """No text can be shown in another order than it is written."""
    hostile = "safe\u202eexe.txt\u2066x\u2069\u200b\u200d\ufeff\u00ad\U000e0041 end\u2028next"

    assert escape.plain(hostile) == "safeexe.txtx end next"


def test_piles_of_marks_are_cut():
    """Marks cannot climb over the lines above."""
    assert len(escape.plain("a" + "\u0301" * 500)) == 4


def test_long_text_is_cut_with_an_ellipsis():
    """Two hundred thousand characters cost and show as much as two hundred."""
    shown = escape.plain("x" * 200_000)

    assert len(shown) == 200
    assert shown.endswith("…")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://user:secret@host.example/x",
        "https://host.example/a b",
        "https://host.example/\u202e",
        "http://[bad",
        "https://",
    ],
)
def test_only_plain_web_addresses_are_linked(url):
    """Anything else leaves the label alone."""
    assert escape.link(escape.Markdown("label"), url) == "label"


def test_an_address_cannot_leave_its_brackets():
    """Brackets in an address are encoded."""
    linked = escape.link(escape.Markdown("label"), "https://host.example/a)](https://evil.example)")

    assert linked == "[label](https://host.example/a%29%5D%28https://evil.example%29)"
