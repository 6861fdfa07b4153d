"""Comment and reply, as people see them: each transcript is a golden file that anybody can read."""

import pytest

from tests.fakes.running import CONFIG, POLICY, SLO, wait_for

APPROVALS = "approvals: {count: 1}\n"
WATCHED = CONFIG.replace("        policy: talk\n", f"        policy: talk\n{SLO}", 1)


def test_an_open_bump(running, transcript, golden):
    """Help, status, explanations, mistakes, and who may do what."""
    talk = running.conversation(APPROVALS)
    talk.person("mia", "maintain")
    said = transcript(talk, talk.alias())

    said.says("ada", "/help")
    said.says("eve", "/help")
    said.says("mia", "/help")
    said.says("ada", "/status")
    said.says("ada", "/explain")
    said.says("eve", "/promote")
    said.says("ada", "/promte", answers=0, mistakes=True)
    said.says("ada", "/promote now please", answers=0, mistakes=True)
    said.says("ada", "/canary pass")
    said.says("ada", "/retry")
    said.ignores("ada", "> /promote\n\nDo you mean this? Or `/promote`?\n\n    /promote\n\n/deploy it")
    said.says("ada", "Two things:\n\n/hold Friday\n/release", answers=2)
    golden("open.md", said.text())


def test_an_armed_bump_is_approved_and_merged(running, transcript, golden):
    """`/promote` before the approval; the answer is edited when it is merged."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    said = transcript(talk, pull)
    talk.person("bob", "write")

    promoted = said.says("ada", "/promote")
    said.reviews("bob", "Better in every metric.", answers=0)
    said.edited(promoted, "Merged as")
    talk.reached(pull, "passed")
    said.says("ada", "/status")
    golden("armed.md", said.text())


def test_a_review_approves_and_promotes_in_one_go(running, transcript, golden):
    """The approval counts for the gate, its body is read like a comment."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    said = transcript(talk, pull)

    review = talk.review("ada", pull, "Good.\n\n/promote")
    talk.reached(pull, "passed")
    assert "Merged as" in talk.answer(pull, -review)

    before = {each["number"] for each in talk.pulls()}
    said.says("ada", "/promote")
    following = talk.opened(before)
    said.says("ada", "/explain")
    said.says("ada", "/release --quarantine it was the data", answers=1)
    said.says("ada", "/rollback we promised to")
    talk.reached(pull, "reverted")
    said.says("ada", "/promote")
    assert talk.stage(following) == "open"
    golden("promoted.md", said.text())


def test_a_canary_is_extended_and_decided(running, transcript, golden):
    """A watch that nobody calls waits for a person."""
    talk = running.conversation(config=WATCHED)
    pull = talk.alias()
    said = transcript(talk, pull)
    talk.person("mia", "maintain")

    said.says("ada", "/promote", until="Merged as")
    talk.reached(pull, "watching")
    said.says("ada", "/canary extend 30m")
    said.says("ada", "/canary extend forever", answers=0, mistakes=True)
    said.says("ada", "/canary", answers=0, mistakes=True)
    said.says("mia", "/hold all there is an incident")
    said.says("ada", "/release")
    said.says("mia", "/release")
    said.says("ada", "/canary pass I looked at it")
    golden("canary.md", said.text())


def test_a_bump_that_is_not_wanted(running, transcript, golden):
    """Closed by a word, and nothing more to do there."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    said = transcript(talk, pull)

    said.says("ada", "/rollback not this week")
    talk.reached(pull, "closed")
    said.says("ada", "/promote")
    said.says("ada", "/rollback")
    golden("closed.md", said.text())


def test_an_edited_comment_is_no_command(running):
    """Whatever it says afterwards, and however it comes in."""
    talk = running.conversation(APPROVALS)
    pull = talk.alias()
    comment = talk.say("ada", pull, "Looks good")

    def edited():
        said = talk.ask("ada", "PATCH", f"/issues/comments/{comment}", {"body": "/promote"})
        return True if said["updated_at"] != said["created_at"] else None

    wait_for(edited, "GitHub's clock, which counts seconds, shows the edit")
    running.slipway.queue.tasks["slipway.resync"].func(0)
    status = talk.say("ada", pull, "/status")
    talk.answer(pull, status)

    assert talk.stage(pull) == "open"
    assert talk.reactions(comment) == []


@pytest.mark.parametrize("button", ["gates", "canary"])
def test_the_re_run_button_works(running, button):
    """Pressed on GitHub's page by a person: gates are looked at again, an undecided watch goes on."""
    talk = running.conversation(
        POLICY if button == "gates" else "canary: {bake: 1s, max_bake: 2s, interval: 1s}\n", WATCHED
    )
    pull = talk.alias()
    if button == "canary":
        talk.say("ada", pull, "/promote")
        talk.reached(pull, "held")
    sha = talk.ask("ada", "GET", f"/pulls/{pull}")["head" if button == "gates" else "merge_commit_sha"]
    sha = sha["sha"] if button == "gates" else sha
    name = f"slipway / {button}"

    def runs():
        listing = talk.ask("ada", "GET", f"/commits/{sha}/check-runs?filter=all")["check_runs"]
        return [run for run in listing if run["name"] == name]

    first = _finished(runs)
    talk.ask("ada", "POST", f"/check-runs/{first['id']}/rerequest")
    again = _finished(runs, after=first["id"])
    assert again["conclusion"] == first["conclusion"]


def _finished(runs, after=0):
    def look():
        done = [run for run in runs() if run["status"] == "completed" and run["id"] > after]
        return done[-1] if done else None

    return wait_for(look, "the check was finished")
