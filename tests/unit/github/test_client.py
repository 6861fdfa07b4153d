"""GitHub's refusals, limits and tokens, as the rest of Slipway meets them."""

import json
import logging
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests

from bot.adapters.github import GitHubApp
from bot.adapters.github.answers import Kept, Recent
from bot.adapters.github.budget import Budget, cost
from bot.adapters.github.errors import sentence
from bot.adapters.github.tokens import InstallationAuth, Token
from bot.domain.pull import Permission
from bot.ports import Conflict, Forbidden, NotFound, Refused, Unavailable

REF = {"ref": "refs/heads/main", "object": {"sha": "a" * 40}}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, Forbidden),
        (404, NotFound),
        (405, Refused),
        (409, Conflict),
        (410, Refused),
        (422, Refused),
        (500, Unavailable),
        (502, Unavailable),
    ],
)
def test_every_refusal_has_its_word(forge, script, status, error):
    """GitHub's sentence is passed on; its own trouble is told as such."""
    script.then(status, {"message": "No way"})

    with pytest.raises(error) as refused:
        forge.head("main")

    assert type(refused.value) is error
    assert ("No way" in refused.value.message) == (status < 500)


def test_a_page_of_html_is_trouble_not_a_crash(forge, script):
    """A proxy's error page and broken JSON are temporary."""
    script.then(502, b"<html>Bad gateway</html>")
    script.then(200, b'{"ref": ')

    for _ in range(2):
        with pytest.raises(Unavailable):
            forge.head("main")


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("https://x:ghs_secret1@host"),
        requests.Timeout(),
        requests.exceptions.SSLError(),
    ],
)
def test_no_answer_is_unavailable(forge, script, error):
    """Whatever broke, the message names the kind of trouble and no address."""
    script.fail(error)

    with pytest.raises(Unavailable) as away:
        forge.head("main")

    assert str(away.value) == f"GitHub: no answer ({type(error).__name__})"


@pytest.mark.parametrize(
    ("answer", "headers", "seconds"),
    [
        ((429, "Too many"), {"retry-after": "17"}, 17),
        ((403, "You have exceeded a secondary rate limit"), {"retry-after": "9"}, 9),
        ((403, "You have exceeded a secondary rate limit."), {}, 60),
        ((403, "API rate limit exceeded"), {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "{soon}"}, 40),
        ((429, "Too many"), {"retry-after": "soon"}, 60),
    ],
)
def test_a_limit_is_waited_for_and_not_hammered(forge, script, answer, headers, seconds):
    """The wait is told, nobody sleeps, and until it is over no request leaves the house."""
    headers = {name: value.format(soon=int(time.time()) + 40) for name, value in headers.items()}
    script.then(answer[0], {"message": answer[1]}, **headers)
    started = time.monotonic()

    with pytest.raises(Unavailable) as limited:
        forge.head("main")
    sent = len(script.sent)
    with pytest.raises(Unavailable) as again:
        forge.head("main")

    assert limited.value.retry_after == pytest.approx(seconds, abs=2)
    assert again.value.retry_after == pytest.approx(seconds, abs=2)
    assert len(script.sent) == sent
    assert time.monotonic() - started < 8


def test_another_installation_is_not_held_up(app, script):
    """A budget belongs to one installation."""
    script.then(429, {"message": "Too many"}, retry_after="60")
    with pytest.raises(Unavailable):
        app.forge(1, "octo/gitops").head("main")
    reset = str(int(time.time()) + 600)
    script.then(200, REF, x_ratelimit_remaining="4321", x_ratelimit_limit="5000", x_ratelimit_reset=reset)

    assert app.forge(2, "acme/gitops").head("main") == "a" * 40
    usage = app.usage()
    assert usage[2].remaining == 4321
    assert (usage[1].pause > 0, usage[2].pause) == (True, 0)
    assert usage[1].answers == {"refused": 1}
    assert usage[2].answers == {"answered": 1}


GET, PATCH, REACT = ("GET", "/pulls"), ("PATCH", "/pulls/1"), ("POST", "/issues/comments/1/reactions")
OPEN, ANSWER = ("POST", "/repos/o/r/pulls"), ("POST", "/repos/o/r/issues/1/comments")


