"""The metrics of a candidate beside its baseline's: how many are worse, and the table, worst first."""

import math
from collections.abc import Sequence

from bot.domain.comparison import Comparison, Direction, MetricChange
from bot.messages import numbers
from bot.messages.escape import Markdown, code, text
from bot.messages.layout import cut_after, folded, md, paragraphs, table
from bot.messages.numbers import NOTHING

SHOWN = 12
_MOST_ROWS = 150


def overview(comparison: Comparison) -> Markdown:
    """The metrics that can be judged, worst first; the rest is in `more`."""
    if not comparison.metrics and comparison.candidate.prompt is not None:
        return Markdown("")
    if not comparison.metrics:
        return md("The registry has no metrics of this version.")
    rows = _ranked(comparison)[:SHOWN]
    return paragraphs(_tally(comparison), _metric_table(comparison, rows))


def _tally(comparison: Comparison) -> Markdown:
    """How many metrics are worse, better, not comparable, the bad news first; empty without a baseline."""
    if comparison.baseline is None:
        return Markdown("")
    judged = [metric for metric in comparison.metrics if metric.worse_by is not None]
    here = [metric for metric in judged if metric.same_dataset is not False]
    values = [metric.candidate for metric in comparison.metrics if metric.candidate is not None]
    counts = {
        "worse": sum(metric.better is False for metric in here),
        "not a number": sum(math.isnan(value) for value in values),
        "not recorded any more": len(comparison.missing_metrics),
        "better": sum(metric.better is True for metric in here),
        "the same": sum(metric.better is None for metric in here),
        "on other data": len(judged) - len(here),
    }
    told = [f"{count} {what}" for what, count in counts.items() if count]
    return md("**{}**", Markdown(", ".join(told))) if told else md("No metric can be judged.")


def more(comparison: Comparison) -> Markdown:
    """All other metrics, folded; empty when there are none."""
    rest = _ranked(comparison)[SHOWN:]
    if not rest:
        return Markdown("")
    body = _metric_table(comparison, rest[:_MOST_ROWS])
    return folded(f"{len(rest)} more metrics", cut_after(_MOST_ROWS, body, len(rest)))


def _ranked(comparison: Comparison) -> list[MetricChange]:
    def rank(metric: MetricChange) -> tuple[int, float, str]:
        if metric.candidate is None and metric.direction is not Direction.UNKNOWN:
            return 0, 0.0, metric.name
        if metric.candidate != metric.candidate:
            return 1, 0.0, metric.name
        if metric.direction is Direction.UNKNOWN:
            return 3, 0.0, metric.name
        return 2, -(metric.worse_by or 0.0), metric.name

    return sorted(comparison.metrics, key=rank)


def _metric_table(comparison: Comparison, rows: Sequence[MetricChange]) -> Markdown:
    new, old = comparison.candidate, comparison.baseline
    if old is None:
        body = [(_name(each), _wanted(each), numbers.number(each.candidate)) for each in rows]
        return table(("Metric", "Better", f"Version {code(new.version, 20)}"), body, "llr")
    header = (
        "Metric",
        "Better",
        f"Baseline {code(old.version, 20)}",
        f"Candidate {code(new.version, 20)}",
        "Change",
        "",
        "Data set",
    )
    return table(header, [_metric_row(metric) for metric in rows], "llrrrll")


def _metric_row(metric: MetricChange) -> tuple[Markdown, ...]:
    relative = abs(metric.delta / metric.baseline) if metric.delta and metric.baseline else None
    change = numbers.signed(metric.delta)
    if relative is not None:
        change = md("{} ({})", change, numbers.percent(relative))
    return (
        _name(metric),
        _wanted(metric),
        numbers.number(metric.baseline),
        numbers.number(metric.candidate),
        change,
        _judgement(metric),
        _same_data(metric),
    )


def _wanted(metric: MetricChange) -> Markdown:
    """Which way is better, so that whoever knows the metric sees a wrong guess."""
    return NOTHING if metric.direction is Direction.UNKNOWN else Markdown(metric.direction.value)


def _same_data(metric: MetricChange) -> Markdown:
    """Whether both values were computed on the same data set, by its digest."""
    if metric.candidate is None or metric.baseline is None:
        return NOTHING
    if metric.same_dataset is None:
        return md("not known")
    return md("same") if metric.same_dataset else md("**another**")


def _judgement(metric: MetricChange) -> Markdown:
    if metric.candidate is None:
        said = "not recorded" if metric.direction is Direction.UNKNOWN else "❌ not recorded"
    elif metric.candidate != metric.candidate:
        said = "❌ not a number"
    elif metric.baseline is None:
        said = "new"
    elif metric.direction is Direction.UNKNOWN:
        said = "not judged"
    elif metric.better is None:
        said = "same"
    else:
        said = "▲ better" if metric.better else "▼ worse"
    return Markdown(said)


def _name(metric: MetricChange) -> Markdown:
    name = code(metric.name, 80)
    return md("{} on {}", name, text(metric.dataset, 60)) if metric.dataset else name
