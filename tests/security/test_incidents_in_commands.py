"""Known incidents of others, played against the parser, the authorization and the reading of webhooks.

One test for each incident, named after it.
"""

import hmac
import json

import pytest

from bot.domain.authorization import DEFAULT_RULES, Action, Actor, Allowed, Denied, Rule, action_of, authorize
from bot.domain.commands import ParsedComment, Promote, parse
from bot.domain.pull import Permission
from bot.webhooks import github, signing
from bot.webhooks import github_events as events
from bot.webhooks.errors import BadSignature

SECRET = "secret of the App"


def deliver(event, payload, *, secret=SECRET, delivery="d-1"):
    body = json.dumps(payload).encode()
    headers = {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest(),
    }
    return github.parse(headers, body, [SECRET])


def comment(action="created", *, author="alice", kind="User", installation=5, repository="octo/gitops"):
    return {
        "action": action,
        "issue": {"number": 7, "pull_request": {}},
        "comment": {
            "id": 99,
            "user": {"login": author, "type": kind},
            "body": "/promote",
            "created_at": "2026-01-02T03:04:05Z",
        },
        "changes": {"body": {"from": "Looks good."}},
        "repository": {"full_name": repository},
        "installation": {"id": installation},
        "sender": {"login": author, "type": kind},
    }


@pytest.mark.parametrize(
    "body",
    [
        "I would not /promote this yet",
        "> /promote\n\nNo, please do not.",
        "The bot listens to:\n```\n/promote\n```",
        "Type `/promote` when you are ready",
        "<!-- /promote -->",
        "/promote is what I would write if I were sure",
    ],
)
def test_telefonistka_commands_matched_anywhere(body):
    """A command that is only mentioned promotes nothing."""
    assert parse(body).commands == ()


def test_a_comment_edited_after_the_fact():
    """Someone else's harmless comment that is edited into a command commands nothing."""
    assert isinstance(deliver("issue_comment", comment("edited")), events.Ignored)


@pytest.mark.parametrize("action", Action)
def test_a_bot_commenting(action):
    """Whatever rights it was given, and whatever it asks for."""
    answer = authorize(action, Actor("helper[bot]", Permission.ADMIN), Rule(Permission.NONE))

    assert isinstance(answer, Denied)


def test_a_bot_is_known_by_its_type_and_by_its_name():
    """GitHub says Bot; where something else stands in its place, the name still says so."""
    assert deliver("issue_comment", comment(kind="Bot")).is_bot
    assert deliver("issue_comment", comment(author="dependabot[bot]")).is_bot


def test_ghsa_7g9x_cp9g_92mr_acting_with_the_servers_own_rights():
    """The answer follows the person's right alone: there is nothing else in the question."""
    for permission in Permission:
        answer = authorize(Action.PROMOTE, Actor("alice", permission), DEFAULT_RULES[Action.PROMOTE])

        assert (answer == Allowed()) == (permission >= Permission.WRITE)


def test_an_override_does_not_ride_on_the_right_to_promote():
    """Going around the gates is an action of its own, with a right of its own."""
    (command,) = parse('/promote --override "trust me"').commands

    assert action_of(command) is Action.OVERRIDE
    assert Action.OVERRIDE not in DEFAULT_RULES
    assert parse("/promote") == ParsedComment((Promote(),))


def test_replayed_deliveries():
    """A delivery played again carries the id under which it was stored: whoever keeps ids sees it twice."""
    first = deliver("issue_comment", comment(), delivery="d-1")
    again = deliver("issue_comment", comment(), delivery="d-1")

    assert first.delivery == again.delivery == "d-1"


def test_cross_installation_deliveries():
    """A delivery is signed as a whole: installation and repository cannot be exchanged under way."""
    body = json.dumps(comment(installation=5, repository="octo/gitops")).encode()
    headers = {
        "content-type": "application/json",
        "x-github-event": "issue_comment",
        "x-github-delivery": "d-1",
        "x-hub-signature-256": "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest(),
    }
    assert github.parse(headers, body, [SECRET]).installation == 5

    for forged in (body.replace(b"5", b"6"), body.replace(b"octo/gitops", b"acme/models")):
        with pytest.raises(BadSignature):
            github.parse(headers, forged, [SECRET])


def test_a_signature_is_compared_in_constant_time_with_every_secret(monkeypatch):
    """Neither the first wrong byte nor the first right secret shortens the comparison."""
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(signing.hmac, "compare_digest", lambda a, b: compared.append(b) or compare(a, b))

    signing.verify(b"right", [b"right", b"other"])
    with pytest.raises(BadSignature):
        signing.verify(b"wrong", [b"right", b"other"])

    assert compared == [b"right", b"other"] * 2


def test_a_secret_in_rotation():
    """The old secret is taken while it is listed, and not a moment longer."""
    body = b"{}"
    headers = {
        "content-type": "application/json",
        "x-github-event": "ping",
        "x-github-delivery": "d",
        "x-hub-signature-256": "sha256=" + hmac.new(b"old", body, "sha256").hexdigest(),
    }

    assert isinstance(github.parse(headers, body, ["new", "old"]), events.Ping)
    with pytest.raises(BadSignature):
        github.parse(headers, body, ["new"])