class Hour:
    """A budget on a clock that a test moves."""

    def __init__(self):
        self.now = 0.0
        self.budget = Budget(counted=True, clock=lambda: self.now)

    def most(self, request, every=0.0):
        """How many of this request are let through, one each `every` seconds, and how long the next waits."""
        for sent in range(10_000):
            try:
                self.budget.spend(cost(*request))
            except Unavailable as refused:
                return sent, refused.retry_after
            self.now += every
        raise AssertionError("never refused")


@pytest.mark.parametrize(
    ("request_", "every", "most"),
    [(GET, 0, 850), (GET, 0.01, 850), (PATCH, 0, 20), (REACT, 0, 30), (OPEN, 1.5, 450), (ANSWER, 0.7, 80)],
)
def test_requests_stay_below_the_documented_limits(request_, every, most):
    """Points and content in a minute, content in an hour, a burst of writes: less for what is no answer."""
    assert Hour().most(request_, every)[0] == most


def test_the_limit_of_a_minute_is_told_with_its_end():
    """Whoever must wait knows for how long, and then goes on."""
    hour = Hour()
    hour.most(GET)
    hour.now = 20.0
    assert hour.most(GET) == (0, 40.0)

    hour.now = 60.0
    assert hour.most(GET)[0] == 850


def test_writes_come_one_a_second_after_a_burst():
    """A promotion's own writes go out at once; a hundred promotions share what GitHub takes."""
    hour = Hour()
    assert hour.most(PATCH) == (20, 1.0)
    hour.now = 5.0
    assert hour.most(PATCH) == (5, 1.0)


def test_people_are_answered_from_what_is_kept_back():
    """A reaction and an answer go out when everything else waits."""
    hour = Hour()
    hour.most(PATCH)

    assert hour.most(ANSWER)[0] == 10


@pytest.mark.parametrize("resource", ["core", "graphql"])
def test_the_last_requests_of_an_hour_are_kept_for_answers(resource):
    """What GitHub says of its core limit counts, also on a server of one's own."""
    now = [0.0]
    budget = Budget(counted=False, clock=lambda: now[0])
    told = {"limit": "5000", "remaining": "100", "reset": str(int(time.time()) + 600), "resource": resource}
    budget.learn(200, {f"x-ratelimit-{name}": value for name, value in told.items()})
    budget.spend(cost(*ANSWER))

    if resource == "graphql":
        budget.spend(cost(*GET))
        return
    with pytest.raises(Unavailable, match="nearly spent") as waits:
        budget.spend(cost(*GET))
    assert waits.value.retry_after == pytest.approx(600, abs=2)
    assert budget.usage().answers == {"answered": 1, "postponed": 1}
    now[0] = 601.0
    budget.spend(cost(*GET))


@pytest.mark.parametrize(
    ("base_url", "counted"),
    [
        ("https://api.github.com", True),
        ("https://api.octo.ghe.com", True),
        ("https://github.example.com/api/v3", False),
        ("http://127.0.0.1:3000", False),
        ("https://api.github.com.example.com", False),
    ],
)
def test_only_github_itself_is_counted_for(private_key, base_url, counted):
    """A server of one's own has other limits, or none: there only what it answers counts."""
    budget = GitHubApp(7, private_key, base_url)._shared.budget(1)
    for _ in range(850):
        budget.spend(cost("GET", "/x"))

    with pytest.raises(Unavailable) if counted else nullcontext():
        budget.spend(cost("GET", "/x"))


def test_a_token_is_remembered_once_it_has_worked(app, script):
    """One token serves a second forge and a second request, after GitHub took it."""
    for _ in range(3):
        script.then(200, REF)
    app.forge(1, "octo/gitops").head("main")
    app.forge(1, "octo/gitops").head("main")
    app.forge(1, "octo/other").head("main")

    assert script.tokens == 2  # one a repository


