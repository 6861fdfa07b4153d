"""The product's main job, end to end through the engine: real rows, the outside in memory."""

from bot.domain.hold import Hold
from bot.domain.live import Liveness, LiveState
from bot.domain.promotion import Stage
from bot.ports import Unavailable


def promoted(world, version: str):
    """Bring a version as far as merged and live."""
    world.alias(version)
    world.say("ada", "/promote")
    return world.newest()


def test_an_alias_opens_one_pull_request_that_changes_only_the_pin(world):
    """The candidate's alias is all it takes."""
    world.alias("2")

    (pull,) = world.open_pulls()
    promotion = world.newest()
    assert (promotion.stage, promotion.baseline) == (Stage.OPEN, "1")
    assert world.forge.changed_files(world.forge.head(), world.forge.pull(pull).head_sha) == ("prod.yaml",)
    assert world.pinned() == "models:/fraud/1"


def test_promote_merges_watches_passes_and_moves_the_alias(world):
    """The happy path, told by Git and by the registry."""
    promotion = promoted(world, "2")
    assert world.pinned() == "models:/fraud/2"
    assert promotion.stage is Stage.WATCHING

    world.until(lambda: world.newest().stage is Stage.PASSED)
    assert world.registry.alias("fraud", "champion") == "2"
    assert world.registry.version("fraud", "2").tags["slipway.production.verdict"] == "passed"


def test_a_bad_version_is_reverted_by_itself(world):
    """Git, alias, quarantine and hold, without a word from anybody."""
    promoted(world, "2")
    world.until(lambda: world.newest().stage is Stage.PASSED)
    promoted(world, "3")
    world.traffic.turn_bad(0.3)
    world.until(lambda: world.newest().stage is Stage.REVERTED)

    assert world.pinned() == "models:/fraud/2"
    assert world.registry.alias("fraud", "champion") == "2"
    assert world.store.quarantine("octo/gitops", "fraud", "production", "3") is not None
    assert world.store.holds("octo/gitops", "fraud", "production")[0].owner == "slipway"
    assert world.open_pulls() == []


def test_a_quarantined_version_is_not_proposed_again_and_the_reason_is_told(world):
    """Setting the alias once more opens nothing."""
    promotion = promoted(world, "3")
    world.traffic.turn_bad(0.3)
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    before = len(world.promotions())
    world.alias("3")

    assert len(world.promotions()) == before
    assert any("nothing was opened" in text for text in world.answers(promotion.pull))


def test_rollback_on_a_passed_promotion_goes_back(world):
    """One word takes it back, in Git and in the registry."""
    promotion = promoted(world, "2")
    world.until(lambda: world.newest().stage is Stage.PASSED)
    world.say("ada", "/rollback customers complain", promotion.pull)
    world.until(lambda: world.newest().stage is Stage.REVERTED)

    assert world.pinned() == "models:/fraud/1"
    assert world.registry.alias("fraud", "champion") == "1"
    assert world.store.quarantine("octo/gitops", "fraud", "production", "2") is None


def test_a_reader_cannot_promote(world):
    """The right is asked live, and the refusal says which one is missing."""
    world.alias("2")
    comment = world.say("eve", "/promote")

    assert world.newest().stage is Stage.OPEN
    assert world.pinned() == "models:/fraud/1"
    assert "-1" in world.forge.reactions[comment]
    assert any("needs the right to write" in text for text in world.answers(world.newest().pull))


def test_the_newer_candidate_replaces_the_older_bump(world):
    """There are never two open bumps for one target."""
    world.alias("2")
    first = world.newest().pull
    world.alias("3")
    world.until(lambda: world.newest().stage is Stage.OPEN)

    assert world.open_pulls() == [world.newest().pull]
    assert first not in world.open_pulls()
    assert world.newest().candidate == "3"


def test_a_missed_webhook_is_repaired_by_the_resync(world):
    """Nothing depends on an event."""
    world.registry.set_alias("fraud", "candidate", "2")
    world.resync.run()
    world.drain()

    assert world.newest().stage is Stage.OPEN


def test_a_registry_that_is_away_after_the_canary_delays_nothing_in_git(world):
    """The revert is not held up by MLflow; the alias follows when it answers."""
    promoted(world, "2")
    world.until(lambda: world.newest().stage is Stage.PASSED)
    promoted(world, "3")
    world.registry.set_alias("fraud", "champion", "3")
    world.traffic.turn_bad(0.3)
    world.registry.away = Unavailable("MLflow", "connection refused")
    world.until(lambda: world.newest().stage is Stage.REVERTED)
    assert world.pinned() == "models:/fraud/2"

    world.registry.away = None
    world.until(lambda: not world.newest().due)
    assert world.registry.alias("fraud", "champion") == "2"


def test_an_outage_of_prometheus_never_reverts(world):
    """No answer is not bad news."""
    promoted(world, "2")
    world.later(10)
    world.traffic.fails = Unavailable("Prometheus", "connection refused")
    for _ in range(20):
        world.later(30)
    assert world.newest().stage is Stage.WATCHING

    world.traffic.fails = None
    world.until(lambda: world.newest().stage is Stage.PASSED)


def test_a_forge_that_is_away_is_waited_for_and_told(world):
    """Nothing is lost while GitHub does not answer."""
    world.alias("2")
    world.forge.fails = Unavailable("GitHub", "502")
    world.store.wake([world.newest().id])
    world.drain()
    assert world.newest().reason == "Waiting for GitHub: 502"

    world.forge.fails = None
    world.until(lambda: "Waiting" not in world.newest().reason)
    assert world.newest().stage is Stage.OPEN


