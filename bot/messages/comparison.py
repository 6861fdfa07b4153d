"""Candidate beside baseline: metrics first, then what changed, each part a section of its own."""

import math
from collections.abc import Sequence

from bot.domain.comparison import Comparison, Direction, MetricChange, SignatureChange, ValueChange
from bot.domain.evidence import Column, Signature, VersionEvidence
from bot.messages import numbers
from bot.messages.escape import Markdown, code, link, quoted, text
from bot.messages.layout import folded, lines, md, paragraphs, table
from bot.messages.numbers import NOTHING

SHOWN_METRICS = 12
MOST_ROWS = 150


def metrics(comparison: Comparison) -> Markdown:
    """The metrics that can be judged, worst first; the rest is in `more_metrics`."""
    if not comparison.metrics and comparison.candidate.prompt is not None:
        return Markdown("")
    if not comparison.metrics:
        return md("The registry has no metrics of this version.")
    rows = _ranked(comparison)[:SHOWN_METRICS]
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


def more_metrics(comparison: Comparison) -> Markdown:
    """All other metrics, folded; empty when there are none."""
    rest = _ranked(comparison)[SHOWN_METRICS:]
    if not rest:
        return Markdown("")
    body = _metric_table(comparison, rest[:MOST_ROWS])
    return folded(f"{len(rest)} more metrics", _cut(body, len(rest)))


def facts(comparison: Comparison) -> Markdown:
    """The other facts, one line each: signature, data, code, training, size, licence."""
    new, old = comparison.candidate, comparison.baseline
    if new.prompt is not None:
        return lines(
            md("- **Variables:** {}", _variables(comparison)),
            md("- **Written:** {}", _trained(new)),
        )
    return lines(
        _changed(comparison),
        md("- **Signature:** {}", signature_sentence(comparison)),
        md("- **Data:** {}", _data(comparison)),
        md("- **Code:** {}", _code(comparison)),
        md("- **Trained:** {}", _trained(new)),
        md("- **Model:** {}", _made_of(new, old)),
        *(md("- **Not readable:** {}", text(reason, 300)) for reason in new.unreadable[:5]),
    )


def _changed(comparison: Comparison) -> Markdown | None:
    """Parameters and libraries that changed, by name; the values of all are folded below."""
    if comparison.baseline is None:
        return None
    kinds = {"parameter": comparison.parameters, "library": comparison.libraries}
    told = [_named(kind, changes) for kind, changes in kinds.items() if changes]
    return md("- **Changed:** {}", Markdown("; ".join(told) or "neither parameters nor libraries"))


def _named(kind: str, changes: Sequence[ValueChange]) -> Markdown:
    shown = [md("{} ({} → {})", code(c.name, 40), _short(c.old), _short(c.new)) for c in changes[:3]]
    many = kind if len(changes) == 1 else {"library": "libraries"}.get(kind, f"{kind}s")
    more = f" and {len(changes) - 3} more" if len(changes) > len(shown) else ""
    return Markdown(f"{len(changes)} {many}: {', '.join(shown)}{more}")


def _short(value: str | None) -> Markdown:
    return NOTHING if value is None else text(value, 20)


def _variables(comparison: Comparison) -> Markdown:
    """What callers of a prompt must send."""
    new, change = comparison.candidate, comparison.signature
    names = [code(column.name, 40) for column in (new.signature.inputs if new.signature else ())]
    shown = Markdown(", ".join(names[:10]) or "none")
    if change is None:
        return shown
    if change.breaking:
        return md("{}; **breaks callers**: {}", shown, text("; ".join(change.breaks[:5]), 400))
    return md("{}, {}", shown, Markdown("unchanged" if change.unchanged else "fewer than before"))


def signature_sentence(comparison: Comparison) -> Markdown:
    new, old, change = comparison.candidate, comparison.baseline, comparison.signature
    if new.signature is None:
        return md("not recorded")
    counts = Markdown(f"{_count(new.signature.inputs, 'input')}, {_count(new.signature.outputs, 'output')}")
    if old is None:
        return counts
    if change is None:
        return md("{}; the baseline's is not recorded", counts)
    if change.unchanged:
        return md("unchanged ({})", counts)
    if not change.breaking:
        return md("changed, callers of the baseline keep working ({})", counts)
    shown = text("; ".join(change.breaks[:5]), 400)
    more = len(change.breaks) - 5
    return md("**breaks callers**: {}{}", shown, md("; and {} more", more) if more > 0 else Markdown(""))


def _count(columns: Sequence[Column], kind: str) -> str:
    return f"{len(columns)} {kind}{'' if len(columns) == 1 else 's'}"


def details(comparison: Comparison) -> Sequence[Markdown]:
    """Folded sections, the most telling first."""
    new, old = comparison.candidate, comparison.baseline
    libraries = [change for change in comparison.libraries if old is not None]
    return [
        more_metrics(comparison),
        _values("Parameters that changed", comparison.parameters),
        _signature(comparison.signature, new.signature),
        _values("Python and libraries that changed", libraries),
        _tags(new),
        folded("Description", quoted(new.description)) if new.description.strip() else Markdown(""),
    ]


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
        body = [(_name(metric), numbers.number(metric.candidate)) for metric in rows]
        return table(("Metric", f"Version {code(new.version, 20)}"), body, "lr")
    header = (
        "Metric",
        f"Baseline {code(old.version, 20)}",
        f"Candidate {code(new.version, 20)}",
        "Change",
        "",
    )
    return table(header, [_metric_row(metric) for metric in rows], "lrrrl")


