"""Commits, trees, references, files and diffs."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import pygit2
from pygit2.enums import DeltaStatus

from bot.sandbox.github.records import Repository
from bot.sandbox.github.render.people import simple_user, timestamp
from bot.sandbox.github.render.repositories import path_of
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]
LONGEST_PATCH_LINES = 3000
MOST_FILES = 300
_STATUS = {
    DeltaStatus.ADDED: "added",
    DeltaStatus.DELETED: "removed",
    DeltaStatus.MODIFIED: "modified",
    DeltaStatus.RENAMED: "renamed",
    DeltaStatus.COPIED: "copied",
    DeltaStatus.TYPECHANGE: "changed",
}


def git_person(signature: pygit2.Signature) -> JSON:
    when = datetime.fromtimestamp(signature.time, UTC)
    return {"name": signature.name, "email": signature.email, "date": timestamp(when)}


def verification(repo: Repository, sha: str) -> JSON:
    """Commits that the server made for an App or in a person's name through its API are signed by GitHub."""
    verified = sha in repo.verified
    reason = "valid" if verified else "unsigned"
    return {"verified": verified, "reason": reason, "payload": None, "signature": None, "verified_at": None}


def account_of_email(world: World, email: str) -> JSON | None:
    """The account that a commit's address belongs to; bots and people have noreply addresses too."""
    for account in world.state.accounts.values():
        noreply = f"{account.id}+{account.login}@users.noreply."
        if account.email.casefold() == email.casefold() or email.startswith(noreply):
            return simple_user(world, account.login)
    return None


def commit_simple(world: World, repo: Repository, commit: pygit2.Commit) -> JSON:
    """`commit` without stats and files, as in listings."""
    sha = str(commit.id)
    url = world.api(f"{path_of(repo)}/commits/{sha}")
    return {
        "url": url,
        "sha": sha,
        "node_id": node_id("Commit", f"{repo.id}:{sha}"),
        "html_url": world.html(f"/{repo.full_name}/commit/{sha}"),
        "comments_url": f"{url}/comments",
        "commit": {
            "url": world.api(f"{path_of(repo)}/git/commits/{sha}"),
            "author": git_person(commit.author),
            "committer": git_person(commit.committer),
            "message": commit.message,
            "comment_count": 0,
            "tree": tree_link(world, repo, str(commit.tree_id)),
            "verification": verification(repo, sha),
        },
        "author": account_of_email(world, commit.author.email),
        "committer": account_of_email(world, commit.committer.email),
        "parents": [parent_link(world, repo, str(parent)) for parent in commit.parent_ids],
    }


def tree_link(world: World, repo: Repository, sha: str) -> JSON:
    return {"sha": sha, "url": world.api(f"{path_of(repo)}/git/trees/{sha}")}


def parent_link(world: World, repo: Repository, sha: str) -> JSON:
    return {
        "sha": sha,
        "url": world.api(f"{path_of(repo)}/commits/{sha}"),
        "html_url": world.html(f"/{repo.full_name}/commit/{sha}"),
    }


def git_commit(world: World, repo: Repository, commit: pygit2.Commit) -> JSON:
    """The shape of the git data API."""
    sha = str(commit.id)
    return {
        "sha": sha,
        "node_id": node_id("Commit", f"{repo.id}:{sha}"),
        "url": world.api(f"{path_of(repo)}/git/commits/{sha}"),
        "html_url": world.html(f"/{repo.full_name}/commit/{sha}"),
        "author": git_person(commit.author),
        "committer": git_person(commit.committer),
        "tree": tree_link(world, repo, str(commit.tree_id)),
        "message": commit.message,
        "parents": [
            parent_link(world, repo, str(parent))
            | {"url": world.api(f"{path_of(repo)}/git/commits/{parent}")}
            for parent in commit.parent_ids
        ],
        "verification": verification(repo, sha),
    }


def git_ref(world: World, repo: Repository, name: str, sha: str) -> JSON:
    kind = world.git(repo).kind(sha) or "commit"
    return {
        "ref": name,
        "node_id": node_id("Ref", f"{repo.id}:{name}"),
        "url": world.api(f"{path_of(repo)}/git/{quote(name)}"),
        "object": {"sha": sha, "type": kind, "url": world.api(f"{path_of(repo)}/git/{kind}s/{sha}")},
    }


def diff_entries(
    world: World, repo: Repository, diff: pygit2.Diff, head: str, most: int = 3000
) -> list[JSON]:
    """The first `most` files of a diff; building a patch is what takes the time."""
    return [_diff_entry(world, repo, patch, head) for patch in islice(diff, most) if patch is not None]


def _diff_entry(world: World, repo: Repository, patch: pygit2.Patch, head: str) -> JSON:
    delta = patch.delta
    name = delta.new_file.path
    _, added, removed = patch.line_stats
    place = f"{head}/{quote(name)}"
    entry: JSON = {
        "sha": str(delta.old_file.id if delta.status == DeltaStatus.DELETED else delta.new_file.id),
        "filename": name,
        "status": _STATUS.get(delta.status, "changed"),
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
        "blob_url": world.html(f"/{repo.full_name}/blob/{place}"),
        "raw_url": world.html(f"/{repo.full_name}/raw/{place}"),
        "contents_url": world.api(f"{path_of(repo)}/contents/{quote(name)}?ref={head}"),
    }
    text = patch.data.decode("utf-8", "replace")
    if not delta.is_binary and "@@" in text and added + removed <= LONGEST_PATCH_LINES:
        entry["patch"] = text[text.index("@@") :].removesuffix("\n")
    if delta.status in {DeltaStatus.RENAMED, DeltaStatus.COPIED}:
        entry["previous_filename"] = delta.old_file.path
    return entry


def commit_full(world: World, repo: Repository, commit: pygit2.Commit) -> JSON:
    parent = str(commit.parent_ids[0]) if commit.parent_ids else None
    diff = world.git(repo).diff(parent, str(commit.id))
    added, removed = diff.stats.insertions, diff.stats.deletions
    return commit_simple(world, repo, commit) | {
        "stats": {"additions": added, "deletions": removed, "total": added + removed},
        "files": diff_entries(world, repo, diff, str(commit.id), MOST_FILES),
    }
