"""The canary: raw counters → windows → evidence → verdict. Pure; a benchmark drives it without a server.

    from bot.analysis.canary import Watch
    from bot.analysis.objectives import Objective
    from bot.analysis.windows import Count, Window

    slos = [Objective("errors", 0.99), Objective("latency", 0.95, slow_start=True)]
    history = [Window(at=t, candidate={"errors": Count(total=300, bad=1)}) for t in range(0, 3600, 15)]
    watch = Watch(slos, history)                      # Watch(slos, history, Settings(bake=900, ...))
    for window in windows:                            # each with `at` in unix seconds and counts by SLO
        if (verdict := watch.observe(window)) is not None:
            print(verdict.outcome, verdict.reason)

`docs/canary.md` tells the whole method; `Window`, `Objective` and `Settings` say their units.
"""
