"""Deliveries of GitHub become typed events, and only signed ones do."""

import copy
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from bot.webhooks import github
from bot.webhooks import github_events as events
from bot.webhooks.errors import BadRequest, BadSignature
from bot.webhooks.reading import Fields

SHA = "a" * 40
OTHER_SHA = "b" * 40
ALICE = {"login": "alice", "type": "User"}


def comment_payload(**comment):
    return {
        "action": "created",
        "issue": {"number": 7, "pull_request": {"url": "…"}},
        "comment": {
            "id": 99,
            "user": ALICE,
            "body": "/promote",
            "created_at": "2026-01-02T03:04:05Z",
            "html_url": "https://github.test/c/99",
        }
        | comment,
        "repository": {"full_name": "octo/gitops", "default_branch": "main"},
        "installation": {"id": 5},
        "sender": ALICE,
    }


def pull_payload(action, **pull):
    return {
        "action": action,
        "pull_request": {
            "number": 7,
            "merged": False,
            "merge_commit_sha": OTHER_SHA,
            "head": {"ref": "slipway/x", "sha": SHA, "repo": {"full_name": "octo/gitops"}},
            "base": {"ref": "main"},
        }
        | pull,
        "repository": {"full_name": "octo/gitops", "default_branch": "main"},
        "installation": {"id": 5},
        "sender": ALICE,
    }


def push_payload(**push):
    return {
        "ref": "refs/heads/main",
        "after": SHA,
        "deleted": False,
        "forced": False,
        "commits": [{"added": ["b.yaml"], "modified": ["a.yaml"], "removed": []}, {"modified": ["b.yaml"]}],
        "repository": {"full_name": "octo/gitops", "default_branch": "main"},
        "installation": {"id": 5},
    } | push


@pytest.fixture
def parse(github_delivery, secret):
    def parse(event, payload):
        headers, body = github_delivery(event, payload)
        return github.parse(headers, body, [secret])

    return parse


def test_a_new_comment_in_a_pull_request_is_read(parse):
    """A comment that was just written arrives with all that a command needs."""
    expected = events.CommentCreated(
        delivery="11111111-2222-3333-4444-555555555555",
        installation=5,
        repository="octo/gitops",
        pull=7,
        comment=99,
        author="alice",
        is_bot=False,
        body="/promote",
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        url="https://github.test/c/99",
    )

    assert expected == parse("issue_comment", comment_payload())


@pytest.mark.parametrize(
    "comment",
    [
        {"user": {"login": "alice", "type": "Bot"}},
        {"user": {"login": "alice[bot]", "type": "User"}},
        {"user": {"login": "alice"}},
        {"performed_via_github_app": {"id": 1}},
    ],
)
def test_whatever_is_not_plainly_a_person_is_a_bot(parse, comment):
    """Bots, Apps that speak for a person and authors of unknown kind count as bots."""
    assert parse("issue_comment", comment_payload(**comment)).is_bot


@pytest.mark.parametrize("action", ["edited", "deleted", "surprise", None, 3])
def test_a_comment_edited_after_the_fact_says_nothing(parse, action):
    """Only creation is read; every other action is ignored with its reason."""
    assert "just created" in parse("issue_comment", comment_payload() | {"action": action}).reason


def test_a_comment_is_read_whether_or_not_the_server_says_that_it_is_a_pull_requests(parse):
    """Not every server that speaks GitHub's language marks them; the number tells them apart."""
    assert parse("issue_comment", comment_payload() | {"issue": {"number": 7}}).pull == 7


def test_text_that_no_database_stores_is_made_storable(parse):
    """NUL and lone surrogates become U+FFFD, the rest of the text stays."""
    body = parse("issue_comment", comment_payload(body="a\0b\ud800c😀")).body

    assert body == "a\ufffdb\ufffdc😀"


def test_a_pushed_branch_names_its_files_once(parse):
    """The paths of all commits are gathered, sorted, without repetition."""
    pushed = parse("push", push_payload())

    assert pushed.branch == "main"
    assert pushed.sha == SHA
    assert pushed.files == ("a.yaml", "b.yaml")
    assert pushed.to_default_branch


@pytest.mark.parametrize(
    ("push", "reason"),
    [({"ref": "refs/tags/v1"}, "not a branch"), ({"deleted": True}, "deleted"), ({"commits": None}, None)],
)
def test_tags_and_deleted_branches_are_ignored(parse, push, reason):
    """Only a branch that points somewhere matters; a push without commits is still a push."""
    event = parse("push", push_payload(**push))

    assert isinstance(event, events.Ignored if reason else events.Pushed)
    assert not reason or reason in event.reason


