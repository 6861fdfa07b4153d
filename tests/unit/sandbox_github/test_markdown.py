"""Markdown on the pages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.github.pages.chart import svg
from bot.sandbox.github.pages.markdown import render


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!-- marker -->\nshown", "<p>shown</p>"),
        ("a <!-- b --> c", "<p>a  c</p>"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ('<img src=x onerror="y">', "&lt;img"),
        ('<details open onclick="x">', "&lt;details"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("| a |\n|---|\n| 1 |", "<table>"),
        ("~~old~~", "<s>old</s>"),
        ("> [!WARNING]\n> Look", '<blockquote class="alert warning"><p><b>Warning</b><br>'),
        ("- [x] done\n- [ ] open", "☑ done"),
        ("```mermaid\nflowchart LR\n```", "<figcaption>Diagram</figcaption>"),
        ("```mermaid\nxychart-beta\n  line [1, 2]\n```", "<svg"),
        ("```mermaid\nxychart-beta\n  line [1, oops]\n```", "<pre>xychart-beta"),
    ],
)
def test_markdown_is_shown_as_github_shows_it(text: str, expected: str) -> None:
    """Tables, alerts, tasks and diagrams are drawn; HTML beyond a few tags is shown as text."""
    assert expected in render(text)


def test_details_fold_around_markdown() -> None:
    """What stands between the tags is Markdown still."""
    shown = render("<details><summary>More</summary>\n\n**bold**\n\n</details>")

    assert "<details><summary>More</summary>" in shown
    assert "<strong>bold</strong>" in shown
    assert "</details>" in shown


TAGS = re.compile(r"<\s*/?\s*([a-zA-Z][\w-]*)([^>]*)>")
HARMLESS = {
    "p",
    "br",
    "hr",
    "b",
    "i",
    "strong",
    "em",
    "code",
    "pre",
    "s",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "a",
    "img",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "sub",
    "sup",
    "kbd",
    "figure",
    "figcaption",
    "svg",
    "text",
    "line",
    "rect",
    "polyline",
}
PIECES = st.sampled_from(
    [
        "<",
        ">",
        "<script>",
        "</script>",
        "<img src=x onerror=y>",
        "<!--",
        "-->",
        "`",
        "```",
        "```mermaid\nxychart-beta\n",
        'title "<b onload=x>"',
        "\n",
        "\n\n",
        "|",
        "[a](javascript:x)",
        "<details open>",
        "<a href='javascript:x'>",
        "&lt;",
        '"',
        "'",
        "x",
        " ",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_text_ever_becomes_a_script(text: str) -> None:
    """Whatever is written, only known tags come out, without handlers and without script addresses."""
    for name, attributes in TAGS.findall(render(text)):
        assert name.lower() in HARMLESS
        assert not re.search(r"(?:^|\s)on\w+\s*=(?=[^\"]*(?:\"[^\"]*\"[^\"]*)*$)", attributes)
        assert 'href="javascript:' not in attributes


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            'xychart-beta\n  title "T"\n  x-axis [a, b]\n  y-axis "ms" 0 --> 10\n  bar [1, 2]\n  line [3, 4]',
            True,
        ),
        ('xychart-beta\n  x-axis "minute" 0 --> 9\n  line [1.5, -2, 3e2]', True),
        ("xychart-beta\n  line [5]", True),
        ("xychart-beta\n  line [2, 2, 2]", True),
        ("xychart-beta\n  line []", False),
        ("xychart-beta", False),
        ("flowchart LR", False),
        ("xychart-beta\n  line [NaN, 1]", False),
        ("xychart-beta\n  pie [1]", False),
        ("", False),
    ],
)
def test_a_chart_is_drawn_or_left_as_text(source: str, *, expected: bool) -> None:
    """A drawing only where every line was understood."""
    assert (svg(source) is not None) == expected


def test_a_chart_stays_within_its_frame() -> None:
    """Values beyond the given range are drawn at its edge."""
    drawn = svg("xychart-beta\n  y-axis 0 --> 1\n  line [-5, 0.5, 9]")

    assert drawn is not None
    heights = [float(pair.split(",")[1]) for pair in re.search(r'points="([^"]*)"', drawn)[1].split()]
    assert all(40 <= height <= 256 for height in heights)
