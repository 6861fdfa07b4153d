"""Deployments, their statuses, and the environments that come with them."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.github import events
from bot.sandbox.github.actions.mergeable import GOOD, check_results
from bot.sandbox.github.errors import Problem, invalid, not_found
from bot.sandbox.github.records import Deployment, DeploymentStatus
from bot.sandbox.github.render.checks import deployment as render_deployment
from bot.sandbox.github.render.checks import deployment_status as render_status
from bot.sandbox.github.visit import Visit

STATES = frozenset({"error", "failure", "inactive", "in_progress", "queued", "pending", "success"})
LONGEST_DESCRIPTION = 140


def find_deployment(at: Visit, number: int) -> Deployment:
    if (found := at.repo.deployments.get(number)) is None:
        raise not_found()
    return found


@dataclass(frozen=True, slots=True)
class DeploymentWish:
    ref: str
    task: str
    environment: str
    description: str | None
    payload: dict[str, Any] | str
    contexts: tuple[str, ...] | None
    transient: bool
    production: bool


def create_deployment(at: Visit, wish: DeploymentWish) -> Deployment:
    """Raises 409 where required contexts are not green; `contexts` None asks for all that reported."""
    sha = at.git.resolve(wish.ref)
    if sha is None:
        raise Problem(422, f"No ref found for: {wish.ref}")
    results = check_results(at.repo, sha)
    wanted = results if wish.contexts is None else wish.contexts
    waiting = [context for context in wanted if results.get(context) not in GOOD]
    if waiting:
        listed = [{"resource": "Deployment", "field": "required_contexts", "code": "invalid"}]
        raise Problem(409, "Conflict: Commit status checks failed for " + wish.ref, errors=listed)
    now = at.world.now()
    made = Deployment(
        id=at.world.new_id(),
        sha=sha,
        ref=wish.ref,
        task=wish.task,
        environment=wish.environment,
        description=wish.description,
        payload=wish.payload,
        login=at.actor.login,
        created_at=now,
        updated_at=now,
        transient=wish.transient,
        production=wish.production,
        app=at.actor.app_id,
    )
    at.repo.deployments[made.id] = made
    at.repo.environments.setdefault(made.environment, at.world.new_id())
    payload = {
        "deployment": render_deployment(at.world, at.repo, made),
        "workflow": None,
        "workflow_run": None,
    }
    events.emit(at, "deployment", "created", payload)
    return made


def create_status(
    at: Visit,
    deployment: Deployment,
    *,
    state: str,
    description: str = "",
    log_url: str = "",
    environment: str | None = None,
    environment_url: str = "",
    auto_inactive: bool = True,
) -> DeploymentStatus:
    """A success makes the older deployments of a lasting environment inactive, as on GitHub."""
    if state not in STATES:
        raise invalid("DeploymentStatus", "state")
    if len(description) > LONGEST_DESCRIPTION:
        message = "description is too long (maximum is 140 characters)"
        raise invalid("DeploymentStatus", "description", "custom", message)
    made = _add(at, deployment, state, description)
    made.log_url, made.environment_url = log_url, environment_url
    if environment is not None:
        made.environment = deployment.environment = environment
        at.repo.environments.setdefault(environment, at.world.new_id())
    _announce(at, deployment, made)
    if state == "success" and auto_inactive:
        for other in at.repo.deployments.values():
            older = other.id < deployment.id and other.environment == deployment.environment
            if older and not other.transient and not other.production and _state(other) == "success":
                _announce(at, other, _add(at, other, "inactive", ""))
    return made


def _state(deployment: Deployment) -> str | None:
    return deployment.statuses[-1].state if deployment.statuses else None


def _add(at: Visit, deployment: Deployment, state: str, description: str) -> DeploymentStatus:
    made = DeploymentStatus(
        id=at.world.new_id(),
        state=state,
        login=at.actor.login,
        description=description,
        environment=deployment.environment,
        environment_url="",
        log_url="",
        created_at=at.world.now(),
        app=at.actor.app_id,
    )
    deployment.statuses.append(made)
    deployment.updated_at = made.created_at
    return made


def _announce(at: Visit, deployment: Deployment, status: DeploymentStatus) -> None:
    payload = {
        "deployment_status": render_status(at.world, at.repo, deployment, status),
        "deployment": render_deployment(at.world, at.repo, deployment),
        "check_run": None,
        "workflow": None,
        "workflow_run": None,
    }
    events.emit(at, "deployment_status", "created", payload)