def test_a_token_that_never_worked_is_not_remembered(forge, script):
    """A fresh token that is not known everywhere yet: try later, with another."""
    script.then(401, {"message": "Bad credentials"})
    script.then(200, REF)

    with pytest.raises(Unavailable) as early:
        forge.head("main")
    forge.head("main")

    assert early.value.retry_after == 1
    assert script.tokens == 2


def test_a_revoked_token_is_replaced(forge, script):
    """A remembered token that GitHub no longer takes is replaced within the same request."""
    script.then(200, REF)
    script.then(401, {"message": "Bad credentials"})
    script.then(200, REF)

    forge.head("main")
    assert forge.head("main") == "a" * 40
    assert script.tokens == 2


def test_credentials_that_are_wrong_for_good_are_told(forge, script):
    """Two tokens in a row refused: the App lacks the right to be here."""
    script.then(200, REF)
    script.then(401, {"message": "Bad credentials"})
    script.then(401, {"message": "Bad credentials"})
    forge.head("main")

    with pytest.raises(Forbidden):
        forge.head("main")


def test_an_app_that_is_not_accepted_is_told(app, script):
    """A wrong key or id is a plain no, at the first question."""
    script.then(401, {"message": "A JSON web token could not be decoded"})

    with pytest.raises(Forbidden, match="could not be decoded"):
        app.repositories()


def test_rights_that_are_not_used_are_not_taken(forge, script):
    """An App with more rights than Slipway uses gets a token without them, and so from then on."""
    script.rights = {"contents": "admin", "administration": "write", "checks": "read"}
    script.then(200, REF)

    forge.head("main")

    asked = [json.loads(each.body) for each in script.sent if each.url.endswith("/access_tokens")]
    assert asked == [
        {"repositories": ["gitops"]},
        {"repositories": ["gitops"], "permissions": {"contents": "write", "checks": "read"}},
    ]


def test_rights_taken_away_meanwhile_are_no_longer_asked_for(forge, app, script):
    """GitHub refuses a token with a right that the installation lost: ask for what there is."""
    script.then(200, REF)
    forge.head("main")
    tokens = app._shared.tokens
    tokens._proven.clear()
    script.answers_tokens = True
    script.then(422, {"message": "The permissions requested are not granted to this installation."})
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    script.then(201, {"token": "ghs_secret9", "expires_at": expires, "permissions": {"contents": "read"}})
    script.then(200, REF)

    assert forge.head("main") == "a" * 40


def test_an_app_that_was_removed_is_not_found(forge, script):
    """No installation, no token: nothing is asked twice."""
    script.answers_tokens = True
    script.then(404, {"message": "Not Found"})

    with pytest.raises(NotFound):
        forge.head("main")


def test_an_unreachable_token_endpoint_is_unavailable(forge, script):
    """Also where the token itself cannot be fetched."""
    script.answers_tokens = True
    script.fail(requests.ConnectionError())

    with pytest.raises(Unavailable):
        forge.head("main")


def test_a_token_near_its_end_is_renewed():
    """Two minutes before it ends a token is not used any more."""
    assert Token("t", datetime.now(UTC) + timedelta(minutes=3)).fresh
    assert not Token("t", datetime.now(UTC) + timedelta(minutes=1)).fresh


def test_nothing_shows_a_secret(app, forge, script, private_key, caplog):
    """Neither repr nor a log at any level holds a token or the key."""
    caplog.set_level(logging.DEBUG)
    script.then(200, REF)
    script.then(422, {"message": "no"})
    forge.head("main")
    with pytest.raises(Refused):
        forge.dispatch_event("retrain", {})

    auth = InstallationAuth()
    auth.current = Token("ghs_secret1", datetime.now(UTC))
    shown = [app, forge, forge._client, forge._place, app._shared, auth, auth.current, auth._masked_token]
    text = caplog.text + "".join(map(repr, shown))
    assert "ghs_secret" not in text
    assert private_key[40:80] not in text


