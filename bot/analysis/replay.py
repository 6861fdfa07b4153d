"""A verdict can be recomputed from what was stored, by anybody, and must come out the same."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from bot.analysis.canary import Watch
from bot.analysis.objectives import GaugeLimit, Objective
from bot.analysis.settings import Settings
from bot.analysis.windows import Window
from bot.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a verdict came from. `extension`: seconds that people asked for on top."""

    slos: tuple[Objective | GaugeLimit, ...]
    history: tuple[Window, ...]
    settings: Settings
    windows: tuple[Window, ...]
    extension: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON; `from_json` reads it back."""
        return {
            "objectives": [asdict(slo) for slo in self.slos if isinstance(slo, Objective)],
            "gauges": [asdict(slo) for slo in self.slos if isinstance(slo, GaugeLimit)],
            "history": [window.to_json() for window in self.history],
            "settings": asdict(self.settings),
            "windows": [window.to_json() for window in self.windows],
            "extension": self.extension,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Record":
        """Reads what `to_json` wrote. Raises pydantic.ValidationError or KeyError on anything else."""
        objectives = TypeAdapter(list[Objective]).validate_python(plain["objectives"])
        gauges = TypeAdapter(list[GaugeLimit]).validate_python(plain["gauges"])
        return cls(
            slos=(*objectives, *gauges),
            history=tuple(Window.from_json(window) for window in plain["history"]),
            settings=TypeAdapter(Settings).validate_python(plain["settings"]),
            windows=tuple(Window.from_json(window) for window in plain["windows"]),
            extension=plain["extension"],
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out this time, and whether it is what was stored."""

    verdict: Verdict | None
    agrees: bool
    sentence: str


def replay(record: Record, stored: Verdict | None = None) -> Replay:
    """The verdict once more, from the windows alone, compared with the stored one if there is one."""
    watch = Watch(record.slos, record.history, record.settings)
    watch.extend(record.extension)
    first = None
    for window in record.windows:
        verdict = watch.observe(window)
        if verdict is None:
            continue
        if stored is None or verdict.digest == stored.digest:
            return _compare(verdict, stored, record.windows, watch.digest)
        first = first or verdict
        # While a check or the next step of the traffic was waited for, the watch went on.
        watch = Watch.restore(record.slos, record.history, record.settings, watch.state())
    return _compare(first, stored, record.windows, watch.digest)


def _compare(
    verdict: Verdict | None, stored: Verdict | None, windows: Sequence[Window], digest: str
) -> Replay:
    if stored is None:
        outcome = "no verdict yet" if verdict is None else f"`{verdict.outcome}`: {verdict.reason}"
        return Replay(verdict, agrees=True, sentence=f"From {len(windows)} windows: {outcome}")
    if digest == stored.digest and (verdict is None or verdict.digest != digest):
        sentence = f"The same data to the last digit; `{stored.outcome}` came from outside: {stored.reason}"
        return Replay(None, agrees=True, sentence=sentence)
    if verdict is None:
        sentence = f"The windows alone give no verdict; `{stored.outcome}` came from outside: {stored.reason}"
        return Replay(None, agrees=False, sentence=sentence)
    if (verdict.outcome, verdict.digest) == (stored.outcome, stored.digest):
        return Replay(
            verdict,
            agrees=True,
            sentence=f"The same: `{verdict.outcome}`, from the same data to the last digit.",
        )
    if verdict.outcome is stored.outcome:
        return Replay(
            verdict, agrees=False, sentence=f"The same outcome, `{verdict.outcome}`, but from other data."
        )
    return Replay(
        verdict,
        agrees=False,
        sentence=f"Stored was `{stored.outcome}`, recomputed is `{verdict.outcome}`: {verdict.reason}",
    )
