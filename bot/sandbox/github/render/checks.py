"""Check runs, commit statuses, deployments."""

from typing import Any

from bot.sandbox.github.records import CheckRun, CommitStatus, Deployment, DeploymentStatus, Repository
from bot.sandbox.github.render.apps import optional_integration
from bot.sandbox.github.render.people import optional_timestamp, simple_user, timestamp
from bot.sandbox.github.render.pulls import pull_minimal
from bot.sandbox.github.render.repositories import path_of
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]


def check_run(world: World, repo: Repository, record: CheckRun) -> JSON:
    url = world.api(f"{path_of(repo)}/check-runs/{record.id}")
    html = world.html(f"/{repo.full_name}/runs/{record.id}")
    pulls = [
        pull_minimal(world, repo, issue)
        for issue in repo.issues.values()
        if issue.pull is not None and issue.state == "open" and issue.pull.head_sha == record.head_sha
    ]
    return {
        "id": record.id,
        "node_id": node_id("CheckRun", record.id),
        "head_sha": record.head_sha,
        "name": record.name,
        "external_id": record.external_id,
        "url": url,
        "html_url": html,
        "details_url": record.details_url or html,
        "status": record.status,
        "conclusion": record.conclusion,
        "started_at": timestamp(record.started_at),
        "completed_at": optional_timestamp(record.completed_at),
        "output": {
            "title": record.title,
            "summary": record.summary,
            "text": record.text,
            "annotations_count": len(record.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": record.suite},
        "app": optional_integration(world, record.app),
        "pull_requests": pulls,
    }


def check_run_event(world: World, repo: Repository, record: CheckRun) -> JSON:
    """In webhooks the suite is told in full, and the buttons stand beside the run."""
    shown = check_run(world, repo, record)
    shown["check_suite"] = {
        "id": record.suite,
        "node_id": node_id("CheckSuite", record.suite),
        "head_branch": _branch(world, repo, record.head_sha),
        "head_sha": record.head_sha,
        "status": record.status,
        "conclusion": record.conclusion,
        "url": world.api(f"{path_of(repo)}/check-suites/{record.suite}"),
        "before": None,
        "after": record.head_sha,
        "pull_requests": shown["pull_requests"],
        "app": shown["app"],
        "created_at": shown["started_at"],
        "updated_at": shown["completed_at"] or shown["started_at"],
    }
    return shown


def _branch(world: World, repo: Repository, sha: str) -> str | None:
    return next((name for name, tip in world.git(repo).branches().items() if tip == sha), None)


def commit_status(world: World, repo: Repository, record: CommitStatus) -> JSON:
    """Without its creator, as in the combined status."""
    return {
        "url": world.api(f"{path_of(repo)}/statuses/{record.sha}"),
        "avatar_url": simple_user(world, record.login)["avatar_url"],
        "id": record.id,
        "node_id": node_id("StatusContext", record.id),
        "state": record.state,
        "description": record.description,
        "target_url": record.target_url,
        "context": record.context,
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.created_at),
    }


def deployment(world: World, repo: Repository, record: Deployment) -> JSON:
    url = world.api(f"{path_of(repo)}/deployments/{record.id}")
    return {
        "url": url,
        "id": record.id,
        "node_id": node_id("Deployment", record.id),
        "sha": record.sha,
        "ref": record.ref,
        "task": record.task,
        "payload": record.payload,
        "original_environment": record.environment,
        "environment": record.environment,
        "description": record.description,
        "creator": simple_user(world, record.login),
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.updated_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": world.api(path_of(repo)),
        "transient_environment": record.transient,
        "production_environment": record.production,
        "performed_via_github_app": optional_integration(world, record.app),
    }


def deployment_status(world: World, repo: Repository, record: Deployment, status: DeploymentStatus) -> JSON:
    url = world.api(f"{path_of(repo)}/deployments/{record.id}")
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DeploymentStatus", status.id),
        "state": status.state,
        "creator": simple_user(world, status.login),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "log_url": status.log_url,
        "environment_url": status.environment_url,
        "created_at": timestamp(status.created_at),
        "updated_at": timestamp(status.created_at),
        "deployment_url": url,
        "repository_url": world.api(path_of(repo)),
        "performed_via_github_app": optional_integration(world, status.app),
    }


def environment(world: World, repo: Repository, name: str, number: int) -> JSON:
    return {
        "id": number,
        "node_id": node_id("Environment", number),
        "name": name,
        "url": world.api(f"{path_of(repo)}/environments/{name}"),
        "html_url": world.html(f"/{repo.full_name}/deployments/{name}"),
        "created_at": timestamp(repo.created_at),
        "updated_at": timestamp(repo.updated_at),
        "protection_rules": [],
        "deployment_branch_policy": None,
    }