def test_old_answers_make_room():
    """The memory for ETags is bounded."""
    answers = Recent(most=2)
    for path in "abc":
        answers.keep(((1, None), path), Kept("tag", path, ""))

    assert answers.get(((1, None), "a")) is None
    assert answers.get(((1, None), "c")) == Kept("tag", "c", "")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"message": "Validation Failed", "errors": ["a", {"message": "b"}]}, "Validation Failed; a; b"),
        ({"message": "M", "errors": [{"resource": "R", "field": "f", "code": "missing"}]}, "M; R f missing"),
        ({"message": "two\nlines"}, "two lines"),
        ({"message": "x" * 999}, "x" * 300),
        ({"message": None}, ""),
        (None, ""),
    ],
)
def test_githubs_sentence_is_one_line(data, expected):
    """Message and details, short enough for a comment and a log."""
    assert expected == sentence(data)


def test_graphql_that_is_not_there_is_not_asked_again(forge, script):
    """A 404, a schema that lacks a field, or a plain web page: this installation does without."""
    for status, body in [
        (404, {"message": "Not Found"}),
        (200, {"errors": [{"message": "Cannot query field"}]}),
        (200, b"<html></html>"),
    ]:
        forge._client._shared.without_graphql.clear()
        script.then(status, body)
        with pytest.raises(Refused):
            forge._client.graphql("query { viewer { login } }", {})
        assert not forge._client.has_graphql


def test_a_graphql_refusal_is_told_and_asked_again(forge, script):
    """A mutation that did not work says nothing against GraphQL itself."""
    script.then(200, {"data": {"createRef": None}, "errors": [{"message": "Reference already exists"}]})

    with pytest.raises(Refused, match="already exists"):
        forge._client.graphql("mutation { x }", {})

    assert forge._client.has_graphql


def test_a_graphql_limit_is_waited_for(forge, script):
    """GitHub sends GraphQL's limit as a 200."""
    script.then(200, {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]})

    with pytest.raises(Unavailable) as limited:
        forge._client.graphql("query { viewer { login } }", {})

    assert limited.value.retry_after == 60
    assert forge._client.has_graphql


def test_a_custom_role_counts_as_what_it_builds_on(forge, script):
    """GitHub names the role and, beside it, the older word."""
    script.then(200, {"role_name": "model-release-manager", "permission": "write"})
    script.then(200, {"permission": "strange"})

    assert forge.permission("alice") is Permission.WRITE
    assert forge.permission("bob") is Permission.NONE


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"type": "symlink", "target": "/etc/passwd"}, "no ordinary file"),
        ({"type": "submodule", "submodule_git_url": "https://x.test"}, "no ordinary file"),
        ({"type": "file", "size": 2_000_000, "encoding": "none", "content": ""}, "larger than"),
    ],
)
def test_what_is_no_plain_small_file_is_refused(forge, script, found, reason):
    """Links, submodules and large files are not read, and no address in an answer is followed."""
    script.then(200, found)

    with pytest.raises(Refused, match=reason):
        forge.read("a", "main")


def test_a_file_is_no_folder(forge, script):
    """Listing a file is refused."""
    script.then(200, {"type": "file"})

    with pytest.raises(Refused, match="is a file"):
        forge.list_folder("a", "main")


def test_a_link_to_another_server_is_never_followed(app, script):
    """Of a listing's link only the cursor is taken; the address is our own."""
    delivery = {"id": 1, "guid": "g", "delivered_at": "2026-01-02T00:00:00Z", "status_code": 200}
    script.then(200, [delivery], link='<https://evil.test/app/hook/deliveries?cursor=v1_2>; rel="next"')
    script.then(200, [])

    app.redeliver_failed(datetime(2026, 1, 1, tzinfo=UTC))

    assert {urlsplit(request.url).hostname for request in script.sent} == {"github.test"}
    assert "cursor=v1_2" in script.sent[-1].url


@pytest.mark.parametrize("login", ["../../user?x=1#y", "a/b", "..%2f..", "a b"])
def test_a_name_is_one_step_of_a_path(forge, script, login):
    """A login or a team cannot lead to another part of the API."""
    script.then(200, REF)
    forge.head("main")
    script.then(404, {"message": "Not Found"})
    script.then(404, {"message": "Not Found"})
    forge.permission(login)
    forge.in_team(login, login)

    right, team = (urlsplit(request.url).path for request in script.sent[-2:])
    assert right.startswith("/api/v3/repos/octo/gitops/collaborators/")
    assert right.endswith("/permission")
    assert right.count("/") == 8
    assert team.startswith("/api/v3/orgs/octo/teams/")
    assert team.count("/") == 8


