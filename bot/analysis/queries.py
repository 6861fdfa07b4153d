"""What to ask the metrics server for an environment's SLOs: exact texts, nothing sent.

Counters are read as raw samples through plain selectors, because `increase()` extrapolates and loses the
first errors of a new series. Only what is no plain selector is left to PromQL.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.analysis.objectives import GaugeLimit, Objective, percent
from bot.analysis.presets import TEMPLATES
from bot.domain.slo import Latency, Slo
from bot.domain.units import format_duration


class Role(StrEnum):
    """What a query's result means."""

    TOTAL = "total"
    """Counters of all requests, raw."""
    BAD = "bad"
    """Counters of the bad ones, raw."""
    BUCKET = "bucket"
    """A histogram, raw: the buckets of a classic one, or the series of a native one."""
    TOTAL_NOW = "total_now"
    """PromQL: how many there were in the last stretch."""
    BAD_NOW = "bad_now"
    """PromQL: how many bad ones there were in the last stretch."""
    GAUGE = "gauge"
    """PromQL: one value."""


RAW = frozenset({Role.TOTAL, Role.BAD, Role.BUCKET})


class Side(StrEnum):
    """Whose requests a query counts."""

    CANDIDATE = "candidate"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Query:
    """One thing to read. `threshold` is the latency threshold in the histogram's own unit."""

    slo: str
    side: Side
    role: Role
    text: str
    threshold: float | None = None


_SELECTOR = re.compile(
    r'[a-zA-Z_:][a-zA-Z0-9_:]*\s*(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?|\{(?:[^"{}]|"(?:[^"\\]|\\.)*")+\}'
)


_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


def is_selector(text: str) -> bool:
    """Whether `text` is one plain instant selector, whose raw samples can be read."""
    return _SELECTOR.fullmatch(text.strip()) is not None


def fill(template: str, names: Mapping[str, str]) -> str:
    """Put the promotion's names where their placeholders stand, escaped for a PromQL string."""

    def filled(found: re.Match[str]) -> str:
        value = names.get(found[1])
        if value is None:
            return found[0]
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return _PLACEHOLDER.sub(filled, template)


def objectives(slo: Slo, names: Mapping[str, str]) -> tuple[Objective | GaugeLimit, ...]:
    """What a watch judges for these SLOs, in the order in which a person reads them."""
    found: list[Objective | GaugeLimit] = []
    shown = _shown(slo, names)
    if slo.errors is not None:
        found.append(
            Objective(
                "errors",
                slo.errors.objective,
                max_regression=slo.errors.max_regression,
                query=shown["errors"],
                text=f"at most {percent(1 - slo.errors.objective)} of requests fail",
            )
        )
    if slo.latency is not None:
        latency = slo.latency
        found.append(
            Objective(
                "latency",
                latency.objective,
                slow_start=True,
                max_regression=latency.max_regression,
                query=shown["latency"],
                text=f"{percent(latency.objective)} of requests within {format_duration(latency.threshold)}",
            )
        )
    found += [
        Objective(name, ratio.objective, max_regression=ratio.max_regression, query=shown[name])
        for name, ratio in slo.ratios.items()
    ]
    found += [
        GaugeLimit(
            name,
            above=gauge.above,
            below=gauge.below,
            hold=gauge.hold.total_seconds(),
            on_breach=gauge.on_breach,
            query=shown[name],
        )
        for name, gauge in slo.gauges.items()
    ]
    return tuple(found)


def _shown(slo: Slo, names: Mapping[str, str]) -> Mapping[str, str]:
    """The candidate's queries by SLO, for a person: what is bad, over all where two are asked."""
    texts: dict[str, list[str]] = {}
    for query in queries(slo, names, stretch=60):
        if query.side is Side.CANDIDATE:
            texts.setdefault(query.slo, []).insert(0, query.text)
    return {name: " / ".join(asked) for name, asked in texts.items()}


def queries(slo: Slo, names: Mapping[str, str], *, stretch: float) -> tuple[Query, ...]:
    """Everything to read. `names`: model, version, baseline, environment, namespace; `stretch`: seconds
    that PromQL counts over (`{window}`).
    """
    sides = [(Side.CANDIDATE, slo.selector)]
    if slo.baseline is not None:
        sides.append((Side.BASELINE, slo.baseline))
    found: list[Query] = []
    for side, matchers in sides:
        found += _of_side(slo, side, fill(matchers, names), names)
    for name, ratio in slo.ratios.items():
        for role, now, text in (
            (Role.TOTAL, Role.TOTAL_NOW, ratio.total),
            (Role.BAD, Role.BAD_NOW, ratio.bad),
        ):
            filled = fill(text, names).replace("{window}", f"{stretch:g}s")
            found.append(Query(name, Side.CANDIDATE, role if is_selector(filled) else now, filled))
    found += [
        Query(name, Side.CANDIDATE, Role.GAUGE, fill(gauge.query, names))
        for name, gauge in slo.gauges.items()
    ]
    return tuple(found)


def _of_side(slo: Slo, side: Side, matchers: str, names: Mapping[str, str]) -> Sequence[Query]:
    template = TEMPLATES[slo.preset] if slo.preset is not None else None
    found = []
    if slo.errors is not None:
        total, bad = slo.errors.total, slo.errors.bad
        if total is None or bad is None:
            assert template is not None
            total, bad = _narrow(template.total, matchers), _narrow(template.bad, matchers)
        else:
            total, bad = fill(total, names), fill(bad, names)
        found += [Query("errors", side, Role.TOTAL, total), Query("errors", side, Role.BAD, bad)]
    if slo.latency is not None:
        histogram, milliseconds = slo.latency.histogram, slo.latency.milliseconds
        if histogram is None:
            assert template is not None
            histogram, milliseconds = _narrow(template.histogram, matchers), template.milliseconds
        else:
            histogram = fill(histogram, names)
        found.append(_latency(slo.latency, side, histogram, milliseconds=milliseconds))
    return found


def _latency(latency: Latency, side: Side, histogram: str, *, milliseconds: bool) -> Query:
    seconds = latency.threshold.total_seconds()
    threshold = round(seconds * 1000.0 if milliseconds else seconds, 9)
    name, brace, matchers = histogram.partition("{")
    suffix = "" if latency.native else "_bucket"
    return Query("latency", side, Role.BUCKET, f"{name}{suffix}{brace}{matchers}", threshold)


def _narrow(template: str, matchers: str) -> str:
    """The template with these matchers; without any, neither a stray comma nor empty braces."""
    matchers = matchers.strip().rstrip(",")
    text = template.replace("{{matchers}}", f"{{{matchers}}}" if matchers else "")
    return text.replace(",{matchers}", f",{matchers}" if matchers else "")
