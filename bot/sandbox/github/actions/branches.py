"""Moving references, and everything that follows from a branch that moved."""

from datetime import UTC, datetime
from typing import Any

import pygit2

from bot.sandbox.github import events
from bot.sandbox.github.actions.mergeable import render_pull
from bot.sandbox.github.actions.merged import finish_merge
from bot.sandbox.github.errors import Problem, unprocessable
from bot.sandbox.github.git import valid_ref
from bot.sandbox.github.records import Issue, Repository
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

JSON = dict[str, Any]
NOWHERE = "0" * 40
MOST_COMMITS = 2048


def create_ref(at: Visit, name: str, sha: str) -> None:
    git = at.git
    if not valid_ref(name) or name.count("/") < 2:  # noqa: PLR2004 - refs/kind/name
        raise unprocessable(f"{name} is not a valid ref name.")
    if git.kind(sha) is None or (name.startswith("refs/heads/") and git.commit(sha) is None):
        raise unprocessable("Object does not exist")
    if git.ref(name) is not None:
        raise unprocessable("Reference already exists")
    clash = [n for n in git.refs() if n.startswith(f"{name}/") or name.startswith(f"{n}/")]
    if clash:
        raise unprocessable("Reference cannot be created: a reference of this name stands in the way")
    git.set_ref(name, sha)
    moved(at, name, None, sha)


def update_ref(at: Visit, name: str, sha: str, *, force: bool) -> None:
    git = at.git
    before = git.ref(name)
    if before is None:
        raise unprocessable("Reference does not exist")
    if git.kind(sha) is None or (name.startswith("refs/heads/") and git.commit(sha) is None):
        raise unprocessable("Object does not exist")
    branch = name.removeprefix("refs/heads/")
    straight = git.is_ancestor(before, sha) if name.startswith("refs/heads/") else before == sha
    if not straight and branch in at.repo.protections:
        raise unprocessable("Cannot force-push to this protected branch")
    if not straight and not force:
        raise unprocessable("Update is not a fast forward")
    guard_direct_push(at.repo, name, before, sha)
    if before != sha:
        git.set_ref(name, sha, expected=before)
        moved(at, name, before, sha)


def guard_direct_push(repo: Repository, name: str, before: str | None, sha: str | None) -> None:
    """A branch that asks for reviews takes no commits but through pull requests."""
    rules = repo.protections.get(name.removeprefix("refs/heads/"))
    if rules is not None and rules.approvals is not None and before is not None and before != sha:
        raise Problem(409, "Changes must be made through a pull request.")


def delete_ref(at: Visit, name: str) -> None:
    git = at.git
    before = git.ref(name)
    if before is None:
        raise unprocessable("Reference does not exist")
    if name == f"refs/heads/{at.repo.default_branch}":
        raise unprocessable("Cannot delete the default branch")
    if name.removeprefix("refs/heads/") in at.repo.protections:
        raise unprocessable("Cannot delete this protected branch")
    git.delete_ref(name)
    moved(at, name, before, None)


def moved(at: Visit, name: str, before: str | None, after: str | None) -> None:
    """Fire what GitHub fires, and bring the pull requests of this branch up to date."""
    at.repo.pushed_at = at.repo.updated_at = at.world.now()
    _push_event(at, name, before, after)
    if not name.startswith("refs/heads/"):
        return
    branch = name.removeprefix("refs/heads/")
    for issue in list(at.repo.issues.values()):
        if issue.pull is None or issue.state != "open":
            continue
        if issue.pull.head == branch:
            _head_moved(at, issue, after)
        elif issue.pull.base == branch and after is not None:
            _base_moved(at, issue, after)


def _head_moved(at: Visit, issue: Issue, after: str | None) -> None:
    pull = pull_of(issue)
    issue.updated_at = at.world.now()
    if after is None:
        issue.state, issue.closed_at, issue.closed_by = "closed", at.world.now(), at.actor.login
        emit_pull(at, issue, "closed")
        return
    before, pull.head_sha = pull.head_sha, after
    git = at.git
    git.set_ref(f"refs/pull/{issue.number}/head", after)
    base = git.branch(pull.base)
    if base is not None:
        pull.base_sha = base
    rules = at.repo.protections.get(pull.base)
    if rules is not None and rules.dismiss_stale:
        for review in pull.reviews:
            if review.state == "APPROVED":
                review.state = "DISMISSED"
    emit_pull(at, issue, "synchronize", {"before": before, "after": after})