@pytest.mark.parametrize("path", ["..", "../x", "a/../../b", "a//b", "/a", "a/.", "a/"])
def test_a_path_never_leaves_the_repository(forge, script, path):
    """Refused before anything is sent: HTTP clients resolve dots themselves."""
    sent = len(script.sent)
    for ask in (
        lambda: forge.read(path, "main"),
        lambda: forge.list_folder(path, "main"),
        lambda: forge.head(path),
        lambda: forge.permission(".."),
    ):
        with pytest.raises(Refused, match="no path"):
            ask()

    assert len(script.sent) == sent


def test_a_listing_without_an_end_is_cut(app, forge, script):
    """A server that never stops does not keep us for ever."""
    review = {"id": 1, "state": "PENDING"}
    for _ in range(50):
        script.then(200, [review] * 100, link='<https://github.test/x?page=2>; rel="next"')
    assert forge.reviews(7) == []

    delivery = {"guid": "g", "delivered_at": "2026-01-02T00:00:00Z", "status_code": 200}
    for _ in range(50):
        script.then(200, [delivery], link='<https://github.test/x?cursor=again>; rel="next"')
    assert app.redeliver_failed(datetime(2026, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize("found", [[REF], {**REF, "ref": "refs/heads/main2"}])
def test_a_branch_is_only_what_has_its_whole_name(forge, script, found):
    """GitHub may answer with what merely begins so."""
    script.then(200, found)

    with pytest.raises(NotFound):
        forge.head("main")


RENAMED = "https://github.test/api/v3/repositories/9/issues/7/comments?per_page=100&page=2"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_renamed_repository_is_followed_with_the_whole_request(forge, script, status):
    """GitHub's redirect is asked the same, query and method and body included."""
    script.then(status, {"message": "Moved"}, location=RENAMED)
    script.then(200, [])
    forge.comments(7)
    script.then(status, {"message": "Moved"}, location="/api/v3/repositories/9/dispatches")
    script.then(204)
    forge.dispatch_event("retrain", {"model": "fraud"})

    assert script.sent[-3].url == RENAMED.replace(".test", ".test:443")
    body = {"event_type": "retrain", "client_payload": {"model": "fraud"}}
    assert (script.sent[-1].method, json.loads(script.sent[-1].body)) == ("POST", body)
    assert script.sent[-1].url.endswith("/repositories/9/dispatches")


@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize("elsewhere", ["https://evil.test/api/v3/x", "http://github.test/x"])
def test_a_token_is_never_sent_to_another_server(forge, script, status, elsewhere):
    """Whoever redirects there gets nothing, and nothing is taken for an answer."""
    script.then(status, {"message": "Moved", "ref": "refs/heads/main"}, location=elsewhere)

    with pytest.raises(Refused):
        forge.head("main")

    assert all(each.url.startswith("https://github.test:443/") for each in script.sent)


def test_a_redirect_in_a_circle_ends(forge, script):
    """A few steps, then a refusal."""
    for _ in range(4):
        script.then(307, {"message": "Moved"}, location="/api/v3/repositories/9")

    with pytest.raises(Refused):
        forge.default_branch()


def test_a_listing_goes_where_the_servers_link_says(forge, script):
    """Full or not, by number or by cursor: the link decides, and only its query is taken."""
    link = '<https://evil.test/steal?per_page=100&after=abc>; rel="next", <https://x.test?page=1>; rel="prev"'
    script.then(200, [], link=link, etag='"1"')
    script.then(200, [], link='<https://x.test?page=1>; rel="first"')
    forge.comments(7)
    assert script.sent[-1].url.endswith("/issues/7/comments?after=abc&per_page=100")

    script.then(304)
    script.then(200, [])
    forge.comments(7)
    assert "after=abc" in script.sent[-1].url
