"""What the canary saw: a table of the SLOs, and the evidence against the candidate over time as a chart."""

import math
from collections.abc import Sequence
from datetime import timedelta

from bot.domain.verdict import Outcome, SloEvidence, Verdict
from bot.messages import numbers
from bot.messages.escape import Markdown, code, text
from bot.messages.layout import folded, lines, md, paragraphs, table
from bot.messages.numbers import NOTHING

MARKS = {
    Outcome.PASSED: "✅ passed",
    Outcome.FAILED: "❌ failed",
    Outcome.INCONCLUSIVE: "❔ inconclusive",
    Outcome.NO_DATA: "❔ no data",
    Outcome.SOURCE_DOWN: "⚠️ metrics away",
}
_POINTS = 40
_TALLEST = 6.0
"""Powers of ten: beyond a million to one the chart stays flat."""


def verdict(judged: Verdict) -> Markdown:
    """The conclusion, its reason, its table, its chart, and what replays it."""
    took = numbers.span(judged.decided_at - judged.started_at)
    heading = md("**{}** after {}: {}", Markdown(MARKS[judged.outcome]), took, text(judged.reason, 600))
    return paragraphs(
        heading,
        slos(judged.slos),
        chart(judged.slos),
        notes(judged.notes),
        _replay(judged),
    )


def slos(seen: Sequence[SloEvidence], *, live: bool = False) -> Markdown:
    """One row for each SLO: how much was bad of how many, with its interval, beside the objective.

    `live`: the watch goes on, so nothing has passed yet.
    """
    if not seen:
        return Markdown("")
    header = ("SLO", "Objective", "Bad", "Requests", "Share bad (interval)", "Before", "")
    return table(header, [_row(slo, live=live) for slo in seen], "llrrrrl")


def notes(said: Sequence[str]) -> Markdown:
    return lines(*(md("- {}", text(note, 300)) for note in said[:10]))


def chart(seen: Sequence[SloEvidence]) -> Markdown:
    """E over time, as powers of ten, with the line at which it fails; the worst SLO only."""
    drawn = [slo for slo in seen if len(slo.evidence) > 1 and slo.decides]
    if not drawn:
        return Markdown("")
    slo = max(drawn, key=lambda each: max(value for _, value in each.evidence))
    points = _thinned(slo.evidence)
    heights = [_height(value) for _, value in points]
    limit = _height(slo.threshold)
    top = max(*heights, limit) + 0.5
    bottom = min(*heights, 0.0)
    end = max(points[-1][0], 1.0)
    values = ", ".join(f"{height:.2f}" for height in heights)
    threshold = ", ".join([f"{limit:.2f}"] * len(heights))
    drawing = (
        "```mermaid\nxychart-beta\n"
        '  title "Evidence that the candidate breaks its objective"\n'
        f'  x-axis "seconds since it is live" {points[0][0]:.0f} --> {end:.0f}\n'
        f'  y-axis "powers of ten" {bottom:.1f} --> {top:.1f}\n'
        f"  line [{values}]\n  line [{threshold}]\n```"
    )
    caption = md(
        "{}: evidence now {}, it fails at {} (the flat line).",
        code(slo.slo, 60),
        _times(slo.evidence[-1][1]),
        _times(slo.threshold),
    )
    return folded("Evidence over time", paragraphs(Markdown(drawing), caption))


def _row(slo: SloEvidence, *, live: bool) -> tuple[Markdown, ...]:
    share = numbers.percent(slo.ratio)
    if slo.ratio is not None and slo.interval is not None:
        low, high = slo.interval
        share = md("{} ({} to {})", share, numbers.percent(low), numbers.percent(high))
    mark = "so far" if live and slo.outcome is Outcome.PASSED else MARKS[slo.outcome]
    said = mark if slo.decides else "only shown"
    return (
        code(slo.slo, 60),
        text(slo.objective, 80),
        numbers.number(slo.bad),
        numbers.number(slo.total),
        share,
        NOTHING if slo.baseline_ratio is None else numbers.percent(slo.baseline_ratio),
        md("{}: {}", Markdown(said), text(slo.reason, 200)) if slo.reason else Markdown(said),
    )


def _replay(judged: Verdict) -> Markdown:
    queries = [md("- {}: {}", code(slo.slo, 60), code(slo.query, 600)) for slo in judged.slos]
    window = md(
        "From {} to {}, digest {}.",
        numbers.moment(judged.started_at),
        numbers.moment(judged.decided_at),
        code(judged.digest, 80),
    )
    return folded("Queries and digest", paragraphs(lines(*queries), window))


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most `_POINTS`, evenly spread, the last one included."""
    if len(points) <= _POINTS:
        return points
    step = (len(points) - 1) / (_POINTS - 1)
    return [points[round(index * step)] for index in range(_POINTS)]


def _height(value: float) -> float:
    if math.isnan(value):
        return 0.0
    return max(-1.0, min(_TALLEST, math.log10(value))) if value > 0 else -1.0


def _times(value: float) -> Markdown:
    return numbers.number(float(f"{value:.3g}")) if math.isfinite(value) else numbers.number(value)


def left(seconds: float) -> Markdown:
    """A length of time in seconds, as a person says it."""
    return numbers.span(timedelta(seconds=max(0.0, seconds)))
