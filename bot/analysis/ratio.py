"""One ratio SLO over the whole watch: its evidence, its totals, and the sentence about it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.analysis.burn import BurnAlarm, Pair
from bot.analysis.dispersion import Past, past
from bot.analysis.evidence import CHANGED_WARM_CAP, DOWN_CAP, Evidence, Prior
from bot.analysis.interval import ratio_interval
from bot.analysis.load import LoadCurve
from bot.analysis.objectives import Objective, percent
from bot.analysis.settings import Settings
from bot.analysis.trial import Trial
from bot.analysis.windows import NOTHING, Count
from bot.domain.verdict import Outcome, SloEvidence

_PLAINLY_DOWN = 0.75
"""In the warm-up only more bad requests than this speak against a candidate."""
_ENOUGH_HISTORY = 20
"""Windows of history from which on the baseline's own ratio is believed."""
EASE = 150.0
"""How much less evidence against the objective is enough where the candidate is certainly worse than the
baseline was.
"""
_AT_ONCE = 0.98
"""The weight of "broken from the start": what a new version breaks, it mostly breaks at once."""
_BESIDE_EASE = 10.0
_BESIDE_RHO = 0.05
"""The correlation within a bunch between two services side by side, of which no history tells."""
_DOWN = 0.1
"""The part of the accepted chance of a false `failed` that "plainly down in the warm-up" takes."""
_HIGHER = 1.1
"""What the load excuses is told where it is more than a tenth."""
_MOST_POINTS = 120


@dataclass(frozen=True, slots=True)
class Look:
    """What one window says of one SLO: cell number, seconds since the watch began, length in intervals."""

    index: int
    elapsed: float
    length: float
    candidate: Count | None
    baseline: Count | None