def test_a_merged_pull_request_carries_its_merge_commit(parse):
    """Merged: the merge commit. Closed only: none, although GitHub sends its trial merge."""
    merged = parse("pull_request", pull_payload("closed", merged=True))
    closed = parse("pull_request", pull_payload("closed"))

    assert isinstance(merged, events.PullRequestClosed)
    assert (merged.merge_sha, closed.merge_sha) == (OTHER_SHA, None)
    assert merged.by == "alice"


@pytest.mark.parametrize("action", sorted(github.LATEST_CHANGES))
def test_a_changed_pull_request_wakes(parse, action):
    """Whatever may change a gate's answer is told."""
    event = parse("pull_request", pull_payload(action))

    assert isinstance(event, events.PullRequestChanged)
    assert (event.change, event.head_sha, event.from_fork) == (action, SHA, False)


def test_a_pull_request_that_was_locked_is_ignored(parse):
    """What changes no gate wakes nobody."""
    assert isinstance(parse("pull_request", pull_payload("locked")), events.Ignored)


@pytest.mark.parametrize("repo", [None, {"full_name": "mallory/gitops"}, {}])
def test_a_branch_elsewhere_is_a_fork(parse, repo):
    """Another repository, or one that was deleted since, is a fork."""
    head = {"ref": "slipway/x", "sha": SHA, "repo": repo}

    assert parse("pull_request", pull_payload("opened", head=head)).from_fork


def review_payload(action, **review):
    return pull_payload(action) | {
        "review": {
            "id": 3,
            "user": ALICE,
            "state": "APPROVED",
            "commit_id": SHA,
            "body": None,
            "submitted_at": "2026-01-02T05:04:05+02:00",
        }
        | review
    }


def test_a_submitted_review_is_read_like_a_comment(parse):
    """Approving and a command may come in one go."""
    event = parse("pull_request_review", review_payload("submitted", body="/promote"))

    assert isinstance(event, events.ReviewSubmitted)
    assert (event.state, event.body, event.commit, event.author) == ("approved", "/promote", SHA, "alice")
    assert event.submitted_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_dismissed_review_wakes_the_gates_and_commands_nothing(parse):
    """A review that no longer counts changes the pull request; an edited one is ignored."""
    dismissed = parse("pull_request_review", review_payload("dismissed"))

    assert isinstance(dismissed, events.PullRequestChanged)
    assert isinstance(parse("pull_request_review", review_payload("edited")), events.Ignored)


def check_payload(action, what="check_run"):
    return pull_payload(action) | {what: {"name": "slipway / canary", "head_sha": SHA}}


def test_the_rerun_button_names_its_check(parse):
    """A check is rerequested by name, a suite without one."""
    run = parse("check_run", check_payload("rerequested"))
    suite = parse("check_suite", check_payload("rerequested", "check_suite"))

    assert (run.name, run.head_sha, run.by) == ("slipway / canary", SHA, "alice")
    assert (suite.name, suite.head_sha) == (None, SHA)


def test_a_finished_check_wakes_and_a_started_one_does_not(parse):
    """Only the end of a check may change a gate."""
    assert isinstance(parse("check_suite", check_payload("completed", "check_suite")), events.ChecksCompleted)
    assert isinstance(parse("check_run", check_payload("created")), events.Ignored)


@pytest.mark.parametrize(
    ("action", "key", "added", "removed"),
    [
        ("created", "repositories", ("octo/a",), ()),
        ("deleted", "repositories", (), ("octo/a",)),
        ("added", "repositories_added", ("octo/a",), ()),
        ("removed", "repositories_removed", (), ("octo/a",)),
    ],
)
def test_an_installation_tells_what_it_gained_and_lost(parse, action, key, added, removed):
    """Repositories come under three keys and mean two things."""
    payload = {"action": action, "installation": {"id": 5}, key: [{"full_name": "octo/a"}]}

    event = parse("installation", payload)

    assert (event.change, event.added, event.removed) == (action, added, removed)


