"""Markdown as GitHub shows it: tables, alerts, task lists, and of HTML only what does no harm."""

import re
from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from bot.sandbox.github.pages.chart import svg

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ALLOWED = re.compile(r"&lt;(/?)(details|summary|br|sub|sup|kbd|b|i|strong|em|code|hr)( open)?\s*/?&gt;")
_ALERT = re.compile(
    r"<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*(?:<br\s*/?>)?", re.IGNORECASE
)
_TASK = re.compile(r"<li>(\s*<p>)?\[([ xX])\] ")


def clean_html(text: str) -> str:
    """Comments vanish, a few harmless tags without attributes stay, everything else is shown as text."""
    return _ALLOWED.sub(r"<\1\2\3>", escape(_COMMENT.sub("", text), quote=False))


class _Renderer(RendererHTML):
    def html_block(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        del options, env
        return clean_html(tokens[index].content)

    def html_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return self.html_block(tokens, idx, options, env)

    def fence(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        token = tokens[index]
        if token.info.strip() != "mermaid":
            return super().fence(tokens, index, options, env)
        drawing = svg(token.content)
        if drawing is not None:
            return f'<figure class="mermaid">{drawing}</figure>\n'
        source = escape(token.content)
        return f'<figure class="mermaid"><figcaption>Diagram</figcaption><pre>{source}</pre></figure>\n'


_PARSER = MarkdownIt("commonmark", {"html": True, "breaks": True}, renderer_cls=_Renderer).enable(
    ["table", "strikethrough"]
)


def render(text: str | None) -> Markup:
    """Safe HTML; links to `javascript:` and the like are refused by the parser itself."""
    html = _PARSER.render(text or "")
    html = _ALERT.sub(
        lambda found: f'<blockquote class="alert {found[1].lower()}"><p><b>{found[1].title()}</b><br>', html
    )
    html = _TASK.sub(
        lambda found: f'<li class="task">{found[1] or ""}{"☐" if found[2] == " " else "☑"} ', html
    )
    return Markup(html)  # noqa: S704 - made of escaped text and allowed tags only
