"""What `slipway backtest` says, for a person and for a program."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.analysis.backtest import Backtest
from bot.analysis.objectives import percent
from bot.cli.columns import columns
from bot.domain.spans import spoken

DAY = 86_400.0
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What is tested: an environment of a model over the days until `until` (unix seconds)."""

    model: str
    environment: str
    policy: str
    days: float
    until: float
    not_tested: tuple[str, ...]
    """SLOs that cannot be replayed: gauges, and ratios that PromQL counts."""

    @property
    def since(self) -> float:
        """Where the past begins (unix seconds)."""
        return self.until - self.days * DAY


def told(asked: Asked, result: Backtest, notes: Sequence[str]) -> Iterator[str]:
    """The answer, line by line."""
    until = datetime.fromtimestamp(asked.until, UTC)
    yield (
        f"{asked.model} in {asked.environment}, the {_spoken(asked.days * DAY)} "
        f"until {until:%Y-%m-%d %H:%M} UTC, under the policy {asked.policy}:"
    )
    rows = [("SLO", "objective", "requests", "bad", "share")]
    rows += [
        (each.slo, each.objective, f"{each.total:,.0f}", f"{each.bad:,.0f}", percent(each.bad / each.total))
        for each in result.past
        if each.total > 0
    ]
    yield from columns(rows, "llrrr")
    yield ""
    yield result.sentence
    if result.starts == 0:
        return
    ended = ", ".join(f"{count} {outcome.value}" for outcome, count in result.outcomes)
    yield f"  A start every {_spoken(result.every)}: {ended or 'none came to an end'}."
    for alarm in result.alarms[:_SHOWN]:
        began = datetime.fromtimestamp(alarm.at, UTC)
        yield f"  {began:%Y-%m-%d %H:%M} UTC, reverted after {_spoken(alarm.after)}: {alarm.reason}"
    if len(result.alarms) > _SHOWN:
        yield f"  and {len(result.alarms) - _SHOWN} more (--json has all)"
    yield ""
    yield f"With bad requests put into {max(each.starts for each in result.catches)} of these starts:"
    catches = [("SLO", "bad", "reverted", "half of them within", "all within")]
    catches += [
        (
            each.slo,
            percent(each.ratio),
            f"{len(each.delays)} of {each.starts}",
            _took(each.median),
            _took(each.slowest),
        )
        for each in result.catches
    ]
    yield from columns(catches, "lrrrr")
    remarks = list(notes)
    if asked.not_tested:
        remarks.append(
            f"not tested, because only counters have a past that can be replayed: {listed(asked.not_tested)}"
        )
    yield from ("", *(f"note: {remark}" for remark in remarks)) if remarks else ()


def plain(asked: Asked, result: Backtest, notes: Sequence[str]) -> dict[str, Any]:
    """The same for a program. Times in unix seconds, delays in seconds, ratios as fractions."""
    return {
        "model": asked.model,
        "environment": asked.environment,
        "policy": asked.policy,
        "since": asked.since,
        "until": asked.until,
        "slos": [asdict(each) for each in result.past],
        "starts": result.starts,
        "every": result.every,
        "outcomes": {outcome.value: count for outcome, count in result.outcomes},
        "reverted": [asdict(alarm) for alarm in result.alarms],
        "injected": [
            {
                "slo": each.slo,
                "ratio": each.ratio,
                "starts": each.starts,
                "reverted": len(each.delays),
                "median": each.median,
                "slowest": each.slowest,
            }
            for each in result.catches
        ],
        "not_tested": list(asked.not_tested),
        "notes": list(notes),
    }


def listed(names: Sequence[str]) -> str:
    """`a, b, c`."""
    return ", ".join(names)


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else _spoken(seconds)


def _spoken(seconds: float) -> str:
    return spoken(timedelta(seconds=seconds))