def test_an_unknown_event_is_ignored_with_its_reason(parse):
    """GitHub may send what this program never heard of."""
    assert parse("sponsorship", {"installation": {"id": 5}}).reason == (
        "sponsorship is no event that Slipway acts on"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("issue", "number"), True),
        (("issue", "number"), 0),
        (("issue", "number"), 2**63),
        (("issue", "number"), "7"),
        (("comment", "id"), None),
        (("comment", "user"), None),
        (("comment", "user", "login"), "a\nb"),
        (("comment", "user", "login"), ""),
        (("comment", "user", "login"), "a" * 1025),
        (("comment", "body"), ["x"]),
        (("comment", "created_at"), "yesterday"),
        (("comment", "created_at"), 5),
        (("repository", "full_name"), "../evil"),
        (("repository", "full_name"), "octo/gitops/../other"),
        (("repository", "full_name"), "octo"),
        (("installation", "id"), "5"),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_path(parse, path, value):
    """The sentence names the path and never the value."""
    payload = copy.deepcopy(comment_payload())
    inner = payload
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value

    with pytest.raises(BadRequest) as refused:
        parse("issue_comment", payload)

    assert ".".join(path) in str(refused.value) or ".".join([*path, "login"]) in str(refused.value)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "push",
    [{"after": "HEAD"}, {"commits": "many"}, {"commits": [3]}, {"commits": [{"added": [1]}]}],
)
def test_a_push_of_another_shape_is_refused(parse, push):
    """A commit is forty hexadecimal digits, lists hold what they should."""
    with pytest.raises(BadRequest):
        parse("push", push_payload(**push))


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[1]", b"null", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_json_object_is_refused(secret, body):
    """Whatever the bytes, the answer is a BadRequest."""
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-github-event": "ping",
        "x-github-delivery": "d",
        "x-hub-signature-256": signature,
    }

    with pytest.raises(BadRequest):
        github.parse(headers, body, [secret])


@pytest.mark.parametrize("name", ["X-GitHub-Delivery", "X-GitHub-Event", "Content-Type"])
def test_a_delivery_without_its_headers_is_refused(github_delivery, secret, name):
    """Without an id, a kind and a JSON body there is nothing to work on."""
    headers, body = github_delivery("ping", {})

    with pytest.raises(BadRequest):
        github.parse({key: value for key, value in headers.items() if key != name}, body, [secret])


def test_a_ping_is_answered_with_either_secret_while_they_rotate(github_delivery):
    """Two valid secrets: a delivery signed with either is taken, whatever the headers' case."""
    headers, body = github_delivery("ping", {"zen": "…"})
    upper = {name.upper(): value for name, value in headers.items()}

    assert isinstance(github.parse(upper, body, ["next", "secret of the App"]), events.Ping)


@pytest.mark.parametrize(
    "signature",
    [None, "", "sha1=abc", "sha256=", "sha256=" + "0" * 64, "sha256=é\ud800", "0" * 64],
)
def test_a_wrong_or_missing_signature_is_refused(github_delivery, secret, signature):
    """Nothing is read before the signature is right."""
    headers, body = github_delivery("ping", {})
    headers = {name: value for name, value in headers.items() if name != "X-Hub-Signature-256"}
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature

    with pytest.raises(BadSignature) as refused:
        github.parse(headers, body, [secret])

    assert refused.value.status == 401


def test_an_empty_secret_lets_nobody_in(secret):
    """A forgotten setting must not mean that everybody may sign."""
    body = b"{}"
    headers = {"X-Hub-Signature-256": "sha256=" + hmac.new(b"", body, hashlib.sha256).hexdigest()}

    for secrets in ([], [""]):
        with pytest.raises(BadSignature):
            github.parse(headers, body, secrets)


def test_no_refusal_quotes_the_body_or_a_secret(github_delivery, secret):
    """Refusals end up in logs."""
    headers, body = github_delivery("issue_comment", comment_payload(id="hunter2"))
    wrong = dict(headers) | {"X-Hub-Signature-256": "sha256=hunter2"}

    assert "hunter2" not in repr(Fields({"id": "hunter2"}))
    for given in (headers, wrong):
        with pytest.raises((BadRequest, BadSignature)) as refused:
            github.parse(given, body, [secret])
        assert "hunter2" not in repr(refused.value)
        assert secret not in repr(refused.value)


def test_every_recorded_payload_is_read(shared_data, github_delivery, secret):
    """All of GitHub's own examples parse, and the events that Slipway knows become their types."""
    kinds = set()
    for path in sorted((shared_data / "github-webhooks").glob("*.json")):
        name = path.name.split(".")[0]
        headers, body = github_delivery(name, json.loads(path.read_bytes()))
        kinds.add(type(github.parse(headers, body, [secret])))

    assert kinds == {
        events.CheckRerequested,
        events.ChecksCompleted,
        events.CommentCreated,
        events.Ignored,
        events.InstallationChanged,
        events.Ping,
        events.PullRequestChanged,
        events.PullRequestClosed,
        events.Pushed,
        events.ReviewSubmitted,
    }
