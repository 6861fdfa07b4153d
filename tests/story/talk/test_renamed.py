"""A repository under another name: its promotions go on, whatever way Slipway learns of it."""

from tests.fakes.running import POLICY, wait_for

APPROVALS = "approvals: {count: 1}\n"


def renamed(talk, name):
    """Everybody finds the repository under its new name."""
    talk.running.server.rename(talk.repository, name)
    before, talk.repository = talk.repository, name
    return before


def test_the_first_word_under_the_new_name_is_heard(running):
    """The delivery names what nobody has heard of; the promotion that was armed before is merged."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    armed = talk.say("ada", pull, "/promote")
    talk.answer(pull, armed)
    before = renamed(talk, f"{talk.repository}-renamed")
    talk.person("bob", "write")
    talk.review("bob", pull, "Better in every metric.")
    talk.reached(pull, "passed")

    assert "Merged as" in talk.answer(pull, armed)
    assert running.store.repository(before) is None
    assert running.store.of_pull(before, pull) is None


def test_without_a_word_the_next_look_finds_it(running):
    """GitHub sends an App no event of a renaming that it does not ask for."""
    talk = running.conversation(POLICY)
    pull = talk.alias()
    renamed(talk, f"{talk.repository}-renamed")
    running.slipway.queue.tasks["slipway.resync"].func(0)

    assert talk.stage(pull) == "open"
    assert talk.configured()

    talk.say("ada", pull, "/promote")
    talk.reached(pull, "passed")


def test_a_repository_that_moves_to_another_owner_takes_its_promotions_along(running):
    """Under another installation, with the same people and numbers."""
    talk = running.conversation(POLICY)
    pull = talk.alias()
    running.server.create_organization("newcorp")
    before = renamed(talk, "newcorp/gitops")
    running.server.uninstall(talk.installation)
    talk.installation = running.server.install(running.keys, [talk.repository])
    wait_for(lambda: talk.configured() or None, "it was found under its new owner")
    talk.say("ada", pull, "/promote")
    talk.reached(pull, "passed")

    assert running.store.of_pull(before, pull) is None


def test_after_a_suspension_everything_goes_on(running):
    """While the App is suspended nothing is known of the repository, and nothing of it is forgotten."""
    talk = running.conversation(POLICY)
    pull = talk.alias()
    record = running.server.world.state.installations[talk.installation]
    record.suspended_at = running.server.world.now()
    running.slipway.queue.tasks["slipway.resync"].func(0)

    assert running.store.repository(talk.repository) is None

    record.suspended_at = None
    running.slipway.queue.tasks["slipway.resync"].func(0)

    assert talk.configured()

    talk.say("ada", pull, "/promote")
    talk.reached(pull, "passed")
