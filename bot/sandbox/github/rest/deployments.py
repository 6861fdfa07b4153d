"""Deployments and environments."""

from typing import Any

from bot.sandbox.github.actions import deployments as actions
from bot.sandbox.github.errors import custom, not_found
from bot.sandbox.github.records import Deployment
from bot.sandbox.github.render import checks as render
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, route

DEPLOYMENT = REPO + "/deployments/{deployment}"


class DeploymentForm(Form):
    ref: str
    task: str = "deploy"
    auto_merge: bool = True
    required_contexts: list[str] | None = None
    payload: dict[str, Any] | str = ""
    environment: str = "production"
    description: str | None = ""
    transient_environment: bool = False
    production_environment: bool | None = None


def the_deployment(call: Call) -> Deployment:
    return actions.find_deployment(call.visit, call.number("deployment"))


@route("GET", REPO + "/deployments", app="deployments:read")
def list_deployments(call: Call) -> Answer:
    found = list(reversed(call.repo.deployments.values()))
    for name in ("sha", "ref", "task", "environment"):
        if wanted := call.query.get(name):
            found = [one for one in found if getattr(one, name) == wanted]
    return Answer(200, [render.deployment(call.world, call.repo, one) for one in call.page(found)])


@route("POST", REPO + "/deployments", app="deployments:write")
def create_deployment(call: Call) -> Answer:
    form = call.form(DeploymentForm)
    production = form.production_environment
    wish = actions.DeploymentWish(
        ref=form.ref,
        task=form.task,
        environment=form.environment,
        description=form.description,
        payload=form.payload,
        contexts=tuple(form.required_contexts) if form.required_contexts is not None else None,
        transient=form.transient_environment,
        production=form.environment == "production" if production is None else production,
    )
    return Answer(201, render.deployment(call.world, call.repo, actions.create_deployment(call.visit, wish)))


@route("GET", DEPLOYMENT, app="deployments:read")
def get_deployment(call: Call) -> Answer:
    return Answer(200, render.deployment(call.world, call.repo, the_deployment(call)))


@route("DELETE", DEPLOYMENT, app="deployments:write")
def delete_deployment(call: Call) -> Answer:
    """A deployment that is still active stays, unless it is the only one."""
    deployment = the_deployment(call)
    active = not deployment.statuses or deployment.statuses[-1].state not in {"inactive", "error", "failure"}
    if active and len(call.repo.deployments) > 1:
        raise custom("Deployment", "We cannot delete an active deployment unless it is the only deployment")
    del call.repo.deployments[deployment.id]
    return Answer(204)


class StatusForm(Form):
    state: str
    target_url: str = ""
    log_url: str = ""
    description: str = ""
    environment: str | None = None
    environment_url: str = ""
    auto_inactive: bool = True


@route("GET", DEPLOYMENT + "/statuses", app="deployments:read")
def list_statuses(call: Call) -> Answer:
    deployment = the_deployment(call)
    newest = list(reversed(deployment.statuses))
    shown = [render.deployment_status(call.world, call.repo, deployment, one) for one in call.page(newest)]
    return Answer(200, shown)


@route("GET", DEPLOYMENT + "/statuses/{status}", app="deployments:read")
def get_status(call: Call) -> Answer:
    deployment, number = the_deployment(call), call.number("status")
    found = next((one for one in deployment.statuses if one.id == number), None)
    if found is None:
        raise not_found()
    return Answer(200, render.deployment_status(call.world, call.repo, deployment, found))


@route("POST", DEPLOYMENT + "/statuses", app="deployments:write")
def create_status(call: Call) -> Answer:
    form, deployment = call.form(StatusForm), the_deployment(call)
    made = actions.create_status(
        call.visit,
        deployment,
        state=form.state,
        description=form.description,
        log_url=form.log_url or form.target_url,
        environment=form.environment,
        environment_url=form.environment_url,
        auto_inactive=form.auto_inactive,
    )
    return Answer(201, render.deployment_status(call.world, call.repo, deployment, made))


@route("GET", REPO + "/environments", app="actions:read|environments:read|deployments:read")
def list_environments(call: Call) -> Answer:
    found = list(call.repo.environments.items())
    shown = [render.environment(call.world, call.repo, name, number) for name, number in call.page(found)]
    return Answer(200, {"total_count": len(found), "environments": shown})


@route("GET", REPO + "/environments/{name:path}", app="actions:read|environments:read|deployments:read")
def get_environment(call: Call) -> Answer:
    name = call.params["name"]
    if name not in call.repo.environments:
        raise not_found()
    return Answer(200, render.environment(call.world, call.repo, name, call.repo.environments[name]))