def _base_moved(at: Visit, issue: Issue, after: str) -> None:
    """A head that somebody pushed to the base branch by hand counts as merged."""
    pull = pull_of(issue)
    if pull.head_sha != pull.base_sha and at.git.is_ancestor(pull.head_sha, after):
        finish_merge(at, issue, after)
        emit_pull(at, issue, "closed")


def emit_pull(at: Visit, issue: Issue, action: str, more: JSON | None = None) -> None:
    payload = {"number": issue.number, "pull_request": render_pull(at.world, at.repo, issue), **(more or {})}
    events.emit(at, "pull_request", action, payload)


def _push_event(at: Visit, name: str, before: str | None, after: str | None) -> None:
    git = at.git
    created, deleted = before is None, after is None
    commits: list[JSON] = []
    if after is not None and git.commit(after) is not None:
        hide = before if before is not None and git.commit(before) is not None else None
        if hide is None and name != f"refs/heads/{at.repo.default_branch}":
            hide = git.branch(at.repo.default_branch)
        found = [] if created and hide is None else list(git.log(after, hide=hide))[:MOST_COMMITS]
        commits = [_push_commit(at.world, at.repo, commit) for commit in reversed(found)]
    head = git.commit(after) if after is not None else None
    short = name.split("/", 2)[-1]
    forced = (
        before is not None
        and after is not None
        and git.commit(before) is not None
        and git.commit(after) is not None
        and not git.is_ancestor(before, after)
    )
    span = f"{(before or NOWHERE)[:12]}...{(after or NOWHERE)[:12]}"
    pusher = at.world.account(at.actor.login)
    payload: JSON = {
        "ref": name,
        "before": before or NOWHERE,
        "after": after or NOWHERE,
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": at.world.html(f"/{at.repo.full_name}/compare/{short if created else span}"),
        "commits": commits,
        "head_commit": _push_commit(at.world, at.repo, head) if head is not None else None,
        "pusher": {"name": at.actor.login, "email": pusher.email if pusher is not None else None},
    }
    events.emit(at, "push", None, payload)
    kind = {"refs/heads/": "branch", "refs/tags/": "tag"}.get("/".join(name.split("/")[:2]) + "/")
    if kind is not None and (created or deleted):
        about: JSON = {"ref": short, "ref_type": kind, "pusher_type": "user"}
        if created:
            about |= {"master_branch": at.repo.default_branch, "description": at.repo.description}
        events.emit(at, "create" if created else "delete", None, about)


def _push_commit(world: World, repo: Repository, commit: pygit2.Commit) -> JSON:
    git = world.git(repo)
    sha = str(commit.id)
    parent = str(commit.parent_ids[0]) if commit.parent_ids else None
    paths: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for delta in git.diff(parent, sha).deltas:
        status = delta.status_char()
        if status in "AC":
            paths["added"].append(delta.new_file.path)
        elif status == "D":
            paths["removed"].append(delta.old_file.path)
        elif status == "R":
            paths["added"].append(delta.new_file.path)
            paths["removed"].append(delta.old_file.path)
        else:
            paths["modified"].append(delta.new_file.path)
    return {
        "id": sha,
        "tree_id": str(commit.tree_id),
        "distinct": True,
        "message": commit.message,
        "timestamp": datetime.fromtimestamp(commit.commit_time, UTC).isoformat(),
        "url": world.html(f"/{repo.full_name}/commit/{sha}"),
        "author": _push_person(world, commit.author),
        "committer": _push_person(world, commit.committer),
        **paths,
    }


def _push_person(world: World, signature: pygit2.Signature) -> JSON:
    account = next((a for a in world.state.accounts.values() if a.email == signature.email), None)
    person = {"name": signature.name, "email": signature.email}
    return person | ({"username": account.login} if account is not None else {})