def _metric_row(metric: MetricChange) -> tuple[Markdown, ...]:
    relative = abs(metric.delta / metric.baseline) if metric.delta and metric.baseline else None
    change = numbers.signed(metric.delta)
    if relative is not None:
        change = md("{} ({})", change, numbers.percent(relative))
    return (
        _name(metric),
        numbers.number(metric.baseline),
        numbers.number(metric.candidate),
        change,
        _judgement(metric),
    )


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
    return Markdown(said + (", **other data set**" if metric.same_dataset is False else ""))


def _name(metric: MetricChange) -> Markdown:
    name = code(metric.name, 80)
    return md("{} on {}", name, text(metric.dataset, 60)) if metric.dataset else name


def _data(comparison: Comparison) -> Markdown:
    sets = comparison.candidate.datasets
    if not sets:
        return md("not recorded")
    shown = []
    known = {item.digest for item in comparison.baseline.datasets} if comparison.baseline else set()
    for item in sets[:5]:
        context = md(" ({})", text(item.context, 40)) if item.context else Markdown("")
        same = Markdown(", the baseline's too") if item.digest in known else Markdown("")
        shown.append(md("{} {}{}{}", text(item.name, 80), code(item.digest, 24), context, same))
    more = f" and {len(sets) - 5} more" if len(sets) > len(shown) else ""
    return Markdown("; ".join(shown) + more)


def _code(comparison: Comparison) -> Markdown:
    new = comparison.candidate
    if not new.git_commit:
        return md("commit not recorded")
    shown = code(new.git_commit[:12], 12)
    branch = md(" on {}", code(new.git_branch, 80)) if new.git_branch else Markdown("")
    compare = comparison.compare_url
    since = md(", {}", link(md("changes since the baseline"), compare)) if compare else Markdown("")
    return md("{}{}{}", shown, branch, since)


def _trained(new: VersionEvidence) -> Markdown:
    when = numbers.moment(new.trained_at or new.created_at)
    by = md(" by {}", text(new.creator, 60)) if new.creator else Markdown("")
    return md("{}{}", when, by)


def _made_of(new: VersionEvidence, old: VersionEvidence | None) -> Markdown:
    flavors = [code(flavor, 40) for flavor in new.flavors[:5]]
    parts = flavors or [md("flavor not recorded")]
    if new.python_version:
        parts.append(md("Python {}", text(new.python_version, 20)))
    grown = Markdown("")
    if old is not None and old.size_bytes is not None and new.size_bytes is not None:
        grown = md(" (baseline {})", numbers.size(old.size_bytes))
    parts.append(md("size {}{}", numbers.size(new.size_bytes), grown))
    parts.append(md("licence {}", text(new.licence, 60) if new.licence else md("not recorded")))
    if new.prompts:
        parts.append(md("prompts {}", Markdown(", ".join(code(prompt, 80) for prompt in new.prompts[:10]))))
    return Markdown(", ".join(parts))


def _values(title: str, changes: Sequence[ValueChange]) -> Markdown:
    if not changes:
        return Markdown("")
    rows = [(code(c.name, 80), _value(c.old), _value(c.new)) for c in changes[:MOST_ROWS]]
    body = _cut(table(("Name", "Baseline", "Candidate"), rows), len(changes))
    return folded(f"{title} ({len(changes)})", body)


def _value(value: str | None) -> Markdown:
    return NOTHING if value is None else code(value, 120)


def _signature(change: SignatureChange | None, signature: Signature | None) -> Markdown:
    if signature is None:
        return Markdown("")
    if change is not None and not change.unchanged:
        rows = [(md("added"), code(name, 80), NOTHING) for name in change.added]
        rows += [(md("removed"), code(name, 80), NOTHING) for name in change.removed]
        rows += [
            (md("retyped"), code(c.name, 80), md("{} → {}", _value(c.old), _value(c.new)))
            for c in change.retyped
        ]
        body = _cut(table(("Change", "Column", "Type"), rows[:MOST_ROWS]), len(rows))
        breaks = lines(*(md("- {}", text(sentence, 200)) for sentence in change.breaks[:MOST_ROWS]))
        return folded("Signature changes", paragraphs(body, breaks))
    columns = [("input", c) for c in signature.inputs] + [("output", c) for c in signature.outputs]
    columns += [("parameter", c) for c in signature.params]
    rows = [_column(kind, column) for kind, column in columns[:MOST_ROWS]]
    return folded("Signature", _cut(table(("", "Column", "Type"), rows), len(columns)))


def _column(kind: str, column: Column) -> tuple[Markdown, Markdown, Markdown]:
    optional = Markdown("" if column.required or kind == "parameter" else ", optional")
    return Markdown(kind), code(column.name, 80), md("{}{}", code(column.type, 80), optional)


def _tags(new: VersionEvidence) -> Markdown:
    shown = {key: value for key, value in sorted(new.tags.items()) if not key.startswith("mlflow.")}
    if not shown:
        return Markdown("")
    rows = [(code(key, 80), text(value, 200)) for key, value in list(shown.items())[:MOST_ROWS]]
    return folded(f"Tags ({len(shown)})", _cut(table(("Tag", "Value"), rows), len(shown)))


def _cut(body: Markdown, rows: int) -> Markdown:
    return md("{}\n\n_The first {} of {}._", body, MOST_ROWS, rows) if rows > MOST_ROWS else body
