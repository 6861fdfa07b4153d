"""The scenarios of the benchmark: what services do when they are well, and when they are not."""

from generator import Event, Scenario


def healthy() -> list[Scenario]:
    """Services that keep their SLOs; whoever reverts one is wrong."""

    def well(name: str, **kw) -> Scenario:
        return Scenario(f"healthy: {name}", "healthy", **kw)

    return [
        well("calm", errors_cv=0.0, slow_cv=0.0),
        well("calm, 200 rps", rps=200),
        well("calm, 2 rps", rps=2, errors=0.003),
        well("calm, 0.2 rps", rps=0.2, errors=0.004),
        well("no errors at all", errors=0.0, errors_cv=0.0),
        well("bursty errors", errors=0.004, errors_cv=1.0, memory=45),
        well("bursty errors, long memory", errors=0.003, errors_cv=1.2, memory=240),
        well("bursty traffic", rate_cv=1.0, slow_cv=0.5, load=0.3),
        well("bursty traffic, 200 rps", rps=200, rate_cv=1.0, slow_cv=0.5, load=0.3, errors_cv=0.8),
        well("errors in clumps of 5", errors=0.004, clump=5),
        well("at 0.8 of the objective", errors=0.008, slow=0.04, errors_cv=0.15, slow_cv=0.1),
        well("at 0.8, 200 rps", rps=200, errors=0.008, slow=0.04, errors_cv=0.15, slow_cv=0.1),
        well("at 0.8, 2 rps", rps=2, errors=0.008, slow=0.04, errors_cv=0.15, slow_cv=0.1),
        well("moved to 0.8 of the objective", errors=0.002, errors_to=0.008, slow=0.02, slower=1.5),
        well("moved to 0.8, bursty", errors=0.002, errors_to=0.008, errors_cv=0.5, memory=45),
        well("moved to 0.8, 200 rps", rps=200, errors=0.002, errors_to=0.008),
        well("warm-up spike", events=(Event("spike", 0, 20, 0.3),)),
        well("warm-up spike, heavy", rps=50, events=(Event("spike", 0, 15, 0.8),)),
        well("warm-up, a minute of errors", events=(Event("errors", 0, 60, 0.4), Event("slow", 0, 60, 0.6))),
        well("warm-up, slow fade", events=(Event("spike", 0, 40, 0.1),)),
        well("warm-up, 80 s of some errors", events=(Event("errors", 0, 80, 0.1),)),
        well("upstream blip of 30 s", events=(Event("errors", 1507, 30, 0.3),)),
        well("upstream blip of 60 s", events=(Event("errors", 1504, 60, 0.2),)),
        well("two blips of 20 s", events=(Event("errors", 400, 20, 0.5), Event("errors", 1900, 20, 0.5))),
        well(
            "shared outage of 3 minutes, side by side", beside=0.5, events=(Event("errors", 900, 180, 0.4),)
        ),
        well(
            "shared outage of 2 minutes, baseline has 90%",
            rps=60,
            beside=0.9,
            events=(Event("errors", 600, 120, 0.3),),
        ),
        well("upstream blip of 45 s after 3 minutes", events=(Event("errors", 187, 45, 0.3),)),
        well("slow blip of 45 s", events=(Event("slow", 1207, 45, 0.4),)),
        well("scrape gap of 5 minutes", events=(Event("gap", 1200, 300),)),
        well(
            "restarts",
            events=tuple(
                Event(w, t, s, v)
                for t in (300, 1200, 2400)
                for w, s, v in (("restart", 15, 0), ("errors", 30, 0.05))
            ),
        ),
        well("traffic stops", events=(Event("silence", 600, 3000),)),
        well("no traffic", events=(Event("silence", 0, 3600),)),
        well("diurnal", diurnal=0.7, load=0.2),
        well("no history", history=0),
        well("no history, bursty errors", history=0, errors=0.003, errors_cv=0.8),
        well("history from a quiet hour", history_factor=0.2, rps=50, errors_cv=0.6),
        well("short history", history=12, errors=0.004, errors_cv=0.6),
    ]


def edge() -> list[Scenario]:
    """At the very edge of the objective: either answer is arguable, so these are reported beside."""
    return [
        Scenario("edge: at the objective", "edge", errors=0.01, slow=0.03, errors_cv=0.15),
        Scenario("edge: latency at the objective", "edge", slow=0.05, slow_cv=0.1),
        Scenario(
            "edge: at 0.8 of the objective, bursty", "edge", errors=0.008, errors_cv=0.8, slow=0.03, memory=90
        ),
    ]


def regressed() -> list[Scenario]:
    """Services that break their SLOs; the sooner that is known, the better."""

    def ill(name: str, **kw) -> Scenario:
        return Scenario(f"regressed: {name}", "regressed", **kw)

    found = [ill(f"errors {to:.4g}%", errors_to=to / 100) for to in (1.5, 2, 3, 5, 10, 20, 50, 100)]
    found += [ill(f"latency ×{slower}", slow=0.03, slower=slower) for slower in (1.4, 1.6, 2, 3)]
    found += [
        ill("latency ×1.3 at 4% slow", slow=0.04, slower=1.3),
        ill("latency ×1.3 in bursty traffic", slow=0.04, slower=1.3, rate_cv=1.0, slow_cv=0.5, load=0.3),
        ill("latency ×1.3 in bursty traffic that does not slow", slow=0.04, slower=1.3, rate_cv=1.0),
        ill("latency ×2 in bursty traffic", slow=0.02, slower=2, rate_cv=1.0, slow_cv=0.5, load=0.3),
        ill("errors 3%, bursty errors", errors=0.004, errors_cv=1.0, memory=45, errors_to=0.03),
        ill("errors 5%, clumps of 5", errors=0.004, clump=5, errors_to=0.05),
        ill("errors 3% from minute 10", errors_to=0.03, start=600),
        ill("errors 10% from minute 20", errors_to=0.1, start=1200),
        ill("errors 100% from minute 5", errors_to=1.0, start=300),
        ill("latency ×2 from minute 15", slow=0.03, slower=2, start=900),
        ill("slow leak to 5% in 40 minutes", errors_to=0.05, ramp=2400),
        ill("slow leak to 20% in 20 minutes", errors_to=0.2, ramp=1200),
        ill("errors 5%, 0.2 rps", rps=0.2, errors_to=0.05),
        ill("errors 20%, 0.2 rps", rps=0.2, errors_to=0.2),
        ill("errors 100%, 0.2 rps", rps=0.2, errors_to=1.0),
        ill("errors 3%, 2 rps", rps=2, errors_to=0.03),
        ill("errors 10%, 2 rps", rps=2, errors_to=0.1),
        ill("latency ×2, 2 rps", rps=2, slow=0.03, slower=2),
        ill("errors 1.5%, 200 rps", rps=200, errors_to=0.015),
        ill("errors 2%, 200 rps", rps=200, errors_to=0.02),
        ill("errors 5%, 200 rps", rps=200, errors_to=0.05),
        ill("errors 3%, side by side", errors_to=0.03, beside=0.5, rps=40),
        ill("errors 5%, no history", errors_to=0.05, history=0),
        ill("errors 5% after a warm-up spike", errors_to=0.05, events=(Event("spike", 0, 20, 0.3),)),
        ill("errors 5% with a scrape gap", errors_to=0.05, start=300, events=(Event("gap", 360, 120),)),
    ]
    return found


def scenarios() -> list[Scenario]:
    """The table's scenarios."""
    return healthy() + edge() + regressed()
