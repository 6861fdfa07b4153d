"""A newer candidate takes the older one's place: one open bump, whatever the policy says."""

from bot.domain.promotion import Stage
from bot.ports import Unavailable

UPDATE = b"supersede: update\n"


def replaced(world):
    """Version 2 is open and armed as far as it gets when version 3 arrives."""
    world.alias("2")
    first = world.newest()
    world.alias("3")
    world.until(lambda: world.newest().stage is Stage.OPEN, limit=30)
    return world.store.load(first.id).promotion, world.newest()


def test_the_older_bump_is_closed_once_and_told_by_what(world):
    """One comment, one close, one open pull request."""
    older, newer = replaced(world)

    assert (older.stage, world.open_pulls()) == (Stage.CLOSED, [newer.pull])
    assert sum("Version 3 is proposed for production now" in text for text in world.answers(older.pull)) == 1
    assert world.forge.calls.count("close") == 1


def test_the_policy_may_have_the_open_pull_request_updated(world):
    """The same number, the newer pin, title and body."""
    world.configure({"policies/quick.yaml": UPDATE})
    older, newer = replaced(world)

    assert older.stage is Stage.CLOSED
    assert newer.pull == older.pull
    assert world.open_pulls() == [newer.pull]
    pull = world.forge.pull(newer.pull)
    assert "version 3" in pull.title
    assert world.forge.read("prod.yaml", pull.head_sha) == b"uri: models:/fraud/3\n"
    assert sum("goes on with it" in text for text in world.answers(newer.pull)) == 1
    world.say("ada", "/promote", newer.pull)
    assert world.pinned() == "models:/fraud/3"
    assert world.newest().stage is Stage.WATCHING


def test_a_word_for_the_older_version_does_not_arm_the_newer_one(world):
    """What was armed was another commit."""
    world.configure({"policies/quick.yaml": UPDATE + b"approvals: {count: 1}\n"})
    world.alias("2")
    world.say("ada", "/promote")
    assert world.newest().armed_by == "ada"
    world.alias("3")
    world.until(lambda: world.newest().stage is Stage.OPEN, limit=30)

    assert world.newest().armed_by is None


def test_a_policy_that_changes_meanwhile_leaves_one_open_pull_request(world):
    """The older bump was opened on a branch of its own, so it is closed."""
    world.alias("2")
    world.configure({"policies/quick.yaml": UPDATE})
    world.alias("3")
    world.until(lambda: world.newest().stage is Stage.OPEN, limit=30)

    assert world.open_pulls() == [world.newest().pull]


def test_the_older_bump_stays_until_the_newer_one_can_be_opened(world):
    """A candidate that cannot be proposed yet takes nobody's place."""
    world.alias("2")
    first = world.newest()
    world.registry.away = Unavailable("MLflow", "connection refused")
    world.proposer.begin("octo/gitops", "fraud", "production", "3", "ada")
    world.drain()
    for _ in range(3):
        world.later(60)
    assert world.open_pulls() == [first.pull]

    world.registry.away = None
    world.until(lambda: world.newest().stage is Stage.OPEN, limit=200)
    assert world.open_pulls() == [world.newest().pull] != [first.pull]


def heard(world, author, body, pull):
    """The comment is taken in, but nobody has looked at its promotion yet."""
    said = world.forge.comment(pull, author, body)
    repository = world.store.repository("octo/gitops")
    world.receiver._hearing.hear(repository, pull, author, body, said, at=world.clock.now())
    return said


def test_a_word_that_waits_while_the_newer_version_takes_over_is_answered_for_the_older_one(world):
    """What the person saw was version 2: version 3 is neither armed nor merged by it."""
    world.configure({"policies/quick.yaml": UPDATE})
    world.alias("2")
    older = world.newest()
    world.proposer.begin("octo/gitops", "fraud", "production", "3", "alias candidate")
    # The older one's look began before the word came in: it saw a newer candidate and gave way.
    newer = world.newest()
    world.reconciler.reconcile(newer.id)
    before = world.store.pending_requests
    world.store.pending_requests = lambda *_: ()
    world.reconciler.reconcile(older.id)
    heard(world, "ada", "/promote", older.pull)
    world.reconciler.reconcile(newer.id)
    world.store.pending_requests = before
    world.drain()

    assert (world.newest().stage, world.newest().armed_by) == (Stage.OPEN, None)
    assert world.pinned() == "models:/fraud/1"
    assert any(
        "this promotion is closed. Superseded by version 3" in text for text in world.answers(older.pull)
    )


def test_a_late_delivery_of_what_was_said_before_is_no_word_for_the_newer_version(world):
    """The time of the comment counts, not that of its webhook."""
    world.configure({"policies/quick.yaml": UPDATE})
    world.alias("2")
    said_at = world.clock.now()
    world.later(1)
    world.alias("3")
    world.until(lambda: world.newest().stage is Stage.OPEN, limit=30)
    pull = world.newest().pull
    repository = world.store.repository("octo/gitops")
    world.receiver._hearing.hear(repository, pull, "ada", "/promote", 4711, at=said_at)
    world.drain()

    assert world.newest().armed_by is None
    world.say("ada", "/promote", pull)
    assert world.pinned() == "models:/fraud/3"
