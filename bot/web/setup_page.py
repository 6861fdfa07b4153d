"""How the page of `slipway setup` looks: one sheet of style, no script, nothing from elsewhere."""

import html
import re
from collections.abc import Iterable, Sequence

from bot.domain.finding import Finding, Level

STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dde2e8;--edge:#858f9c;
--paper:#fff;--ground:#eef1f4;--sea:#0f6b5c;--sea2:#0b5448;
--ok:#137a43;--warning:#9a5b00;--problem:#b3261e;--tint:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9aa6b4;--line:#333c47;--edge:#6f7b89;--paper:#1b2129;
--ground:#12161b;--sea:#3fb6a0;--sea2:#5fd0bb;--ok:#5fd08c;--warning:#e0a94a;--problem:#ff8a80;--tint:#222932}
button,a.button{color:#0b1512!important}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;background:var(--ground);color:var(--ink);
margin:0;padding:3rem 1rem}
main{max-width:46rem;margin:0 auto;background:var(--paper);border:1px solid var(--line);border-radius:14px;
padding:2.2rem 2.6rem 2.4rem;box-shadow:0 6px 24px #0b1a2a14}
header{max-width:46rem;margin:0 auto 1.2rem;display:flex;justify-content:space-between;align-items:center;
gap:1rem;flex-wrap:wrap}
header b{letter-spacing:.01em;font-size:1.05rem}
ol.steps{list-style:none;display:flex;gap:1.1rem;margin:0;padding:0;color:var(--soft);font-size:.9rem}
ol.steps li::before{content:attr(data-n);display:inline-block;width:1.5em;height:1.5em;line-height:1.5em;
text-align:center;border-radius:50%;background:var(--line);margin-right:.45em;font-size:.85em}
ol.steps li.now{color:var(--ink);font-weight:600}
ol.steps li.now::before,ol.steps li.past::before{background:var(--sea);color:var(--paper)}
h1{font-size:1.55rem;line-height:1.25;margin:0 0 .5rem}
p{margin:.5rem 0 1rem}p.lead{color:var(--soft);margin-bottom:1.4rem}
label.field{display:block;margin:1.15rem 0;font-weight:600}
label small,.small{display:block;font-weight:400;color:var(--soft);font-size:.88rem}
label.field input{display:block;width:100%;margin-top:.35rem;padding:.6rem .75rem;font:inherit;
font-weight:400;color:inherit;background:var(--paper);border:1px solid var(--edge);border-radius:8px}
input{accent-color:var(--sea)}
input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid #3fb6a088;outline-offset:1px}
label.tick{display:grid;grid-template-columns:auto 1fr;gap:.15rem .7rem;margin:.9rem 0;font-weight:600}
label.tick input{margin-top:.35rem}label.tick small{grid-column:2}
button,a.button{display:inline-block;background:var(--sea);color:#fff;border:0;border-radius:8px;
padding:.7rem 1.4rem;font:inherit;font-weight:600;text-decoration:none;cursor:pointer;margin-top:.8rem}
button:hover,a.button:hover{background:var(--sea2)}
a.back{margin-left:1.1rem;color:var(--soft)}
table{border-collapse:collapse;width:100%;margin:.4rem 0 1.2rem}
td{border-top:1px solid var(--line);padding:.5rem .9rem .5rem 0;vertical-align:top}
tr:last-child td{border-bottom:1px solid var(--line)}td:first-child{white-space:nowrap}
code{font:.9em ui-monospace,"SFMono-Regular",Menlo,monospace;overflow-wrap:anywhere;background:var(--tint);
padding:.1em .35em;border-radius:5px}
ul.found{list-style:none;padding:0;margin:1rem 0}
ul.found li{border-left:4px solid var(--ok);background:var(--tint);border-radius:0 8px 8px 0;
padding:.55rem .9rem;margin:.55rem 0}
ul.found li.warning{border-color:var(--warning)}ul.found li.problem{border-color:var(--problem)}
ul.found b{font-size:.8rem;text-transform:uppercase;letter-spacing:.05em;margin-right:.5em;color:var(--ok)}
ul.found code{background:none;padding:0}
ul.found .warning b{color:var(--warning)}ul.found .problem b{color:var(--problem)}
.alert{border-left:4px solid var(--problem);padding:.7rem 1rem;background:var(--tint);
border-radius:0 8px 8px 0}
@media(max-width:34rem){body{padding:1.2rem .7rem}main{padding:1.4rem 1.2rem 1.6rem}
tr{display:block;border-top:1px solid var(--line);padding:.55rem 0}
td,tr:last-child td{display:block;border:0;padding:.1rem 0}}
"""
STEPS = ("Describe", "Confirm", "Install")
_PAST, _NOW = 'class="past"', 'class="now" aria-current="step"'


def sheet(title: str, body: str, *, step: int, refresh: int = 0) -> str:
    """A whole page. `step` counts from 1; one past the last means that all are done. `title` is plain text,
    `body` is HTML. `refresh` is in seconds.
    """
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    steps = "".join(
        f'<li data-n="{n}" {_PAST if n < step else _NOW if n == step else ""}>{name}</li>'
        for n, name in enumerate(STEPS, start=1)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"{again}<title>{html.escape(title)} · Slipway</title><style>{STYLE}</style>"
        f'<header><b>⚓ Slipway</b><ol class="steps">{steps}</ol></header>'
        f"<main><h1>{html.escape(title)}</h1>{body}</main></html>"
    )


def alert(sentence: str) -> str:
    """What went wrong, before all else."""
    return f'<p class="alert" role="alert">{html.escape(sentence)}</p>'


def field(name: str, label: str, value: str, hint: str, more: str = "") -> str:
    """One line to fill in; `more` are further attributes."""
    return (
        f'<label class="field">{html.escape(label)}<small>{html.escape(hint)}</small>'
        f'<input name="{name}" value="{html.escape(value)}" {more}></label>'
    )


def tick(name: str, label: str, hint: str, *, ticked: bool) -> str:
    """One box to tick."""
    checked = " checked" if ticked else ""
    return (
        f'<label class="tick"><input type="checkbox" name="{name}" value="yes"{checked}>'
        f"{html.escape(label)}<small>{html.escape(hint)}</small></label>"
    )


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """A table of a name and what it is for."""
    cells = (f"<tr><td><code>{html.escape(a)}</code></td><td>{html.escape(b)}</td></tr>" for a, b in pairs)
    return f"<table>{''.join(cells)}</table>"


def findings(found: Sequence[Finding]) -> str:
    """What a check found, each with what to do about it."""
    items = (
        f'<li class="{finding.level}"><b>{finding.level}</b>{_told(finding.sentence)}'
        + (f'<span class="small">{_told(finding.todo)}</span>' if finding.todo else "")
        + "</li>"
        for finding in sorted(found, key=lambda finding: list(Level).index(finding.level))
    )
    return f'<ul class="found">{"".join(items)}</ul>'


def _told(sentence: str) -> str:
    """A sentence as HTML; what stands between backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(sentence))
