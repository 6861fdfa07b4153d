"""PyGithub, as the product uses it, against the server."""

import subprocess
from typing import Any

import github
import pytest

REPO = "acme/gitops"
PIN = "models/fraud/kustomization.yaml"


def propose(
    hub: Any, branch: str = "slipway/v2", content: str = "images: v2\n", who: github.Github | None = None
) -> Any:
    repo = (who or hub.bot()).get_repo(REPO)
    repo.create_git_ref(f"refs/heads/{branch}", repo.get_branch("main").commit.sha)
    old = repo.get_contents(PIN, ref=branch)
    repo.update_file(PIN, "Bump the pin", content, old.sha, branch=branch)
    return repo.create_pull(base="main", head=branch, title="Bump", body="Body")


def test_a_bump_is_opened_reviewed_and_merged(hub: Any) -> None:
    """The way of one promotion works with PyGithub alone, and every step is told to the webhook."""
    pull = propose(hub)
    pull.add_to_labels("canary")
    pull.create_review_request(reviewers=["writer"], team_reviewers=["ml"])
    comment = pull.create_issue_comment("working")
    comment.create_reaction("eyes")
    comment.edit("done")
    hub.person("writer").get_repo(REPO).get_pull(pull.number).create_review(event="APPROVE", body="fine")

    merged = pull.merge(sha=pull.head.sha, commit_title="Merge it")
    hub.settle()

    repo = hub.bot().get_repo(REPO)
    assert repo.get_contents(PIN).decoded_content == b"images: v2\n"
    assert [parent.sha for parent in repo.get_commit(merged.sha).parents][1] == pull.head.sha
    assert hub.inbox.names().count("pull_request.closed") == 1
    assert hub.inbox.one("pull_request.closed")["pull_request"]["merged"] is True
    assert {
        "installation.created",
        "pull_request.opened",
        "pull_request.labeled",
        "issue_comment.created",
        "issue_comment.edited",
        "pull_request_review.submitted",
        "push",
    } <= set(hub.inbox.names())


def test_a_moved_head_is_not_merged(hub: Any) -> None:
    """409 when the head is another commit than the client has seen."""
    pull = propose(hub)

    with pytest.raises(github.GithubException) as caught:
        pull.merge(sha="0" * 40)
    assert caught.value.status == 409


def test_a_conflict_is_not_merged(hub: Any) -> None:
    """405 when git finds conflicts, and `mergeable` says so before."""
    first, second = propose(hub, "one", "images: one\n"), propose(hub, "two", "images: two\n")
    first.merge()

    again = hub.bot().get_repo(REPO).get_pull(second.number)
    assert (again.mergeable, again.mergeable_state) == (False, "dirty")
    with pytest.raises(github.GithubException) as caught:
        again.merge()
    assert caught.value.status == 405


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_each_merge_method_makes_its_own_history(hub: Any, method: str) -> None:
    """Merging keeps both parents, squashing and rebasing keep one; the files are the same."""
    pull = propose(hub)
    merged = pull.merge(merge_method=method)

    commit = hub.bot().get_repo(REPO).get_commit(merged.sha)
    assert len(commit.parents) == (2 if method == "merge" else 1)
    assert hub.bot().get_repo(REPO).get_contents(PIN).decoded_content == b"images: v2\n"


def test_required_reviews_and_checks_hold_a_merge(hub: Any) -> None:
    """A protected branch refuses until the review and the check are there."""
    branch = hub.person("boss").get_repo(REPO).get_branch("main")
    branch.edit_protection(
        required_approving_review_count=1, strict=False, contexts=["gates"], enforce_admins=True
    )
    pull = propose(hub)

    with pytest.raises(github.GithubException, match="approving review is required"):
        pull.merge()
    hub.person("writer").get_repo(REPO).get_pull(pull.number).create_review(event="APPROVE")
    with pytest.raises(github.GithubException, match='"gates" is expected'):
        pull.merge()
    repo = hub.bot().get_repo(REPO)
    check = repo.create_check_run("gates", pull.head.sha, status="in_progress")
    assert repo.get_pull(pull.number).mergeable_state == "blocked"
    check.edit(conclusion="success", output={"title": "ok", "summary": "all held"})
    assert repo.get_pull(pull.number).mergeable_state == "clean"
    assert pull.merge().merged


