"""Mermaid's `xychart-beta` as an SVG: lines and bars over named or numbered places on the x axis.

Understood: `title`; `x-axis` and `y-axis` with a name, a range `a --> b` or a list; `line`; `bar`.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 40, 44
COLORS = ("#2f6feb", "#e5534b", "#2da44e", "#bf8700", "#8250df")
TICKS = 5
MOST_LABELS = 12
MOST_POINTS = 2000
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*-->\s*({_NUMBER})")


@dataclass
class Axis:
    name: str = ""
    labels: list[str] = field(default_factory=list)
    low: float | None = None
    high: float | None = None


@dataclass
class Chart:
    title: str = ""
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    series: list[tuple[str, list[float]]] = field(default_factory=list)


def svg(source: str) -> str | None:
    """The drawing; None where the source is no xychart that can be read."""
    try:
        chart = parse(source)
    except ValueError:
        return None
    return draw(chart) if chart.series and all(values for _, values in chart.series) else None


def parse(source: str) -> Chart:
    """Raises ValueError for a line that is not understood."""
    first, *lines = [line.strip() for line in source.strip().splitlines()] or [""]
    if not re.fullmatch(r"xychart(-beta)?", first):
        raise ValueError(first)
    chart = Chart()
    for line in lines:
        word, _, rest = line.partition(" ")
        if not word or word.startswith("%%"):
            continue
        if word == "title":
            chart.title = rest.strip().strip('"')
        elif word in {"x-axis", "y-axis"}:
            setattr(chart, word[0], _axis(rest.strip()))
        elif word in {"line", "bar"}:
            chart.series.append((word, _numbers(rest)))
        else:
            raise ValueError(line)
    return chart


def _axis(text: str) -> Axis:
    name = re.match(r'"([^"]*)"|([^\[\s"]+(?=\s|$))(?!\s*-->)', text)
    axis = Axis(name=(name[1] or name[2] or "") if name else "")
    rest = text[name.end() :] if name else text
    if found := _RANGE.search(rest):
        axis.low, axis.high = float(found[1]), float(found[2])
    elif "[" in rest:
        inner = rest[rest.index("[") + 1 : rest.rindex("]")]
        axis.labels = [part.strip().strip('"') for part in re.findall(r'"[^"]*"|[^,]+', inner)]
    return axis


def _numbers(text: str) -> list[float]:
    values = [float(value) for value in json.loads(text[text.index("[") : text.rindex("]") + 1])]
    if len(values) > MOST_POINTS or not all(math.isfinite(value) for value in values):
        raise ValueError("not drawable")
    return values


def draw(chart: Chart) -> str:
    count = max(len(values) for _, values in chart.series)
    every = [value for _, values in chart.series for value in values]
    low = chart.y.low if chart.y.low is not None else min(0.0, *every)
    high = chart.y.high if chart.y.high is not None else max(every)
    high = high if high > low else low + 1
    bars = any(kind == "bar" for kind, _ in chart.series)
    plot_width, plot_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(index: int) -> float:
        if bars or count == 1:
            return LEFT + plot_width * (index + 0.5) / count
        return LEFT + plot_width * index / (count - 1)

    def y(value: float) -> float:
        return TOP + plot_height * (1 - (min(max(value, low), high) - low) / (high - low))

    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        f'<text x="{WIDTH / 2}" y="20" class="chart-title">{escape(chart.title)}</text>',
    ]
    for step in range(TICKS + 1):
        value = low + (high - low) * step / TICKS
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" class="grid"/>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" class="tick end">{value:.4g}</text>')
    parts += _x_labels(chart, count, x)
    for number, (kind, values) in enumerate(chart.series):
        color = COLORS[number % len(COLORS)]
        if kind == "bar":
            width = plot_width / count * 0.6
            parts += [
                f'<rect x="{x(i) - width / 2:.1f}" y="{y(max(v, low)):.1f}" width="{width:.1f}"'
                f' height="{max(y(low) - y(v), 0):.1f}" fill="{color}" rx="2"/>'
                for i, v in enumerate(values)
            ]
        else:
            points = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(values))
            parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
    middle = TOP + plot_height / 2
    parts.append(
        f'<text x="{LEFT + plot_width / 2}" y="{HEIGHT - 6}" class="tick mid">{escape(chart.x.name)}</text>'
    )
    parts.append(
        f'<text x="14" y="{middle}" class="tick mid" transform="rotate(-90 14 {middle})">'
        f"{escape(chart.y.name)}</text>"
    )
    return "".join([*parts, "</svg>"])


def _x_labels(chart: Chart, count: int, x: Callable[[int], float]) -> list[str]:
    labels = chart.x.labels
    if not labels and chart.x.low is not None and chart.x.high is not None:
        span = chart.x.high - chart.x.low
        labels = [f"{chart.x.low + span * i / max(count - 1, 1):.4g}" for i in range(count)]
    step = max(1, math.ceil(len(labels) / MOST_LABELS))
    return [
        f'<text x="{x(i):.1f}" y="{HEIGHT - BOTTOM + 18}" class="tick mid">{escape(label)}</text>'
        for i, label in enumerate(labels[:count])
        if i % step == 0
    ]
