"""`make bench-canary-false`: false reverts alone, with runs enough to tell one in a hundred.

    python benchmarks/canary/confirm.py [--runs 400] [--family smooth stormy queued] [--only TEXT] [--seed 1]

Every healthy scenario (and those at the edge, reported beside), our own decider only, scenario by scenario
so that memory stays small. Intervals are Clopper and Pearson's at 95%.
"""

import argparse
import math
from dataclasses import replace

import ours
from generator import FAMILIES, generate
from scenarios import edge, healthy

_BATCH = 100
_LEVEL = 0.95


def interval(seen: int, runs: int) -> tuple[float, float]:
    """The exact interval for a chance of which `seen` in `runs` were found."""
    tail = (1 - _LEVEL) / 2
    low = 0.0 if seen == 0 else _solve(lambda p: 1 - _at_most(seen - 1, runs, p) - tail)
    high = 1.0 if seen == runs else _solve(lambda p: tail - _at_most(seen, runs, p))
    return low, high


def _at_most(seen: int, runs: int, chance: float) -> float:
    """P(X <= seen) of a binomial."""
    if chance <= 0 or chance >= 1:
        return float(chance <= 0)
    logs = (
        math.lgamma(runs + 1)
        - math.lgamma(k + 1)
        - math.lgamma(runs - k + 1)
        + k * math.log(chance)
        + (runs - k) * math.log1p(-chance)
        for k in range(seen + 1)
    )
    return math.fsum(map(math.exp, logs))


def _solve(rising) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return low


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--only", default="", help="scenarios whose name has this in it")
    options = parser.parse_args()
    chosen = [scenario for scenario in healthy() + edge() if options.only in scenario.name]
    print("| family | scenario | runs | false reverts | 95% interval |\n|---|---|---|---|---|")
    for family in options.family:
        found = {"healthy": 0, "edge": 0}
        worst = (0.0, "")
        for scenario in (replace(each, family=family) for each in chosen):
            seen = 0
            for batch in range(0, options.runs, _BATCH):
                traces = generate(scenario, min(_BATCH, options.runs - batch), options.seed + batch)
                seen += int((ours.decide(traces) >= 0).sum())
            found[scenario.kind] += seen
            low, high = interval(seen, options.runs)
            if scenario.kind == "healthy":
                worst = max(worst, (seen / options.runs, scenario.name))
            print(
                f"| {family} | {scenario.name} | {options.runs} | {seen} = {seen / options.runs:.2%} "
                f"| {low:.2%}–{high:.2%} |",
                flush=True,
            )
        runs = options.runs * sum(scenario.kind == "healthy" for scenario in chosen)
        if not runs:
            continue
        low, high = interval(found["healthy"], runs)
        print(
            f"| {family} | **all healthy** | {runs} | {found['healthy']} = {found['healthy'] / runs:.3%}, "
            f"worst {worst[0]:.2%} ({worst[1]}) | {low:.3%}–{high:.3%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
