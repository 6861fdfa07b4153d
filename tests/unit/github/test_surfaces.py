"""Checks, deployments and comments: what is sent, and what is not sent twice."""

import json
from datetime import UTC, datetime

import pytest

from bot.ports import CheckRun, Unavailable

SHA = "a" * 40
RUN = CheckRun("slipway / canary", SHA, "Watching", "3 of 15 minutes", None)


def sent(script):
    return [
        (each.method, each.url.rpartition("gitops")[2].partition("?")[0], json.loads(each.body))
        for each in script.sent
        if each.method != "GET" and "/app/" not in each.url
    ]


def ours(ident, status, slug="slipway"):
    return {"id": ident, "status": status, "app": {"slug": slug}}


def test_a_check_is_made_where_there_is_none_of_ours(forge, script):
    """Another App's check of the same name is not ours to edit."""
    script.then(
        200, {"check_runs": [ours(1, "in_progress", slug="mallory"), {"id": 2, "status": "completed"}]}
    )
    script.then(201, {"id": 3})

    forge.check(RUN)

    assert sent(script) == [
        (
            "POST",
            "/check-runs",
            {
                "name": "slipway / canary",
                "status": "in_progress",
                "output": {"title": "Watching", "summary": "3 of 15 minutes"},
                "head_sha": SHA,
            },
        )
    ]


def test_a_running_check_is_edited_and_a_finished_one_is_followed_by_another(forge, script):
    """As the re-run button expects: what runs again is a new run."""
    script.then(200, {"check_runs": [ours(1, "completed"), ours(2, "in_progress")]})
    script.then(200, {"id": 2})
    script.then(200, {"check_runs": [ours(2, "completed")]})
    script.then(201, {"id": 3})

    forge.check(CheckRun("slipway / canary", SHA, "Passed", "All", "success", "https://x.test"))
    forge.check(RUN)

    edited, made = sent(script)
    assert edited[:2] == ("PATCH", "/check-runs/2")
    assert (edited[2]["conclusion"], edited[2]["details_url"]) == ("success", "https://x.test")
    assert made[:2] == ("POST", "/check-runs")


def deploy(forge, state, description="Version 2", url=None, **options):
    forge.deployment("fraud production", SHA, state, description, url, **options)


def test_a_deployment_is_made_once_and_its_status_set_when_it_changes(forge, script):
    """The same state said again is not sent again; another one is."""
    said = [{"id": 2, "state": "in_progress", "description": "Version 2"}, {"id": 1, "state": "queued"}]
    script.then(200, [])
    script.then(201, {"id": 5})
    script.then(201, {})
    script.then(200, [{"id": 5}])
    script.then(200, said[::-1])
    script.then(200, [{"id": 5}])
    script.then(200, said)
    script.then(201, {})

    deploy(forge, "in_progress", url="https://x.test", production=True)
    deploy(forge, "in_progress", url="https://x.test", production=True)
    deploy(forge, "failure", "Version 2 " + "x" * 200)

    made, started, finished = sent(script)
    assert made[1] == "/deployments"
    assert made[2] == {
        "ref": SHA,
        "environment": "fraud production",
        "auto_merge": False,
        "required_contexts": [],
        "production_environment": True,
    }
    assert started[2]["log_url"] == "https://x.test"
    assert finished[2]["state"] == "failure"
    assert len(finished[2]["description"]) == 140


def test_one_deployment_runs_in_an_environment(forge, script):
    """What ran before is retired, whether GitHub does so by itself or not; what ended stays as it ended."""
    script.then(200, [{"id": 5}])
    script.then(200, [])
    script.then(201, {})
    script.then(200, [{"id": 6}, {"id": 5}, {"id": 4}, {"id": 3}])
    script.then(200, [{"id": 9, "state": "success"}])
    script.then(201, {})
    script.then(200, [{"id": 8, "state": "failure"}])

    deploy(forge, "success")

    assert [(url, body["state"]) for _, url, body in sent(script)] == [
        ("/deployments/5/statuses", "success"),
        ("/deployments/4/statuses", "inactive"),
    ]


