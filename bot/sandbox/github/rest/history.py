"""Commits and comparing them."""

from datetime import UTC, datetime
from typing import Any

import pygit2

from bot.sandbox.github.errors import Problem, not_found, unprocessable
from bot.sandbox.github.render.commits import commit_simple, diff_entries
from bot.sandbox.github.render.pulls import pull_simple
from bot.sandbox.github.render.repositories import path_of
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, route

MOST_FILES = 300


@route("GET", REPO + "/commits", app="contents:read")
def list_commits(call: Call) -> Answer:
    asked = call.query.get("sha")
    start = call.git.resolve(asked or call.repo.default_branch)
    if start is None:
        raise not_found() if asked else Problem(409, "Git Repository is empty.")
    found = list(call.git.log(start))
    if path := call.query.get("path"):
        found = [one for one in found if _touches(call, one, path)]
    if author := call.query.get("author"):
        found = [one for one in found if author in {one.author.email, _login(call, one)}]
    for name, later in (("since", True), ("until", False)):
        if text := call.query.get(name):
            border = _time(text)
            found = [
                one for one in found if (one.commit_time >= border if later else one.commit_time <= border)
            ]
    return Answer(200, [commit_simple(call.world, call.repo, one) for one in call.page(found)])


def _time(text: str) -> float:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise unprocessable(f"{text} is not a time") from None
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()


def _touches(call: Call, commit: pygit2.Commit, path: str) -> bool:
    mine = call.git.entry(str(commit.id), path)
    parents = [call.git.entry(str(parent), path) for parent in commit.parent_ids] or [None]
    ids = {parent.id if parent is not None else None for parent in parents}
    return (mine.id if mine is not None else None) not in ids


def _login(call: Call, commit: pygit2.Commit) -> str | None:
    shown = commit_simple(call.world, call.repo, commit)["author"]
    return str(shown["login"]) if shown is not None else None


def the_commit(call: Call, ref: str) -> pygit2.Commit:
    """The commit that a branch, tag or sha names. Raises 422 as GitHub does for a sha that is none."""
    sha = call.git.resolve(ref)
    commit = call.git.commit(sha) if sha is not None else None
    if commit is None:
        raise unprocessable(f"No commit found for SHA: {ref}")
    return commit


@route("GET", REPO + "/commits/{ref:path}/pulls", app="pull_requests:read")
def list_pulls(call: Call) -> Answer:
    sha = str(the_commit(call, call.params["ref"]).id)
    found = [
        issue
        for issue in call.repo.issues.values()
        if issue.pull is not None and sha in {issue.pull.head_sha, issue.pull.merge_commit}
    ]
    return Answer(200, [pull_simple(call.world, call.repo, issue) for issue in call.page(found)])


@route("GET", REPO + "/compare/{span:path}", app="contents:read")
def compare(call: Call) -> Answer:
    left, dots, right = call.params["span"].partition("...")
    base = call.git.resolve(left.rpartition(":")[2])
    head = call.git.resolve(right.rpartition(":")[2])
    if not dots or base is None or head is None:
        raise not_found()
    return Answer(200, _comparison(call, base, head))


def _comparison(call: Call, base: str, head: str) -> dict[str, Any]:
    git, world, repo = call.git, call.world, call.repo
    start = git.merge_base(base, head)
    if start is None:
        raise not_found(f"No common ancestor between {base} and {head}.")
    ahead, behind = git.ahead_behind(head, base)
    word = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    html = world.html(f"/{repo.full_name}/compare/{base}...{head}")
    own = list(git.log(head, hide=base))[::-1]
    first, fork = git.commit(base), git.commit(start)
    assert first is not None
    assert fork is not None
    return {
        "url": world.api(f"{path_of(repo)}/compare/{base}...{head}"),
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": commit_simple(world, repo, first),
        "merge_base_commit": commit_simple(world, repo, fork),
        "status": word,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commit_simple(world, repo, one) for one in call.page(own)],
        "files": diff_entries(world, repo, git.diff(start, head), head)[:MOST_FILES],
    }
