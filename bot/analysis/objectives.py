"""What a watch judges: ratios that must stay small, gauges that must stay inside a limit."""

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.slo import OnBreach
from bot.domain.spans import spoken


@dataclass(frozen=True, slots=True)
class Objective:
    """A ratio SLO: of the requests counted under `name`, the part `objective` must be good.

    `slow_start`: the first requests of a healthy server are bad as a rule (latency: caches are cold), so
    that nothing in the warm-up fails it. `max_regression`: also fails when the bad ratio is more than
    `1 + max_regression` times the baseline's. `query` is for people to read.
    """

    name: str
    objective: float
    slow_start: bool = False
    max_regression: float | None = None
    query: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.objective < 1:
            raise ValueError(f"the objective of {self.name} must lie between 0 and 1, not {self.objective}")

    @property
    def allowed(self) -> float:
        """The accepted ratio of bad requests."""
        return 1.0 - self.objective

    @property
    def sentence(self) -> str:
        """The objective for a person."""
        return self.text or f"at most {percent(self.allowed)} bad"


@dataclass(frozen=True, slots=True)
class GaugeLimit:
    """A gauge that must not stay above or below a limit for `hold` seconds without a break."""

    name: str
    above: float | None = None
    below: float | None = None
    hold: float = 300.0
    on_breach: OnBreach = OnBreach.WARN
    query: str = ""

    @property
    def sentence(self) -> str:
        """The limit for a person."""
        limits = [f"above {self.above:g}"] if self.above is not None else []
        limits += [f"below {self.below:g}"] if self.below is not None else []
        return f"not {' or '.join(limits)} for {spoken(timedelta(seconds=self.hold))}"

    def breached_by(self, value: float) -> bool:
        """Whether this one value lies beyond the limit."""
        return (self.above is not None and value > self.above) or (
            self.below is not None and value < self.below
        )


def percent(ratio: float) -> str:
    """0.0123 → `1.23%`: three significant digits at most."""
    return f"{float(f'{100 * ratio:.3g}'):g}%"
