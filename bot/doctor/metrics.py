"""Whether the series are there that a canary will read. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from bot.analysis.buckets import choose_bounds
from bot.analysis.queries import Query, Role
from bot.domain.finding import Finding, Level, ok, problem, warning
from bot.domain.series import Series
from bot.domain.slo import OnBreach, Slo

AREA = "Prometheus"
MINUTES = 5
_NOT_YET = frozenset({Role.BAD, Role.BAD_NOW})
"""A service without errors has no series of errors."""


def unknown_source(subject: str, name: str) -> Finding:
    setting = "SLIPWAY_PROMETHEUS_URL" if name == "default" else "SLIPWAY_PROMETHEUS_SOURCES"
    sentence = f"Its SLOs are read from `{name}`, and no connection of that name is set up."
    return problem(AREA, subject, sentence, f"Set {setting}.")


def unknown_version(subject: str) -> Finding:
    sentence = "Its selectors name {version}, and which version is pinned cannot be told now."
    return warning(AREA, subject, sentence, "Look again once GitHub answers, or after the first promotion.")


def series(
    subject: str, slo: Slo, queries: Sequence[Query], answers: Mapping[str, Sequence[Series]]
) -> Iterator[Finding]:
    """What the queries of one environment gave."""
    good: list[str] = []
    for query in queries:
        found = answers.get(query.text, ())
        trouble = _empty(subject, query, slo) if not found else _bounds(subject, query, found)
        if trouble is not None:
            yield trouble
        if found and (trouble is None or trouble.level is not Level.PROBLEM) and query.slo not in good:
            good.append(query.slo)
    if good:
        yield ok(AREA, subject, f"The series of {', '.join(good)} are there.")


def _empty(subject: str, query: Query, slo: Slo) -> Finding | None:
    if query.role in _NOT_YET:
        return None
    sentence = f"`{query.slo}` ({query.side}) found nothing in the last {MINUTES} minutes: {query.text}"
    todo = (
        "Is the service scraped, did it get requests, and do the selectors of `slo` in slipway.yaml fit its"
        " labels? Without series a canary ends as no_data."
    )
    gauge = slo.gauges.get(query.slo)
    if gauge is not None and query.role is Role.GAUGE and gauge.on_breach is not OnBreach.FAIL:
        return warning(AREA, subject, sentence, todo)
    return problem(AREA, subject, sentence, todo)


def _bounds(subject: str, query: Query, found: Sequence[Series]) -> Finding | None:
    if query.role is not Role.BUCKET or query.threshold is None:
        return None
    choices = choose_bounds([each.labels for each in found], query.threshold)
    for choice in choices.values():
        if choice.bound is None:
            why = choice.sentence or "the histogram has no buckets"
            todo = "Give the service's histogram a bucket at the threshold, or choose another threshold."
            return problem(AREA, subject, f"`{query.slo}` cannot be judged: {why}.", todo)
        if choice.sentence is not None:
            todo = "Choose a threshold that is a bucket's bound, or add the bucket."
            return warning(AREA, subject, f"`{query.slo}`: {choice.sentence}.", todo)
    return None
