"""What happens at the edges of a conversation: nothing is lost, nobody is left without an answer."""

import uuid

from bot.jobs.events import EVENTS
from bot.jobs.store import Delivery
from bot.webhooks.github_events import InstallationChanged
from tests.fakes.running import POLICY, wait_for

APPROVALS = "approvals: {count: 1}\n"


def grant(talk, **rights):
    """The installation has other rights now ("" takes one away); tokens with the old ones end."""
    world = talk.running.server.world
    with world.lock:
        installation = world.state.installations[talk.installation]
        installation.permissions = {
            right: level for right, level in (installation.permissions | rights).items() if level
        }
        for token in [*world.state.tokens.values()]:
            if token.installation == talk.installation:
                del world.state.tokens[token.value]


def test_a_comment_that_was_deleted_meanwhile_is_answered(running):
    """The words were said; only the reaction has nowhere to go."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    comment = talk.say("ada", pull, "/hold Friday")
    talk.ask("ada", "DELETE", f"/issues/comments/{comment}")

    assert "On hold" in talk.answer(pull, comment)


def test_ten_commands_are_done_and_the_eleventh_is_told(running):
    """Each in its turn, each with its answer."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    comment = talk.say("ada", pull, "\n".join(["/hold", "/release"] * 5 + ["/promote"]))

    assert "On hold" in talk.answer(pull, comment, 8)
    assert "Released" in talk.answer(pull, comment, 9)
    assert "one comment may hold 10 commands" in talk.written(pull, f"<!-- slipway:mistakes-{comment} -->")
    assert running.store.of_pull(talk.repository, pull).armed_by is None


def test_the_longest_comment_that_github_takes_is_read_to_its_end(running):
    """The command stands in its last line."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    body = "word " * 13_000 + "\n\n/status"
    comment = talk.say("ada", pull, body)

    assert "Open" in talk.answer(pull, comment)


def test_who_lost_the_right_is_told_what_it_takes(running):
    """Asked of GitHub at that moment, not remembered from the word before."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    first = talk.say("ada", pull, "/hold Friday")
    assert "On hold" in talk.answer(pull, first)

    running.server.add_collaborator(talk.repository, "ada", "read")
    second = talk.say("ada", pull, "/release")
    assert "needs the right to write in this repository; yours is read" in talk.answer(pull, second)


def test_an_app_that_lost_rights_goes_on_without_what_they_gave(running):
    """No checks, no deployments: the promotion goes its way, and comes to its end."""
    talk = running.conversation(POLICY)
    pull = talk.alias()
    grant(talk, checks="", deployments="")
    comment = talk.say("ada", pull, "/promote")
    talk.reached(pull, "passed")

    assert "Merged as" in talk.answer(pull, comment)


def test_a_right_that_comes_back_is_used(running):
    """Without the right to write contents nothing is merged and the reason is told; then it is."""
    talk = running.conversation(POLICY)
    pull = talk.alias()
    grant(talk, contents="read")
    comment = talk.say("ada", pull, "/promote")

    def refused() -> str | None:
        answer = talk.answer(pull, comment)
        return answer if "Not merged" in answer else None

    assert "stays armed" in wait_for(refused, "the refusal is told")

    grant(talk, contents="write")
    accepted = InstallationChanged(
        delivery=uuid.uuid4().hex, installation=talk.installation, change="new_permissions_accepted"
    )
    running.store.accept(Delivery("github", accepted.delivery, EVENTS.dump(accepted)))
    talk.reached(pull, "passed")
