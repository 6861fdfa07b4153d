"""Several repositories and installations in one Slipway: none sees or touches what is another's."""

import hashlib
import hmac
import json
import uuid

import httpx
import pytest

from bot.ports import Refused
from tests.fakes.running import POLICY, SECRET, wait_for


@pytest.fixture
def pair(running):
    """Two installations with the same model name in both, each with an open bump."""
    here = running.conversation()
    there = running.conversation(model=here.model)
    first = here.alias()
    (second,) = wait_for(lambda: there.pulls() or None, "the other repository's bump was opened")
    wait_for(lambda: there.stage(second["number"]) == "open" or None, "the other bump is open")
    return here, there, first, second["number"]


def send(running, event, payload, secret=SECRET):
    """A delivery as GitHub signs it."""
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": uuid.uuid4().hex,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    url = f"{running.url}/webhooks/github"
    return httpx.post(url, content=body, headers=headers, trust_env=False).status_code


def promoting(talk, pull, comment, installation):
    """What GitHub sends when ada comments `/promote`."""
    return {
        "action": "created",
        "installation": {"id": installation},
        "repository": {"full_name": talk.repository, "default_branch": "main"},
        "issue": {"number": pull},
        "comment": {
            "id": comment,
            "user": {"login": "ada", "type": "User"},
            "body": "/promote",
            "created_at": "2026-01-01T00:00:00Z",
            "html_url": "https://github.test/c",
        },
        "sender": {"login": "ada"},
    }


def test_the_same_model_in_two_installations_goes_two_ways(running, pair):
    """Promoted and passed here; open and untouched there."""
    here, there, first, second = pair
    here.say("ada", first, "/promote")
    here.reached(first, "passed")

    assert there.stage(second) == "open"
    assert (
        there.ask("ada", "GET", "/contents/staging.yaml")["sha"]
        != here.ask("ada", "GET", "/contents/staging.yaml")["sha"]
    )


def test_a_hold_on_everything_ends_at_the_repository(running, pair):
    """`/hold all` here stops nothing there, and what is said here does not name there."""
    here, there, first, second = pair
    here.person("mia", "maintain")
    comment = here.say("mia", first, "/hold all incident")
    here.answer(first, comment)
    there.say("ada", second, "/promote")
    there.reached(second, "passed")
    status = here.say("ada", first, "/status")

    assert here.stage(first) == "open"
    assert there.repository not in here.answer(first, status)


def test_a_right_in_one_repository_is_none_in_another(running, pair):
    """An administrator there is a stranger here."""
    here, there, first, _ = pair
    there.person("zoe", "admin")
    here.tokens["zoe"] = there.tokens["zoe"]
    here.running.server.add_collaborator(here.repository, "zoe", "read")
    comment = here.say("zoe", first, "/promote")

    assert "needs the right to write" in here.answer(first, comment)


@pytest.mark.parametrize("installation", ["other", "unknown"])
def test_a_delivery_that_names_another_installation_does_nothing(running, pair, installation):
    """Signed with the right secret, but about a repository that is not that installation's."""
    here, there, first, _ = pair
    wrong = there.installation if installation == "other" else 10**9
    real = here.say("ada", first, "Just talking")
    crossed = promoting(here, first, real, wrong)
    assert send(running, "issue_comment", crossed) == 202
    status = here.say("ada", first, "/status")
    here.answer(first, status)

    assert here.stage(first) == "open"
    assert here.reactions(real) == []


def test_a_delivery_about_a_repository_without_the_app_does_nothing(running, pair):
    """No row, no request, no answer."""
    here, _, first, _ = pair
    event = promoting(here, first, 10**12, here.installation)
    event["repository"]["full_name"] = "stranger/gitops"

    assert send(running, "issue_comment", event) == 202
    assert running.store.repository("stranger/gitops") is None
    assert running.store.pending_requests("stranger/gitops", [first], "") == []


def test_the_token_of_one_installation_opens_nothing_of_another(running, pair):
    """GitHub itself refuses: each token is for one repository of one installation."""
    here, there, _, second = pair
    crossed = running.app.forge(here.installation, there.repository)

    for act in (
        crossed.head,
        lambda: crossed.pull(second),
        lambda: crossed.upsert_comment(second, "<!-- x -->", "x"),
    ):
        with pytest.raises(Refused):
            act()


def test_what_is_uninstalled_is_left_alone(running):
    """Its promotions rest where they are; nothing is asked of it any more."""
    talk = running.conversation(POLICY)
    pull = talk.alias()
    running.server.uninstall(talk.installation)
    wait_for(lambda: running.store.repository(talk.repository) is None or None, "it was forgotten")

    comment = talk.say("ada", pull, "/promote")
    other = running.conversation(POLICY)
    other.reached(other.alias(), "open")
    assert talk.reactions(comment) == []
    assert talk.stage(pull) == "open"