@dataclass(slots=True)
class RatioWatch:
    """One ratio SLO. Build it with `of`."""

    objective: Objective
    settings: Settings
    alpha: float
    learned: Past
    allowed: float
    """The accepted bad ratio: the objective's, or the baseline's own where that was worse."""
    relative_allowed: float | None
    """The accepted bad ratio by `max_regression` from history; None where there is no such history."""
    main: Trial
    """Is the bad ratio more than allowed?"""
    down: Trial
    """Is the service plainly down in the warm-up?"""
    changed: Trial | None
    """Is the bad ratio more than the baseline's was? None where no history tells."""
    beside: Trial
    """Is the bad ratio more than that of the baseline beside?"""
    relative: Trial | None
    """Is the bad ratio more than `max_regression` accepts?"""
    burn: BurnAlarm
    total: Count = NOTHING
    total_baseline: Count = NOTHING
    points: list[tuple[float, float]] = field(default_factory=list)
    stride: int = 1
    looks: int = 0
    allowed_bad: float = 0.0
    """Bad requests that were allowed at the load there was."""
    burning: Pair | None = None

    @classmethod
    def of(
        cls, objective: Objective, history: Sequence[Count], settings: Settings, alpha: float
    ) -> "RatioWatch":
        """A fresh watch. `history`: the baseline's own windows before; `alpha`: this SLO's part of the
        accepted chance of a false `failed`.
        """
        return cls.knowing(past(history, objective.allowed), objective, settings, alpha)

    @classmethod
    def knowing(cls, learned: Past, objective: Objective, settings: Settings, alpha: float) -> "RatioWatch":
        """The same from what history has taught already."""
        known = learned.windows >= _ENOUGH_HISTORY
        allowed = objective.allowed
        if known and learned.typical > allowed:
            allowed = min(learned.upper, 0.99)
        relative_allowed = None
        if objective.max_regression is not None and known:
            relative_allowed = min(learned.upper * (1.0 + objective.max_regression), 0.99)
        prior = Prior(warm_up=settings.warm_up, horizon=settings.max_bake, scale=4 * settings.interval)
        early = replace(prior, start=_AT_ONCE)
        at_once = Prior(warm_up=0.0, horizon=settings.warm_up, scale=settings.warm_up + 1.0, start=1.0)

        def trial(level: float, rho: float, when: Prior, curve: LoadCurve | None = None) -> Trial:
            return Trial(Evidence(math.log(1.0 / level), rho, curve), when, settings.interval)

        main = trial(alpha * (1 - _DOWN), learned.rho(allowed), early, learned.load)
        main.evidence.lenient = learned.load is not None
        main.evidence.wary = True
        down = trial(alpha * _DOWN, learned.rho(allowed), at_once)
        down.cap = DOWN_CAP
        changed = None
        if known and learned.upper < allowed:
            changed = trial(alpha, learned.rho(learned.upper), early, learned.load)
            changed.warm_cap = CHANGED_WARM_CAP
            changed.evidence.wary = True
        return cls(
            objective=objective,
            settings=settings,
            alpha=alpha,
            learned=learned,
            allowed=allowed,
            relative_allowed=relative_allowed,
            main=main,
            down=down,
            changed=changed,
            beside=trial(min(0.1, alpha * _BESIDE_EASE), _BESIDE_RHO, early),
            relative=trial(alpha, learned.rho(relative_allowed or allowed), prior, learned.load)
            if objective.max_regression is not None
            else None,
            burn=BurnAlarm(allowed),
        )

    def observe(self, look: Look) -> None:
        """Take in one window."""
        count = look.candidate
        if count is None:
            count = NOTHING
        else:
            self.looks += 1
        warm = (look.index + 1) * self.settings.interval > self.settings.warm_up
        load = count.total + (look.baseline.total if look.baseline is not None else 0.0)
        self.main.observe(look.index, count, self.allowed, look.length, load)
        if not warm and not self.objective.slow_start:
            self.down.observe(look.index, count, max(self.allowed, _PLAINLY_DOWN), look.length)
        if self.changed is not None:
            self.changed.observe(look.index, count, self.learned.upper, look.length, load)
        self._observe_baseline(look, count, warm=warm)
        if warm:
            self.burn.observe(look.elapsed, count)
            self.burning = self.burning or self.burn.burning(look.elapsed)
        self.allowed_bad += self._allowed_bad(count, load, look.length)
        self.total += count
        self.total_baseline += look.baseline or NOTHING
        self._note_point(look.elapsed)

    def _observe_baseline(self, look: Look, heard: Count, *, warm: bool) -> None:
        """Of all bad requests of both sides, the candidate's part must not be more than its part of all
        requests: given the number of bad ones, an outage that both share says nothing.
        """
        beside = look.baseline
        worse = 1.0 + (self.objective.max_regression or 0.0)
        if beside is not None and beside.total > 0 and heard.total > 0:
            both = Count(heard.bad + beside.bad, heard.bad)
            self.beside.observe(look.index, both, _share(heard.total, beside.total), look.length)
            if self.relative is not None and warm:
                part = _share(worse * heard.total, beside.total)
                self.relative.observe(look.index, both, part, look.length)
            return
        self.beside.observe(look.index, NOTHING, 0.0, look.length)
        if self.relative is not None and self.relative_allowed is not None and warm:
            self.relative.observe(look.index, heard, self.relative_allowed, look.length, heard.total)

    def _allowed_bad(self, count: Count, load: float, length: float) -> float:
        if self.learned.load is None or length <= 0:
            return self.allowed * count.total
        return max(self.allowed, self.learned.load.shifted(self.allowed, load / length)) * count.total

    def _note_point(self, elapsed: float) -> None:
        if self.looks % self.stride == 0:
            self.points.append((round(elapsed, 3), float(f"{self.main.value():.4g}")))
        if len(self.points) > _MOST_POINTS:
            self.points = self.points[::2]
            self.stride *= 2

    @property
    def threshold(self) -> float:
        """The E from which on the SLO has failed."""
        return 1.0 / self.alpha

    @property
    def has_baseline(self) -> bool:
        """Whether a baseline with a fair part of the traffic runs beside."""
        return self.total_baseline.total >= max(0.05 * self.total.total, 1.0)

    def failure(self) -> str | None:
        """Why the candidate does not keep this SLO; None while that is not shown."""
        if self.total.total < self.settings.min_requests:
            return None
        if self._broken() and (not self.has_baseline or self.beside.exceeds()):
            return f"{self._measured()}, {self._accepted()}"
        if self.relative is not None and self.relative.exceeds():
            return (
                f"{self._measured()}, more than {1.0 + (self.objective.max_regression or 0.0):g} times "
                f"the baseline's {percent(self._baseline_now() or 0.0)}"
            )
        if self.burning is not None and (not self.has_baseline or self.beside.exceeds()):
            return (
                f"{self._measured()}: the error budget burns more than {self.burning.factor:g} times too fast"
            )
        return None

    def _broken(self) -> bool:
        """More bad requests than allowed: for certain, or nearly so in a service that has certainly
        changed from what the baseline was.
        """
        if self.main.exceeds() or self.down.exceeds():
            return True
        return self.changed is not None and self.main.exceeds(EASE) and self.changed.exceeds()

    def leaning(self) -> bool:
        """Whether the evidence is against the candidate, though not enough to fail it."""
        if self.total.total <= 0 or self.total.bad <= self.allowed * self.total.total:
            return False
        return self.main.value() > 1.0

    def settled(self) -> Outcome:
        """The outcome if the watch ended now."""
        if self.failure() is not None:
            return Outcome.FAILED
        if self.looks == 0:
            return Outcome.NO_DATA
        if self.total.total < self.settings.min_requests or self.leaning():
            return Outcome.INCONCLUSIVE
        return Outcome.PASSED

    def reason(self) -> str:
        """What was seen, as one sentence without its full stop."""
        failure = self.failure()
        if failure is not None:
            return failure
        if self.looks == 0:
            return f"{self.objective.name}: no such series"
        if self.total.total <= 0:
            return f"{self.objective.name}: no requests"
        if self.total.total < self.settings.min_requests:
            return (
                f"{self.objective.name}: only {self.total.total:g} requests, fewer than the "
                f"{self.settings.min_requests} that the policy asks for"
            )
        return f"{self._measured()}, {self._accepted()}"

    def _measured(self) -> str:
        return (
            f"{self.objective.name}: {percent(self.total.bad / self.total.total)} of "
            f"{self.total.total:,.0f} requests were bad"
        )

    def _accepted(self) -> str:
        if self.allowed > self.objective.allowed:
            return (
                f"where the baseline itself had up to {percent(self.allowed)} "
                f"(the objective allows {percent(self.objective.allowed)})"
            )
        at_load = self.allowed_bad / self.total.total
        if at_load > _HIGHER * self.allowed:
            return f"where {percent(self.allowed)} are allowed, and {percent(at_load)} at this load"
        return f"where {percent(self.allowed)} are allowed"

    def _baseline_now(self) -> float | None:
        if self.total_baseline.total > 0:
            return self.total_baseline.bad / self.total_baseline.total
        return self.learned.ratio

    def shown(self) -> SloEvidence:
        """Everything about it for a verdict or a status comment."""
        total, bad = self.total.total, self.total.bad
        evidence = tuple(self.points)
        return SloEvidence(
            slo=self.objective.name,
            objective=self.objective.sentence,
            query=self.objective.query,
            outcome=self.settled(),
            reason=f"{self.reason()}.",
            total=total,
            bad=bad,
            ratio=bad / total if total > 0 else None,
            interval=ratio_interval(total, bad, self._deff()) if total > 0 else None,
            threshold=self.threshold,
            evidence=evidence,
            baseline_ratio=self._baseline_now(),
        )

    def _deff(self) -> float:
        return 1.0 + self.total.total / max(1, self.looks) * self.main.evidence.rho

    def state(self) -> dict[str, Any]:
        """What must be kept to go on later."""
        return {
            "learned": self.learned.state(),
            "main": self.main.state(),
            "down": self.down.state(),
            "changed": self.changed.state() if self.changed is not None else None,
            "beside": self.beside.state(),
            "relative": self.relative.state() if self.relative is not None else None,
            "burn": self.burn.state(),
            "burning": [self.burning.long, self.burning.short, self.burning.factor] if self.burning else None,
            "total": [self.total.total, self.total.bad],
            "total_baseline": [self.total_baseline.total, self.total_baseline.bad],
            "points": [list(point) for point in self.points],
            "stride": self.stride,
            "looks": self.looks,
            "allowed_bad": self.allowed_bad,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        self.main.restore(state["main"])
        self.down.restore(state["down"])
        if self.changed is not None and state["changed"] is not None:
            self.changed.restore(state["changed"])
        self.beside.restore(state["beside"])
        if self.relative is not None:
            self.relative.restore(state["relative"])
        self.burn.restore(state["burn"])
        self.burning = Pair(*state["burning"]) if state["burning"] else None
        self.total = Count(*state["total"])
        self.total_baseline = Count(*state["total_baseline"])
        self.points = [(elapsed, value) for elapsed, value in state["points"]]
        self.stride = state["stride"]
        self.looks = state["looks"]
        self.allowed_bad = state["allowed_bad"]


def _share(candidate: float, baseline: float) -> float:
    return candidate / (candidate + baseline)
