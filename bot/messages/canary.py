"""What the canary saw: a table of the SLOs, and the evidence against the candidate over time as a chart."""

import math
import re
from collections.abc import Mapping, Sequence
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
_SO_FAR = {
    **MARKS,
    Outcome.PASSED: "✅ so far",
    Outcome.INCONCLUSIVE: "❔ too early",
    Outcome.NO_DATA: "❔ no data yet",
}
_POINTS = 40
_TALLEST = 150.0
"""In hundredths of what fails the candidate: beyond it the chart stays flat."""


def verdict(judged: Verdict, promotion: str, *, above: str = "") -> Markdown:
    """The conclusion, its reason, its table, its chart, and what replays it (the promotion's id).

    A reason that stands `above` already is not said again.
    """
    took = numbers.span(judged.decided_at - judged.started_at)
    why = md(": {}", text(judged.reason, 600)) if judged.reason != above else Markdown("")
    heading = md("**{}** after {}{}", Markdown(MARKS[judged.outcome]), took, why)
    drawing = chart(judged.slos)
    telling = any(slo.outcome is Outcome.FAILED and not slo.is_gauge for slo in judged.slos)
    return paragraphs(
        heading,
        lines(*(md("- ⚠️ warning: {}", text(slo.reason, 300)) for slo in judged.slos if slo.warns)),
        slos(judged.slos),
        notes(judged.notes),
        drawing if telling or not drawing else folded("Evidence over time", drawing),
        _replay(judged, promotion),
    )


def slos(seen: Sequence[SloEvidence], *, so_far: bool = False) -> Markdown:
    """One row for each SLO: how it stands, how much was bad of how many, and beside it the objective."""
    if not seen:
        return Markdown("")
    header = ("SLO", "", "Share bad, or value", "Before", "Bad", "Requests", "Objective")
    marks = _SO_FAR if so_far else MARKS
    return table(header, [_row(slo, marks) for slo in seen], "llrrrrl")


def notes(said: Sequence[str]) -> Markdown:
    return lines(*(md("- {}", text(note, 300)) for note in said[:10]))


def chart(seen: Sequence[SloEvidence]) -> Markdown:
    """The evidence against the candidate over time, on a scale on which 100 fails it; one SLO only, one that
    failed before any other.
    """
    drawn = [slo for slo in seen if len(slo.evidence) > 1 and slo.decides and not slo.is_gauge]
    if not drawn:
        return Markdown("")
    slo = max(drawn, key=lambda each: (each.outcome is Outcome.FAILED, _highest(each)))
    points = _thinned(slo.evidence)
    heights = [_height(value, slo.threshold) for _, value in points]
    begin, end = points[0][0] / 60, max(points[-1][0], points[0][0] + 1.0) / 60
    values = ", ".join(f"{height:.0f}" for height in heights)
    limit = ", ".join(["100"] * len(heights))
    drawing = (
        "```mermaid\nxychart-beta\n"
        f'  title "Evidence against the candidate: {_plain(slo.slo)}"\n'
        f'  x-axis "minutes since its first request" {begin:.2f} --> {end:.2f}\n'
        f'  y-axis "evidence (100 fails it)" 0 --> {max(120.0, *heights):.0f}\n'
        f"  line [{values}]\n  line [{limit}]\n```"
    )
    return Markdown(drawing)


def _row(slo: SloEvidence, marks: Mapping[Outcome, str]) -> tuple[Markdown, ...]:
    measured = numbers.number(slo.value) if slo.is_gauge else _share(slo)
    if slo.outcome is Outcome.FAILED:
        measured = md("**{}**", measured)
    return (
        code(slo.slo, 60),
        _stands(slo, marks),
        measured,
        NOTHING if slo.baseline_ratio is None else numbers.percent(slo.baseline_ratio),
        NOTHING if slo.is_gauge else numbers.number(slo.bad),
        NOTHING if slo.is_gauge else numbers.number(slo.total),
        text(slo.objective, 80),
    )


def _share(slo: SloEvidence) -> Markdown:
    share = numbers.percent(slo.ratio)
    if slo.ratio is None or slo.interval is None:
        return share
    low, high = slo.interval
    return md("{} ({} to {})", share, numbers.percent(low), numbers.percent(high))


def _stands(slo: SloEvidence, marks: Mapping[Outcome, str]) -> Markdown:
    """How it stands; in words too where the numbers beside it do not say it."""
    mark = marks[slo.outcome]
    if not slo.decides:
        mark = "⚠️ warning" if slo.warns else "ℹ️ shown"
    if slo.outcome in (Outcome.PASSED, Outcome.FAILED) or not slo.reason:
        return Markdown(mark)
    return md("{}: {}", Markdown(mark), text(slo.reason, 200))


def _replay(judged: Verdict, promotion: str) -> Markdown:
    queries = [md("- {}: {}", code(slo.slo, 60), code(slo.query, 600)) for slo in judged.slos]
    window = md(
        "From {} to {}, digest {}. {} computes it again from the stored windows.",
        numbers.moment(judged.started_at),
        numbers.moment(judged.decided_at),
        code(judged.digest, 80),
        code(f"slipway replay {promotion}", 100),
    )
    return folded("Queries and digest", paragraphs(lines(*queries), window))


def _highest(slo: SloEvidence) -> float:
    return max(_height(value, slo.threshold) for _, value in slo.evidence)


def _plain(name: str) -> str:
    """A name that cannot end the string it stands in."""
    return re.sub(r"[^\w .,:/-]", " ", name)[:60]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most `_POINTS`, evenly spread, the last one included."""
    if len(points) <= _POINTS:
        return points
    step = (len(points) - 1) / (_POINTS - 1)
    return [points[round(index * step)] for index in range(_POINTS)]


def _height(value: float, threshold: float) -> float:
    """Logarithmic: 0 is no evidence, 100 what fails the SLO."""
    if math.isnan(value) or value <= 1.0:
        return 0.0
    if math.isinf(value):
        return _TALLEST
    return min(_TALLEST, 100.0 * math.log(value) / math.log(max(threshold, 2.0)))


def left(seconds: float) -> Markdown:
    """A length of time in seconds, as a person says it."""
    return numbers.span(timedelta(seconds=max(0.0, seconds)))