def test_checks_and_deployments_tell_their_state(hub: Any) -> None:
    """Check runs, statuses and deployments can be written by the App and read back."""
    repo = hub.bot().get_repo(REPO)
    sha = repo.get_branch("main").commit.sha
    check = repo.create_check_run(
        "canary", sha, status="completed", conclusion="failure", output={"title": "no", "summary": "slow"}
    )
    repo.get_commit(sha).create_status("success", context="ci")
    first = repo.create_deployment(sha, environment="staging", auto_merge=False, required_contexts=[])
    first.create_status("success", description="live", environment_url="http://example.com")
    second = repo.create_deployment(sha, environment="staging", auto_merge=False, required_contexts=[])
    second.create_status("success")

    assert [one.conclusion for one in repo.get_commit(sha).get_check_runs()] == ["failure"]
    assert repo.get_commit(sha).get_combined_status().state == "success"
    assert [one.state for one in first.get_statuses()] == ["inactive", "success"]
    assert [one.name for one in repo.get_environments()] == ["staging"]
    hub.call("POST", f"/repos/{REPO}/check-runs/{check.id}/rerequest")
    hub.settle()
    assert hub.inbox.one("check_run.rerequested")["check_run"]["id"] == check.id


def test_git_clones_and_pushes_with_a_token(hub: Any, tmp_path: Any) -> None:
    """A push over HTTP moves the pull request's head and is told as push and synchronize."""
    pull = propose(hub)
    url = hub.server.url.replace("//", f"//x-access-token:{hub.tokens['writer']}@") + f"/{REPO}.git"
    work = tmp_path / "work"

    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=w", "-c", "user.email=w@example.com", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("clone", "-q", "-b", "slipway/v2", url, str(work))
    (work / "more.txt").write_text("more\n")
    git("-C", str(work), "add", "-A")
    git("-C", str(work), "commit", "-qm", "More")
    git("-C", str(work), "push", "-q")
    hub.settle()

    head = git("-C", str(work), "rev-parse", "HEAD").strip()
    assert hub.bot().get_repo(REPO).get_pull(pull.number).head.sha == head
    assert hub.inbox.one("pull_request.synchronize")["after"] == head


def test_git_over_http_refuses_readers_and_strangers(hub: Any, tmp_path: Any) -> None:
    """Reading rights do not push, and a private repository does not exist for strangers."""

    def clone(login: str | None) -> int:
        name = f"//x:{hub.tokens[login]}@" if login else "//"
        url = hub.server.url.replace("//", name) + f"/{REPO}.git"
        target = str(tmp_path / f"w-{login}")
        env = {"GIT_TERMINAL_PROMPT": "0", "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            ["git", "clone", "-q", url, target], capture_output=True, env=env, check=False
        ).returncode

    assert [clone("reader"), clone("stranger") != 0, clone(None) != 0] == [0, True, True]
    push = subprocess.run(
        ["git", "push", "-q", "origin", "main:refs/heads/x"],
        cwd=tmp_path / "w-reader",
        capture_output=True,
        check=False,
    )
    assert push.returncode != 0


def test_a_protected_branch_takes_no_push(hub: Any, tmp_path: Any) -> None:
    """Where reviews are required, commits come through pull requests only, by git as by REST."""
    hub.person("boss").get_repo(REPO).get_branch("main").edit_protection(required_approving_review_count=1)
    url = hub.server.url.replace("//", f"//x:{hub.tokens['writer']}@") + f"/{REPO}.git"
    subprocess.run(["git", "clone", "-q", url, str(tmp_path / "w")], check=True)
    commit = [
        "git",
        "-c",
        "user.name=w",
        "-c",
        "user.email=w@example.com",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
    ]
    subprocess.run(commit, cwd=tmp_path / "w", check=True)
    push = subprocess.run(
        ["git", "push", "-q"], cwd=tmp_path / "w", capture_output=True, text=True, check=False
    )

    assert push.returncode != 0
    assert "through a pull request" in push.stderr
    repo = hub.bot().get_repo(REPO)
    with pytest.raises(github.GithubException, match="through a pull request"):
        repo.create_file("new.txt", "New", "new")


def test_a_lost_delivery_can_be_redelivered(hub: Any) -> None:
    """What was dropped is listed as failed and comes again with the same id."""
    hub.server.outbox.dropping = True
    hub.person("reader").get_repo(REPO).create_issue("Hello")
    hub.server.outbox.dropping = False
    hub.settle()
    app = github.GithubIntegration(auth=hub.app_auth, base_url=hub.server.api_url)
    headers = {"Authorization": f"Bearer {hub.app_auth.create_jwt()}"}
    listed = hub.call("GET", "/app/hook/deliveries?status=failure", login=None, **headers).json()

    assert app.get_app().slug == "slipway"
    assert [(one["event"], one["action"]) for one in listed] == [("issues", "opened")]
    answer = hub.call("POST", f"/app/hook/deliveries/{listed[0]['id']}/attempts", login=None, **headers)
    hub.settle()
    assert answer.status_code == 202
    assert hub.inbox.received[-1].headers["x-github-delivery"] == listed[0]["guid"]