def test_a_broken_configuration_keeps_the_last_good_one_and_tells_where(world):
    """One clear message; the last good configuration stays in force."""
    good = world.forge.read("slipway.yaml", "main")
    world.forge.commit("main", {"slipway.yaml": b"version: 1\nmodel: {}\n"})
    world.resync.run()
    world.drain()
    (issue,) = [issue for issue in world.forge.issues.values() if issue.state == "open"]
    world.alias("2")

    assert "slipway.yaml" in issue.body
    assert world.newest().stage is Stage.OPEN
    world.forge.commit("main", {"slipway.yaml": good})
    world.resync.run()
    assert [issue.state for issue in world.forge.issues.values()] == ["closed"]


def test_a_broken_policy_stops_what_needs_it_and_says_why(world):
    """What it was meant to forbid is not known, so the one before it does not go on."""
    world.alias("2")
    rule = b"gates: [{id: recall, expression: candidate.metrics.recall >=}]\n"
    world.configure({"policies/quick.yaml": rule})
    world.say("ada", "/promote")
    (issue,) = [issue for issue in world.forge.issues.values() if issue.state == "open"]

    assert world.newest().stage is Stage.OPEN
    shown = world.status(world.newest().pull).replace("\u200b", "").replace("\\", "")
    assert "policies/quick.yaml:1: it does not compile: at character" in shown
    assert issue.title == "Slipway cannot read its policies: 1 mistake"
    assert "Nothing that needs one of these policies is merged." in issue.body

    world.configure({"policies/quick.yaml": b"{}\n"})
    world.until(lambda: world.newest().stage is Stage.WATCHING)
    assert [issue.state for issue in world.forge.issues.values()] == ["closed"]


def test_a_calendar_may_lie_anywhere_in_the_repository(world):
    """Where the policy names it; one that is not there freezes, and says so."""
    named = b"freeze: [{ical: plans/2026/holidays.ics}]\n"
    world.configure({"policies/quick.yaml": named})
    world.alias("2")
    world.say("ada", "/promote")
    missing = world.status(world.newest().pull)
    world.configure({"plans/2026/holidays.ics": b"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n"})
    world.until(lambda: world.newest().stage is Stage.WATCHING)

    assert "plans/2026/holidays.ics is not in the repository" in missing


def test_a_comment_whose_webhook_was_lost_is_heard_once(world):
    """GitHub never retries; the listing of comments repairs it."""
    world.alias("2")
    pull = world.newest().pull
    world.forge.comment(pull, "ada", "/promote")
    world.resync.run()
    world.resync.run()
    world.drain()

    assert world.newest().stage is Stage.WATCHING
    assert sum("asked" in text for text in world.answers(pull)) == 1


def test_a_pull_request_that_breaks_the_configuration_is_told_and_told_when_it_is_right_again(world):
    """The same check as on one's own machine, before the merge."""
    good = world.forge.read("slipway.yaml", "main")
    pull = world.proposed("change", {"slipway.yaml": good.replace(b"policy: quick", b"policy: quik")})
    (told,) = world.answers(pull)
    assert "there is no policy" in told
    assert "quick" in told

    world.proposed("change", {"slipway.yaml": good}, pull)
    (told,) = world.answers(pull)
    assert "every pin are right" in told
    assert [check.conclusion for check in world.forge.checks.values()][-1] == "success"


def test_a_pull_request_that_touches_nothing_of_ours_is_left_alone(world):
    """Slipway speaks when it has something to say; only the check a branch may require is answered, as neutral."""
    pull = world.proposed("docs", {"README.md": b"hello"})

    assert world.answers(pull) == []
    (check,) = world.forge.checks.values()
    assert (check.name, check.conclusion) == ("slipway / gates", "neutral")


def test_a_promote_whose_gates_did_not_hold_yet_says_so_when_it_merged(world):
    """The answer is one comment, edited in place."""
    world.alias("2")
    pull = world.newest().pull
    world.store.place_hold(Hold("octo/gitops", "fraud", "production", "eve", "incident", world.clock.now()))
    world.say("ada", "/promote")
    (waiting,) = [text for text in world.answers(pull) if "asked" in text]
    world.store.release_hold("octo/gitops", "fraud", "production", "eve", world.clock.now())
    world.drain()
    (merged,) = [text for text in world.answers(pull) if "asked" in text]

    assert "Armed. It merges as soon as these gates hold" in waiting
    assert f"Merged as {world.newest().merge_sha}" in merged


def test_an_argo_cd_that_is_away_is_waited_for_and_told(world):
    """The deadline of the sync waits with it."""
    world.cluster.fails = Unavailable("Argo CD", "connection refused")
    promotion = promoted(world, "2")
    world.later(3600)
    assert world.newest().stage is Stage.SYNCING
    assert "Argo CD cannot be asked: connection refused" in world.newest().reason

    world.cluster.fails = None
    world.until(lambda: world.newest().stage is Stage.WATCHING)
    assert promotion.pull is not None


def test_a_failed_sync_is_told_with_its_reason_and_ends_in_a_hold(world):
    """What never became live is not judged."""
    world.cluster.answer = Liveness(LiveState.FAILED, "ComparisonError: unknown field")
    promoted(world, "2")
    world.until(lambda: world.newest().stage is Stage.HELD, step=60, limit=3600)

    assert "ComparisonError: unknown field" in world.newest().reason
    assert world.store.holds("octo/gitops", "fraud", "production")
    assert world.pinned() == "models:/fraud/2"


def test_a_repository_without_slipway_yaml_is_left_in_peace(world):
    """Installed is not configured: nothing is opened, nothing is said."""
    world.forge.commit("main", {"slipway.yaml": None})
    world.app.id += 1  # a repository that was never seen before
    world.resync.run()
    world.alias("2")

    assert world.promotions() == []
    assert world.forge.issues == {}
