"""Issues, comments, labels and reactions."""

from typing import Any
from urllib.parse import quote

from bot.sandbox.github.access import role_of
from bot.sandbox.github.records import Comment, Issue, Label, Reaction, Repository
from bot.sandbox.github.render.apps import optional_integration
from bot.sandbox.github.render.people import optional_timestamp, optional_user, simple_user, timestamp
from bot.sandbox.github.render.repositories import path_of
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def association(world: World, repo: Repository, login: str) -> str:
    if login.casefold() == repo.owner.casefold():
        return "OWNER"
    owner = world.account(repo.owner)
    if owner is not None and login in owner.members:
        return "MEMBER"
    own = role_of(world, repo, login)
    return "COLLABORATOR" if login in repo.collaborators and own != "none" else "NONE"


def label(world: World, repo: Repository, record: Label) -> JSON:
    return {
        "id": record.id,
        "node_id": node_id("Label", record.id),
        "url": world.api(f"{path_of(repo)}/labels/{quote(record.name)}"),
        "name": record.name,
        "color": record.color,
        "default": False,
        "description": record.description,
    }


def labels(world: World, repo: Repository, issue: Issue) -> list[JSON]:
    known = {record.name: record for record in repo.labels}
    return [label(world, repo, known[name]) for name in issue.labels if name in known]


def reaction(world: World, record: Reaction) -> JSON:
    return {
        "id": record.id,
        "node_id": node_id("Reaction", record.id),
        "user": simple_user(world, record.login),
        "content": record.content,
        "created_at": timestamp(record.created_at),
    }


def reaction_rollup(url: str, records: list[Reaction]) -> JSON:
    counts = {content: sum(r.content == content for r in records) for content in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": len(records), **counts}


def issue_path(repo: Repository, number: int) -> str:
    return f"{path_of(repo)}/issues/{number}"


def html_path(repo: Repository, issue: Issue) -> str:
    return f"/{repo.full_name}/{'pull' if issue.pull is not None else 'issues'}/{issue.number}"


def comments_of(repo: Repository, number: int) -> list[Comment]:
    return [comment for comment in repo.comments.values() if comment.issue == number]


def issue(world: World, repo: Repository, record: Issue) -> JSON:
    url = world.api(issue_path(repo, record.number))
    html = world.html(html_path(repo, record))
    said: JSON = {
        "url": url,
        "repository_url": world.api(path_of(repo)),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": html,
        "id": record.id,
        "node_id": node_id("PullRequest" if record.pull is not None else "Issue", record.id),
        "number": record.number,
        "title": record.title,
        "user": simple_user(world, record.login),
        "labels": labels(world, repo, record),
        "state": record.state,
        "state_reason": record.state_reason,
        "locked": record.locked,
        "active_lock_reason": None,
        "assignee": optional_user(world, record.assignees[0] if record.assignees else None),
        "assignees": [simple_user(world, login) for login in record.assignees],
        "milestone": None,
        "comments": len(comments_of(repo, record.number)),
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.updated_at),
        "closed_at": optional_timestamp(record.closed_at),
        "closed_by": optional_user(world, record.closed_by),
        "author_association": association(world, repo, record.login),
        "body": record.body,
        "reactions": reaction_rollup(url, record.reactions),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": optional_integration(world, record.app),
    }
    if record.pull is not None:
        said["draft"] = record.pull.draft
        said["pull_request"] = {
            "url": world.api(f"{path_of(repo)}/pulls/{record.number}"),
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "merged_at": optional_timestamp(record.pull.merged_at),
        }
    return said


def comment(world: World, repo: Repository, record: Comment) -> JSON:
    url = world.api(f"{path_of(repo)}/issues/comments/{record.id}")
    place = html_path(repo, repo.issues[record.issue])
    return {
        "url": url,
        "html_url": world.html(f"{place}#issuecomment-{record.id}"),
        "issue_url": world.api(issue_path(repo, record.issue)),
        "id": record.id,
        "node_id": node_id("IssueComment", record.id),
        "user": simple_user(world, record.login),
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.updated_at),
        "author_association": association(world, repo, record.login),
        "body": record.body,
        "reactions": reaction_rollup(url, record.reactions),
        "performed_via_github_app": optional_integration(world, record.app),
    }
