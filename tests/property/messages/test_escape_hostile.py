"""Whatever a text holds, a message made of it holds nothing but the text."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.messages import escape

INERT = {"paragraph", "inline", "text", "code_inline", "text_special"}
PIECES = "`\\|[]()<>!@#*_~$&:{}^+-=.1 \n\taGHw/\u202e\u200b\u0301é"
ANYTHING = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=PIECES, max_size=40),
    st.lists(
        st.sampled_from(
            [
                "@a",
                "#1",
                "GH-1",
                "www.x.y",
                "https://x.y",
                "<b>",
                "</details>",
                "<!--",
                "-->",
                "`",
                "``",
                "```",
                "\\",
                "|",
                "[a](b)",
                "![",
                "&lt;",
                "-",
                "1.",
                "$$",
                "**",
                ":x:",
                "~~~",
                "x",
                "#",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
LINKED = re.compile(r"@\w|#[0-9]|\bGH-[0-9]|www\.|://|:[a-z_]+:", re.IGNORECASE)


def nodes(markdown):
    """(kind, content) of every node."""
    for token in PARSER.parse(markdown):
        yield token.type.removesuffix("_open").removesuffix("_close"), token.content
        for child in token.children or ():
            yield child.type.removesuffix("_open").removesuffix("_close"), child.content


@given(ANYTHING)
@settings(max_examples=300, deadline=None)
def test_prose_makes_nothing_but_text(value):
    """Always: no link, image, HTML, heading, list or table comes out of a text."""
    found = list(nodes(escape.text(value)))

    assert {kind for kind, _ in found} <= INERT
    for kind, content in found:
        if kind == "text":
            assert not LINKED.search(content)


@given(ANYTHING)
@settings(max_examples=300, deadline=None)
def test_code_makes_nothing_but_code(value):
    """Always: a value in code style is one code node, or nothing where nothing is visible."""
    found = [kind for kind, content in nodes(escape.code(value)) if kind not in {"paragraph", "inline"}]

    assert found in ([], ["code_inline"])


@given(ANYTHING, ANYTHING)
@settings(max_examples=200, deadline=None)
def test_cells_keep_their_table(first, second):
    """Always: two cells stay two cells, and hold only text."""
    table = f"| a | b |\n| --- | --- |\n| {escape.text(first)} | {escape.code(second)} |\n\nafter"
    found = [kind for kind, _ in nodes(table)]

    assert found.count("td") == 4  # each opens and closes
    assert found[-3:] == ["inline", "text", "paragraph"]
    assert set(found) <= INERT | {"table", "thead", "tbody", "tr", "th", "td"}


@given(ANYTHING)
@settings(max_examples=200, deadline=None)
def test_a_quote_holds_its_text(value):
    """Always: a quoted description makes one block quote, and what follows stands outside it."""
    found = [kind for kind, _ in nodes(f"{escape.quoted(value)}\n\nafter")]

    assert set(found) <= INERT | {"blockquote", "hardbreak", "softbreak"}
    assert found[-4:] == ["paragraph", "inline", "text", "paragraph"]


@given(ANYTHING)
@settings(max_examples=200, deadline=None)
def test_titles_mention_nobody(value):
    """Always: one line, no control characters, nothing that a forge would link."""
    title = escape.quiet(value)

    assert "\n" not in title
    assert title.isprintable() or "\u200b" in title
    assert not LINKED.search(title)
    assert len(title.replace("\u200b", "")) <= 200
