"""The canary in the whole engine: when it starts, what it compares, what people may say, what stops it."""

from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from bot.analysis.replay import replay
from bot.domain.promotion import Stage
from bot.domain.series import Series
from bot.domain.verdict import Outcome
from bot.jobs.canary import recorded
from bot.ports import Unavailable

SLO = """\
        slo:
          preset: fastapi
          errors: {objective: 99%}
"""
WITHOUT_ARGO_CD = {"        argocd: fraud-production\n": ""}


@dataclass
class Versions:
    """Versions side by side, each with a rate and a part of bad requests since a moment; gauges by query."""

    clock: object
    rates: dict[str, float] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    bad: dict[str, float] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    fails: Exception | None = None

    def serve(self, version, rate=10.0, bad=0.0, after=0.0):
        self.rates[version], self.bad[version] = rate, bad
        self.since[version] = self.clock.now().timestamp() + after

    def first_request(self, version):
        return self.since[version]

    def raw(self, selector, start, end):
        if self.fails is not None:
            raise self.fails
        failed = "5.." in selector
        found = []
        for version, rate in self.rates.items():
            if "version=" in selector and f'version="{version}"' not in selector:
                continue
            part = self.bad[version] if failed else 1.0
            moments = range(int(start // 5 + 1) * 5, int(end) + 1, 5)
            labels = {"instance": f"pod-{version}", "status": "5xx" if failed else "2xx"}
            samples = tuple(
                (float(at), float(int(max(0.0, at - self.since[version]) * rate * part))) for at in moments
            )
            found.append(Series(labels, samples))
        return [series for series in found if series.samples]

    def instant(self, query, at):
        if self.fails is not None:
            raise self.fails
        return [Series({}, ((at, self.gauges[query]),))] if query in self.gauges else []


@pytest.fixture
def versions(world):
    """The baseline has served for two hours."""
    served = world.traffic = Versions(world.clock)
    world.restart()
    served.serve("1", after=-7200.0)
    return served


def configured(world, slo=SLO, policy="", changes=None):
    """Other SLOs, another policy, whatever else is to differ."""
    config = world.forge.read("slipway.yaml", world.forge.head()).decode()
    changes = {SLO: slo, **(changes or {})}
    for old, new in changes.items():
        assert old in config
        config = config.replace(old, new)
    quick = "canary: {bake: 60s, max_bake: 2m, interval: 5s, warm_up: 10s, min_requests: 20}\n"
    world.configure({"slipway.yaml": config.encode(), "policies/quick.yaml": (quick + policy).encode()})


def promoted(world, version="2"):
    world.alias(version)
    world.say("ada", "/promote")
    assert world.newest().stage is Stage.WATCHING
    return world.newest()


def verdict(world, step=5):
    world.until(lambda: world.newest().verdict is not None, step=step)
    return world.newest().verdict


OWN_SERIES = """\
        slo:
          preset: fastapi
          selector: 'version="{version}"'
          errors: {objective: 99%}
"""


@pytest.mark.parametrize("changes", [{}, WITHOUT_ARGO_CD], ids=["argocd", "own series"])
def test_the_watch_starts_at_the_first_request_and_not_at_the_merge(world, versions, changes):
    """A candidate that nobody calls yet is neither good nor bad: the clock does not run."""
    configured(world, OWN_SERIES, changes=changes)
    world.alias("2")
    world.say("ada", "/promote")
    world.later(45)
    waiting = "version 2 has no series yet" if changes else "no request has reached the candidate yet"
    assert waiting in world.status(world.newest().pull)
    versions.serve("2", after=30.0)
    judged = verdict(world)

    assert judged.outcome is Outcome.PASSED
    assert 0 <= judged.started_at.timestamp() - versions.first_request("2") <= 10
    assert (judged.decided_at - judged.started_at).total_seconds() == pytest.approx(60, abs=6)
    assert judged.notes == ()


def test_without_argo_cd_and_without_own_series_the_verdict_says_what_it_cannot_know(world, versions):
    """What the baseline served after the merge is counted too, and the reader is told."""
    configured(world, changes=WITHOUT_ARGO_CD)
    promoted(world)

    assert any("nothing says when the candidate went live" in note for note in verdict(world).notes)


BESIDE = """\
        slo:
          preset: fastapi
          selector: 'version="{version}"'
          baseline: 'version="{baseline}"'
          errors: {objective: 99%}
"""


def test_an_outage_that_both_sides_share_reverts_nobody(world, versions):
    """Traffic is split: the neighbour has it as well."""
    configured(world, BESIDE)
    promoted(world)
    versions.serve("1", bad=0.3)
    versions.serve("2", bad=0.3)
    judged = verdict(world)

    assert judged.outcome is not Outcome.FAILED
    assert judged.slos[0].baseline_ratio == pytest.approx(0.3, abs=0.02)
    assert world.pinned() == "models:/fraud/2"


def test_a_candidate_worse_than_the_baseline_beside_it_is_reverted(world, versions):
    """Only its own part of the bad requests speaks against it."""
    configured(world, BESIDE)
    promoted(world)
    versions.serve("2", bad=0.3)

    assert verdict(world).outcome is Outcome.FAILED
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    assert world.pinned() == "models:/fraud/1"


@pytest.mark.parametrize(
    ("on_breach", "outcome", "mark"),
    [
        ("fail", Outcome.FAILED, "❌ failed"),
        ("warn", Outcome.PASSED, "⚠️ warning"),
        ("show", Outcome.PASSED, "ℹ️ shown"),
    ],
)
def test_a_gauge_beyond_its_limit_fails_warns_or_is_shown(world, versions, on_breach, outcome, mark):
    """A model's own signal decides as much as the file lets it."""
    drift = f"""\
          gauges:
            drift: {{query: max(drift), above: 0.3, for: 20s, on_breach: {on_breach}}}
"""
    configured(world, SLO + drift)
    versions.gauges["max(drift)"] = 0.9
    promotion = promoted(world)
    judged = verdict(world)
    world.until(lambda: world.newest().stage in (Stage.PASSED, Stage.REVERTED))

    assert judged.outcome is outcome
    assert f"| `drift` | {mark} | **0.9** |" in world.status(promotion.pull)
    assert (world.pinned() == "models:/fraud/1") is (outcome is Outcome.FAILED)


def test_a_gauge_that_comes_back_in_time_is_no_breach(world, versions):
    """The limit must be passed for long enough without a break."""
    drift = (
        "          gauges:\n            drift: {query: max(drift), above: 0.3, for: 30s, on_breach: fail}\n"
    )
    configured(world, SLO + drift)
    versions.gauges["max(drift)"] = 0.9
    promoted(world)
    world.later(15)
    versions.gauges["max(drift)"] = 0.1

    assert verdict(world).outcome is Outcome.PASSED


def test_a_person_passes_fails_or_extends_it(world):
    """Each word does what it says, at once."""
    promotion = promoted(world)
    world.say("ada", "/canary extend 30m", promotion.pull)
    for _ in range(20):
        world.later(60)
    assert world.newest().stage is Stage.WATCHING
    world.say("ada", "/canary pass looks fine", promotion.pull)
    assert world.newest().stage is Stage.PASSED

    promotion = promoted(world, "3")
    world.say("ada", "/canary fail customers complain", promotion.pull)
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    assert world.pinned() == "models:/fraud/2"
    assert world.store.quarantine("octo/gitops", "fraud", "production", "3") is not None


def test_an_extended_watch_ends_by_itself(world):
    """The extension is added to the bake time, no more."""
    promotion = promoted(world)
    world.say("ada", "/canary extend 3m", promotion.pull)
    judged = verdict(world, step=20)

    assert judged.outcome is Outcome.PASSED
    assert (judged.decided_at - judged.started_at).total_seconds() == pytest.approx(240, abs=21)


@pytest.mark.parametrize("words", ["/canary pass", "/canary fail", "/canary extend 30m"])
def test_a_reader_decides_no_canary(world, words):
    """Whoever may not merge may not judge."""
    promotion = promoted(world)
    comment = world.say("eve", words, promotion.pull)

    assert world.newest().stage is Stage.WATCHING
    assert "-1" in world.forge.reactions[comment]


def test_a_policy_that_only_reports_judges_and_never_reverts(world):
    """Shadow mode: the verdict is told with its evidence, Git stays as it is, people may still revert."""
    configured(world, policy="on_failure: report\n")
    promotion = promoted(world)
    world.traffic.turn_bad(0.3)
    judged = verdict(world)
    for _ in range(5):
        world.later(60)

    assert judged.outcome is Outcome.FAILED
    assert world.newest().stage is Stage.HELD
    assert world.pinned() == "models:/fraud/2"
    assert world.open_pulls() == []
    told = world.status(promotion.pull)
    assert "Would have been reverted (the policy only reports)" in told
    assert "❌ failed" in told

    world.say("ada", "/rollback", promotion.pull)
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    assert world.pinned() == "models:/fraud/1"


@pytest.mark.parametrize("bad", [0.0, 0.3], ids=["healthy", "broken"])
@pytest.mark.parametrize("disturbed", [False, True], ids=["undisturbed", "disturbed"])
def test_an_outage_of_ten_minutes_and_restarts_change_no_verdict(world, bad, disturbed):
    """Half a minute into the watch Prometheus is away for ten minutes, and Slipway starts again and again: nothing
    is reverted meanwhile, what was not seen is counted afterwards, and the verdict is what it would have been.
    """
    promoted(world)
    world.later(30)
    if bad:
        world.traffic.turn_bad(bad)
    if disturbed:
        world.traffic.fails = Unavailable("Prometheus", "connection refused")
        for _ in range(20):
            world.restart()
            world.later(30)
            assert world.newest().stage is Stage.WATCHING
            assert world.pinned() == "models:/fraud/2"
        world.traffic.fails = None
    judged = verdict(world)
    watched = (judged.decided_at - judged.started_at).total_seconds()

    assert judged.outcome is (Outcome.FAILED if bad else Outcome.PASSED)
    # Ten requests a second, and every one of them was counted, until the evidence was there.
    assert judged.slos[0].total == pytest.approx(10 * watched, abs=150)
    assert watched < 120 or (disturbed and not bad)
    assert (judged.slos[0].ratio > 0.05) is bool(bad)
    assert any("gave no answer" in note for note in judged.notes) is disturbed


def test_slos_that_change_in_mid_watch_begin_it_again(world):
    """What is in force now decides, over everything since the candidate went live; nobody is stuck."""
    promotion = promoted(world)
    world.later(30)
    world.traffic.turn_bad(0.1)
    configured(world, SLO.replace("99%", "50%"))
    judged = verdict(world)

    assert judged.outcome is Outcome.PASSED
    assert judged.slos[0].objective == "at most 50% of requests fail"
    assert any("changed during the watch" in note for note in judged.notes)
    kept = world.store.watched(promotion.id)
    again = replay(recorded(kept, world.store.windows(promotion.id)), judged)
    assert again.agrees, again.sentence


def test_a_watch_that_an_older_slipway_stored_begins_again(world):
    """An upgrade in mid-watch loses nothing that the metrics server still has."""
    promotion = promoted(world)
    world.later(30)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE watches SET state = state - 'reader' || '{\"reader\": {}}'"))
    judged = verdict(world)

    assert judged.outcome is Outcome.PASSED
    assert (judged.decided_at - judged.started_at).total_seconds() == pytest.approx(60, abs=6)
    assert promotion.id == world.newest().id