def test_what_was_just_made_is_found_where_the_listing_does_not_show_it_yet(forge, script):
    """One comment, one check run, one deployment, though GitHub's listings lag behind."""
    script.then(200, [])
    script.then(201, {"id": 11})
    script.then(200, [])
    script.then(200, {"id": 11})
    for _ in range(2):
        forge.upsert_comment(7, "<!-- m -->", "Hello")
    script.then(200, {"check_runs": []})
    script.then(201, {"id": 12})
    script.then(200, {"check_runs": []})
    script.then(200, {"id": 12})
    for _ in range(2):
        forge.check(RUN)
    script.then(200, [])
    script.then(201, {"id": 13})
    script.then(201, {})
    script.then(200, [])
    script.then(200, [])
    script.then(201, {})
    for state in ("in_progress", "failure"):
        deploy(forge, state)

    assert [each[:2] for each in sent(script)] == [
        ("POST", "/issues/7/comments"),
        ("PATCH", "/issues/comments/11"),
        ("POST", "/check-runs"),
        ("PATCH", "/check-runs/12"),
        ("POST", "/deployments"),
        ("POST", "/deployments/13/statuses"),
        ("POST", "/deployments/13/statuses"),
    ]


def test_a_comment_that_somebody_deleted_is_written_again(forge, script):
    """Remembered, and gone meanwhile."""
    script.then(200, [])
    script.then(201, {"id": 11})
    forge.upsert_comment(7, "<!-- m -->", "Hello")
    script.then(200, [])
    script.then(404, {"message": "Not Found"})
    script.then(201, {"id": 12})

    assert forge.upsert_comment(7, "<!-- m -->", "Hello") == 12


def test_a_deployment_that_github_only_talks_about_is_left_out(forge, script):
    """202 carries a message and no deployment."""
    script.then(200, [])
    script.then(202, {"message": "Auto-merged main into topic"})

    forge.deployment("production", SHA, "success", "Version 2", None)

    assert len(sent(script)) == 1


def test_an_unchanged_comment_and_issue_are_not_written_again(forge, script):
    """Saying the same again sends nothing."""
    mine = {
        "id": 3,
        "number": 3,
        "title": "t",
        "user": {"login": "slipway[bot]"},
        "body": "<!-- m -->\nHello",
    }
    script.then(200, [mine])
    script.then(200, [{**mine, "pull_request": {}}, mine])

    assert forge.upsert_comment(7, "<!-- m -->", "Hello") == 3
    assert forge.upsert_issue("<!-- m -->", "t", "Hello") == 3
    assert sent(script) == []


def test_a_surface_that_is_away_is_not_taken_for_missing(forge, script):
    """Temporary trouble is told, so that it is tried again."""
    script.then(500)
    script.then(500)
    script.then(500)

    for act in (
        lambda: forge.check(RUN),
        lambda: forge.react(1, "eyes"),
        lambda: forge.upsert_issue("<!-- m -->", "t", "b"),
    ):
        with pytest.raises(Unavailable):
            act()


def test_a_long_listing_is_read_to_its_end(forge, script):
    """Page after page, as long as the server names a next one; a full page may well be the last."""
    comment = {
        "id": 1,
        "user": {"login": "alice", "type": "User"},
        "body": None,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:06Z",
        "html_url": "https://github.test/c/1",
    }
    script.then(200, [comment] * 100, link='<https://github.test/x?per_page=100&page=2>; rel="next"')
    script.then(200, [comment] * 99 + [{**comment, "user": None}])

    comments = forge.comments(7)

    assert len(comments) == 200
    assert not script.answers
    assert (comments[0].body, comments[0].edited) == ("", True)
    assert (comments[-1].author, comments[-1].from_bot) == ("ghost", True)


COMMENT = {
    "id": 1,
    "user": {"login": "alice", "type": "User"},
    "body": "/promote",
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:05Z",
    "html_url": "https://github.test/c/1",
    "issue_url": "https://github.test/api/v3/repos/octo/gitops/issues/12",
}


def test_a_repositorys_comments_carry_their_conversation(forge, script):
    """The number is read from the address; the address itself is never asked."""
    script.then(200, [COMMENT])

    (said,) = forge.recent_comments(datetime(2026, 1, 2, tzinfo=UTC))

    assert said.pull == 12
    assert "since=2026-01-02T00%3A00%3A00Z" in script.sent[-1].url


def test_a_server_without_that_listing_is_asked_for_each_open_pull_request(forge, script):
    """One listing more for each, and nothing lost."""
    head = {"ref": "slipway/x", "sha": SHA}
    pull = {"number": 7, "state": "open", "title": "t", "html_url": "", "head": head, "base": {"ref": "main"}}
    script.then(404, {"message": "Not Found"})
    script.then(200, [pull])
    script.then(200, [COMMENT])

    assert [said.pull for said in forge.recent_comments(datetime(2026, 1, 2, tzinfo=UTC))] == [7]
