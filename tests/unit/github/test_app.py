"""The App over its installations, also where a server offers less than GitHub does."""

from datetime import UTC, datetime

import pytest

from bot.domain.pull import PullState
from bot.ports import Installed, Unavailable

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
INSTALLATIONS = [
    {"id": 1, "account": {"login": "octo"}, "suspended_at": None},
    {"id": 2, "account": {"login": "acme"}},
    {"id": 3, "account": {"login": "gone"}, "suspended_at": "2026-01-01T00:00:00Z"},
]


def test_a_suspended_installation_has_no_repositories(app, script):
    """It could not be read anyway."""
    script.then(200, INSTALLATIONS)
    script.then(200, {"repositories": [{"id": 7, "full_name": "octo/gitops"}]})
    script.then(200, {"repositories": []})

    assert app.repositories() == [Installed(7, "octo/gitops", 1)]


@pytest.mark.parametrize("status", [403, 404])
def test_an_installation_that_refuses_to_be_read_does_not_hide_the_others(app, script, status):
    """Removed this moment, or closed to our address by its owner."""
    script.then(200, INSTALLATIONS)
    script.then(status, {"message": "The organization has an IP allow list enabled"})
    if status == 404:
        script.then(404, {"message": "Not Found"})  # neither is the account found
    script.then(200, {"repositories": [{"id": 7, "full_name": "acme/gitops"}]})

    assert app.repositories() == [Installed(7, "acme/gitops", 2)]


def test_an_installation_that_is_away_is_asked_again_later(app, script):
    """Nothing is concluded from an answer that did not come."""
    script.then(200, INSTALLATIONS)
    script.then(502, {})

    with pytest.raises(Unavailable):
        app.repositories()


def test_a_server_that_cannot_list_an_installation_searches_the_account(app, script):
    """What every repository of the account is, where nobody says which of them the App may see."""
    script.then(200, INSTALLATIONS[:1])
    script.then(404, {"message": "Not Found"})
    script.then(200, {"items": [{"id": 7, "full_name": "octo/gitops"}]})

    assert app.repositories() == [Installed(7, "octo/gitops", 1)]
    assert "q=user%3Aocto" in script.sent[-1].url


def test_a_server_that_keeps_no_deliveries_has_none_to_send_again(app, script):
    """Nothing to repair is no trouble."""
    script.then(404, {"message": "Not Found"})

    assert app.redeliver_failed(LONG_AGO) == 0


def test_only_what_never_got_through_is_sent_again(app, script):
    """One success among the attempts is enough, three failures are enough too, older ones are left alone."""

    def delivery(ident, guid, status, day=2):
        return {"id": ident, "guid": guid, "status_code": status, "delivered_at": f"2026-01-0{day}T00:00:00Z"}

    script.then(
        200,
        [
            delivery(9, "repaired", 202),
            delivery(8, "repaired", 502),
            delivery(7, "lost", 0),
            *(delivery(ident, "hopeless", 500) for ident in (6, 5, 4)),
            delivery(3, "old", 500, day=1),
        ],
    )
    script.then(202, {})

    assert app.redeliver_failed(datetime(2026, 1, 2, tzinfo=UTC)) == 1
    assert script.sent[-1].url.endswith("/app/hook/deliveries/7/attempts")


def test_a_closed_pull_request_is_read_where_the_issue_behind_it_is_missing(forge, script):
    """Who closed it stays unknown."""
    script.then(
        200,
        {
            "number": 7,
            "state": "closed",
            "title": "t",
            "html_url": "https://github.test/octo/gitops/pull/7",
            "head": {"ref": "slipway/x", "sha": "a" * 40},
            "base": {"ref": "main"},
        },
    )
    script.then(404, {"message": "Not Found"})

    pull = forge.pull(7)

    assert (pull.state, pull.closed_by, pull.author) == (PullState.CLOSED, None, "ghost")


def test_whose_members_cannot_be_read_has_none(forge, script):
    """A missing right denies; it neither allows nor stops everything else."""
    script.then(403, {"message": "Resource not accessible by integration"})

    assert forge.in_team("sre", "ada") is False


def test_who_closed_a_pull_request_may_stay_unknown(forge, script):
    """Without the right to read issues, that it is closed still counts."""
    head = {"ref": "slipway/x", "sha": "a" * 40}
    pull = {
        "number": 7,
        "state": "closed",
        "title": "t",
        "html_url": "",
        "head": head,
        "base": {"ref": "main"},
    }
    script.then(200, pull)
    script.then(403, {"message": "Resource not accessible by integration"})

    found = forge.pull(7)
    assert (found.state, found.closed_by) == (PullState.CLOSED, None)
