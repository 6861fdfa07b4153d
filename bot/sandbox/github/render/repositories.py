"""Repositories and branches."""

from typing import Any

from bot.sandbox.github.access import Actor, role_of
from bot.sandbox.github.records import ROLES, Protection, Repository
from bot.sandbox.github.render.people import simple_user, timestamp
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]

_PLACES = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_RIGHTS = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}


def path_of(record: Repository) -> str:
    return f"/repos/{record.full_name}"


def repository(world: World, record: Repository) -> JSON:
    """The shape that stands within pull requests and webhooks."""
    url = world.api(path_of(record))
    opened = sum(issue.state == "open" for issue in record.issues.values())
    host = world.base.split("://", 1)[1]
    return {
        "id": record.id,
        "node_id": node_id("Repository", record.id),
        "name": record.name,
        "full_name": record.full_name,
        "owner": simple_user(world, record.owner),
        "private": record.private,
        "html_url": world.html(f"/{record.full_name}"),
        "description": record.description,
        "fork": False,
        "url": url,
        **{name: url + place for name, place in _PLACES.items()},
        "git_url": f"git://{host}/{record.full_name}.git",
        "ssh_url": f"ssh://git@{host}/{record.full_name}.git",
        "clone_url": world.html(f"/{record.full_name}.git"),
        "svn_url": world.html(f"/{record.full_name}"),
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "forks_count": 0,
        "forks": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "watchers": 0,
        "size": 0,
        "default_branch": record.default_branch,
        "open_issues_count": opened,
        "open_issues": opened,
        "is_template": False,
        "topics": [],
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": False,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "visibility": "private" if record.private else "public",
        "pushed_at": timestamp(record.pushed_at),
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.updated_at),
        "license": None,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "custom_properties": {},
    }


def repository_for(world: World, record: Repository, actor: Actor) -> JSON:
    """With what this actor may do; an installation's rights are the App's, not a role."""
    if actor.installation is not None:
        rights = {name: name == "pull" for name in _RIGHTS}
    else:
        held = ROLES.index(role_of(world, record, actor.login))
        rights = {name: held >= ROLES.index(role) for name, role in _RIGHTS.items()}
    return repository(world, record) | {"permissions": rights}


def full_repository(world: World, record: Repository, actor: Actor) -> JSON:
    owner = world.known_account(record.owner)
    full = repository_for(world, record, actor) | {
        "temp_clone_token": None,
        "allow_squash_merge": "squash" in record.merge_methods,
        "allow_merge_commit": "merge" in record.merge_methods,
        "allow_rebase_merge": "rebase" in record.merge_methods,
        "allow_auto_merge": False,
        "delete_branch_on_merge": record.delete_branch_on_merge,
        "allow_update_branch": False,
        "use_squash_pr_title_as_default": False,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
        "subscribers_count": 0,
        "network_count": 0,
    }
    if owner.kind == "Organization":
        full["organization"] = simple_user(world, owner.login)
    return full


def pushed_repository(world: World, record: Repository) -> JSON:
    """As in push events: times in unix seconds, and a few old names."""
    shown = repository(world, record)
    owner = world.known_account(record.owner)
    return shown | {
        "owner": shown["owner"] | {"name": owner.login, "email": owner.email},
        "created_at": int(record.created_at.timestamp()),
        "pushed_at": int(record.pushed_at.timestamp()),
        "stargazers": 0,
        "master_branch": record.default_branch,
    }


def short_repository(record: Repository) -> JSON:
    """As in installation events."""
    return {
        "id": record.id,
        "node_id": node_id("Repository", record.id),
        "name": record.name,
        "full_name": record.full_name,
        "private": record.private,
    }


def protection(world: World, record: Repository, branch: str, rules: Protection) -> JSON:
    url = world.api(f"{path_of(record)}/branches/{branch}/protection")
    said: JSON = {
        "url": url,
        "enabled": True,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rules.enforce_admins},
        "required_linear_history": {"enabled": rules.linear_history},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
        "block_creations": {"enabled": False},
        "required_conversation_resolution": {"enabled": False},
        "required_signatures": {"url": f"{url}/required_signatures", "enabled": False},
        "lock_branch": {"enabled": False},
        "allow_fork_syncing": {"enabled": False},
    }
    if rules.contexts is not None:
        said["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "strict": rules.strict,
            "contexts": rules.contexts,
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": context, "app_id": None} for context in rules.contexts],
        }
    if rules.approvals is not None:
        said["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": rules.dismiss_stale,
            "require_code_owner_reviews": rules.code_owners,
            "required_approving_review_count": rules.approvals,
            "require_last_push_approval": False,
        }
    return said
