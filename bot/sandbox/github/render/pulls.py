"""Pull requests and reviews."""

from typing import Any

from bot.sandbox.github.records import Issue, Pull, Repository, Review
from bot.sandbox.github.render.issues import association, comments_of, html_path, issue_path, labels
from bot.sandbox.github.render.people import (
    optional_timestamp,
    optional_user,
    simple_user,
    team_simple,
    timestamp,
)
from bot.sandbox.github.render.repositories import path_of, repository
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]


def pull_of(record: Issue) -> Pull:
    assert record.pull is not None
    return record.pull


def pull_simple(world: World, repo: Repository, record: Issue) -> JSON:
    """As in listings: without what takes work to find out."""
    pull = pull_of(record)
    url = world.api(f"{path_of(repo)}/pulls/{record.number}")
    issue_url = world.api(issue_path(repo, record.number))
    html = world.html(html_path(repo, record))
    statuses = world.api(f"{path_of(repo)}/statuses/{pull.head_sha}")
    places = {
        "self": url,
        "html": html,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": world.api(f"{path_of(repo)}/pulls/comments{{/number}}"),
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    teams = {team.slug: team for team in world.state.teams if team.organization == repo.owner}
    return {
        "url": url,
        "id": pull.id,
        "node_id": node_id("PullRequest", record.id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue_url,
        "commits_url": places["commits"],
        "review_comments_url": places["review_comments"],
        "review_comment_url": places["review_comment"],
        "comments_url": places["comments"],
        "statuses_url": statuses,
        "number": record.number,
        "state": record.state,
        "locked": record.locked,
        "active_lock_reason": None,
        "title": record.title,
        "user": simple_user(world, record.login),
        "body": record.body,
        # Unlike everywhere else, GitHub describes a label's description as never null here.
        "labels": [one | {"description": one["description"] or ""} for one in labels(world, repo, record)],
        "milestone": None,
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.updated_at),
        "closed_at": optional_timestamp(record.closed_at),
        "merged_at": optional_timestamp(pull.merged_at),
        "merge_commit_sha": pull.merge_commit,
        "assignee": optional_user(world, record.assignees[0] if record.assignees else None),
        "assignees": [simple_user(world, login) for login in record.assignees],
        "requested_reviewers": [simple_user(world, login) for login in pull.reviewers],
        "requested_teams": [team_simple(world, teams[slug]) for slug in pull.teams if slug in teams],
        "head": _end(world, repo, pull.head, pull.head_sha),
        "base": _end(world, repo, pull.base, pull.base_sha),
        "_links": {name: {"href": place} for name, place in places.items()},
        "author_association": association(world, repo, record.login),
        "auto_merge": None,
        "draft": pull.draft,
    }


def _end(world: World, repo: Repository, ref: str, sha: str) -> JSON:
    return {
        "label": f"{repo.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": simple_user(world, repo.owner),
        "repo": repository(world, repo),
    }


def pull_full(world: World, repo: Repository, record: Issue, mergeable: bool | None, state: str) -> JSON:  # noqa: FBT001 - the fact itself, shown as it is
    pull = pull_of(record)
    git = world.git(repo)
    start = git.merge_base(pull.base_sha, pull.head_sha)
    stats = git.diff(start, pull.head_sha).stats
    return pull_simple(world, repo, record) | {
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": state,
        "merged_by": optional_user(world, pull.merged_by),
        "comments": len(comments_of(repo, record.number)),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": sum(1 for _ in git.log(pull.head_sha, hide=pull.base_sha)),
        "additions": stats.insertions,
        "deletions": stats.deletions,
        "changed_files": stats.files_changed,
    }


def pull_minimal(world: World, repo: Repository, record: Issue) -> JSON:
    """As in check runs."""
    pull = pull_of(record)
    home = {"id": repo.id, "url": world.api(path_of(repo)), "name": repo.name}
    return {
        "id": pull.id,
        "number": record.number,
        "url": world.api(f"{path_of(repo)}/pulls/{record.number}"),
        "head": {"ref": pull.head, "sha": pull.head_sha, "repo": home},
        "base": {"ref": pull.base, "sha": pull.base_sha, "repo": home},
    }


def review(world: World, repo: Repository, record: Issue, given: Review) -> JSON:
    html = world.html(f"{html_path(repo, record)}#pullrequestreview-{given.id}")
    url = world.api(f"{path_of(repo)}/pulls/{record.number}")
    said: JSON = {
        "id": given.id,
        "node_id": node_id("PullRequestReview", given.id),
        "user": simple_user(world, given.login),
        "body": given.body,
        "state": given.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": association(world, repo, given.login),
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": given.commit,
    }
    if given.submitted_at is not None:
        said["submitted_at"] = timestamp(given.submitted_at)
    return said
