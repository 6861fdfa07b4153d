"""`make bench-canary`: false reverts and delays of canary deciders over the same simulated traces.

    python benchmarks/canary/run.py [--runs 40] [--family smooth|stormy|queued] [--scenarios] [--load]

A false revert is a `failed` for a healthy scenario. The delay runs from the beginning of the regression
(the first window in which a bad ratio is over what is accepted) to the decision; its median over the runs
counts, an hour where most runs never decide, and a decision before the beginning is none. "Bad until"
is the mean number of bad requests until the decision. The bound is ln(1/α) over the information that a
request carries, at α = 0.001, counted after the warm-up for what is broken from the start.
"""

import argparse
import json
import time
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import ours
from deciders import Decider, competitors
from generator import FAMILIES, WINDOW, Array, Scenario, Traces, generate
from scenarios import scenarios

ALPHA = 0.001
WARM_UP = 60.0
HOUR = 3600.0
MEAN_LIMIT, WORST_LIMIT = 0.001, 0.01
LONG_BOUND = 60.0
HEADER = """\
| decider | setting | false: mean | worst | edge | in 10 m | 30 m | 60 m | delay | bad until | × bound |
|---|---|---|---|---|---|---|---|---|---|---|"""


@dataclass
class Row:
    """One decider over all scenarios."""

    decider: Decider
    false: dict[str, float]
    edge: dict[str, float]
    delays: dict[str, float]
    within: dict[str, tuple[float, float, float]]
    bad: dict[str, float]
    bounds: dict[str, float]

    @property
    def mean_false(self) -> float:
        return float(np.mean(list(self.false.values())))

    @property
    def worst_false(self) -> float:
        return max(self.false.values())

    @property
    def honest(self) -> bool:
        return self.mean_false <= MEAN_LIMIT and self.worst_false <= WORST_LIMIT

    @property
    def delay(self) -> float:
        return float(np.exp(np.mean(np.log(list(self.delays.values())))))

    @property
    def times_bound(self) -> float:
        """The geometric mean of delay over bound, where the bound is long."""
        ratios = [
            max(self.delays[name] - (0 if "from minute" in name or "leak" in name else WARM_UP), WINDOW)
            / bound
            for name, bound in self.bounds.items()
            if LONG_BOUND <= bound < HOUR
        ]
        return float(np.exp(np.mean(np.log(ratios))))


def judge(decider: Decider, prepared: list[tuple[Scenario, Traces]]) -> Row:
    """Run one decider over everything."""
    row = Row(decider, {}, {}, {}, {}, {}, {})
    for scenario, traces in prepared:
        first = decider.decide(traces)
        if scenario.kind != "regressed":
            share = float((first >= 0).mean())
            (row.false if scenario.kind == "healthy" else row.edge)[scenario.name] = share
            continue
        begin = ours.begins(scenario, traces)
        delay = np.where(first >= 0, (first + 1) * WINDOW - begin, np.inf)
        delay = np.where(delay <= 0, np.inf, delay)
        row.delays[scenario.name] = float(min(np.median(delay), HOUR))
        row.within[scenario.name] = tuple(float((delay <= m * 60).mean()) for m in (10, 30, 60))
        row.bad[scenario.name] = _bad_until(traces, first)
        row.bounds[scenario.name] = ours.bound(scenario, traces, ALPHA)
    return row


def _bad_until(traces: Traces, first: Array) -> float:
    bad = np.cumsum(np.maximum(traces.bad["errors"], traces.bad["latency"]), axis=1)
    return float(bad[np.arange(len(bad)), np.where(first >= 0, first, bad.shape[1] - 1)].mean())


def best(rows: list[Row]) -> Row:
    """The quickest that is honest; where none is, the one with the fewest false reverts."""
    honest = [row for row in rows if row.honest]
    if honest:
        return min(honest, key=lambda row: row.delay)
    return min(rows, key=lambda row: (row.worst_false, row.mean_false, row.delay))


def table(rows: list[Row]) -> None:
    """One table, a decider a line."""
    print(HEADER)
    for row in rows:
        within = np.mean(list(row.within.values()), axis=0) * 100
        mark = "" if row.honest else " ✗"
        cells = [
            row.decider.tool,
            row.decider.setting,
            f"{row.mean_false:.2%}{mark}",
            f"{row.worst_false:.1%}",
            f"{np.mean(list(row.edge.values())):.1%}",
            *(f"{share:.0f}%" for share in within),
            f"{row.delay:.0f} s",
            f"{np.mean(list(row.bad.values())):.0f}",
            f"{row.times_bound:.2f}",
        ]
        print(f"| {' | '.join(cells)} |")


def details(row: Row) -> None:
    """Every scenario of one decider."""
    for name, share in {**row.false, **row.edge}.items():
        print(f"| {name} | false {share:.1%} |")
    for name, delay in row.delays.items():
        within = row.within[name][2]
        print(f"| {name} | {delay:.0f} s | bound {row.bounds[name]:.0f} s | {within:.0%} in an hour |")


def load() -> None:
    """How much of a core a thousand canaries need at one look every 15 s."""
    scenario = replace(scenarios()[0], name="load")
    traces = generate(scenario, 1, 1)
    looks, past = ours.windows(traces, 0), ours.history(traces, 0)
    made = time.process_time()
    watch = ours.Watch(ours.SLOS, past)
    made = time.process_time() - made
    begin = time.process_time()
    for window in looks:
        watch = ours.Watch.restore(ours.SLOS, past, None, json.loads(json.dumps(watch.state())))
        watch.observe(window)
    each = (time.process_time() - begin) / len(looks)
    print(
        f"1,000 canaries, stored and restored at each look: {1000 * each / WINDOW:.1%} of a core "
        f"({each * 1e6:.0f} µs a look); beginning a watch with an hour of history: {made * 1e3:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", choices=FAMILIES, default="smooth")
    parser.add_argument("--scenarios", action="store_true", help="every scenario of our own decider")
    parser.add_argument("--load", action="store_true", help="only the cost of a look")
    options = parser.parse_args()
    if options.load:
        load()
        return
    begin = time.monotonic()
    chosen = [replace(scenario, family=options.family) for scenario in scenarios()]
    prepared = [
        (
            scenario,
            generate(
                scenario,
                options.runs if scenario.kind != "regressed" else max(10, options.runs // 2),
                options.seed,
            ),
        )
        for scenario in chosen
    ]
    mine = judge(Decider("Slipway", "defaults", ours.decide), prepared)
    tools: dict[str, list[Row]] = defaultdict(list)
    for decider in competitors():
        tools[decider.tool].append(judge(decider, prepared))
    shown = [mine]
    for rows in tools.values():
        shown += [row for row in rows if row.decider.recommended]
        shown.append(best(rows))
    table(shown)
    kinds = {
        kind: sum(scenario.kind == kind for scenario in chosen) for kind in ("healthy", "edge", "regressed")
    }
    print(
        f"\n{options.family} generator, {kinds}, {options.runs} runs of each healthy and "
        f"{max(10, options.runs // 2)} of each regressed one, seed {options.seed}, "
        f"{sum(map(len, tools.values()))} settings of other tools, {time.monotonic() - begin:.0f} s. "
        f"✗: more false reverts than {MEAN_LIMIT:.1%} in the mean or {WORST_LIMIT:.0%} at worst."
    )
    if options.scenarios:
        details(mine)
    load()


if __name__ == "__main__":
    main()
